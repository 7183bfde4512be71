"""Everything that reconcile knows about one environment at one moment. Pure; read by `decisions.decide`."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from ferryman.records import Approval, Deployment, EnvironmentState, Phase, Release, Settled

if TYPE_CHECKING:
    from ferryman.platform import Environment


class Execution(StrEnum):
    """How the execution of the active deployment stands."""

    RUNNING = "Running"
    ABORTED = "Aborted"
    ENDED = "Ended"
    MISSING = "Missing"


@dataclass(frozen=True)
class Drift:
    """What ECS runs and what the document names, against what the record says."""

    live: dict[str, str | None]
    """Service or `job/<name>` → the task definition it runs now; None when there is no such service or job."""
    bases: dict[str, str] = field(default_factory=dict)
    """Service or `job/<name>` → base task definition that the document names now."""
    images: dict[str, dict[str, dict[str, str]]] | None = field(default_factory=dict)
    """Service → component → container → digest in the task definition that it runs, where these digests differ.

    None when not all of them could be read.
    """
    replacing: frozenset[str] = frozenset()
    """Services of which ECS still lists a deployment that was replaced, with its tasks."""
    protected: dict[str, str] = field(default_factory=dict)
    """Service → which of these tasks are protected from scale-in, in words; empty: none is. Read only where told."""


@dataclass(frozen=True)
class LiveService:
    """What DescribeServices says of a service that is ACTIVE."""

    desired: int
    running: int
    """Tasks of all its ECS deployments."""
    pending: int = 0
    rollout: str = ""
    """`rolloutState` of the PRIMARY deployment: IN_PROGRESS, COMPLETED or FAILED; "" where ECS gives none."""
    failed: int = 0
    """Tasks of the PRIMARY deployment that failed to start."""


@dataclass(frozen=True)
class ImageScan:
    """What ECR's scan tells about one image of a release: of the child that runs, where it is an index."""

    component: str
    status: Literal["Complete", "Pending", "Missing", "Failed", "Unread", "Denied"]
    """Unread: nobody could look just now. Denied: AWS refuses to show it, until somebody grants the permission."""
    findings: dict[str, int] = field(default_factory=dict)
    """Severity → how many."""
    message: str = ""


@dataclass(frozen=True)
class TagSetting:
    """A moving tag and the image it has to point at."""

    component: str
    tag: str
    digest: str


@dataclass(frozen=True)
class Snapshot:
    """One environment: what is declared, what is recorded, what AWS says."""

    platform: str
    name: str
    environment: "Environment"
    generation: int
    state: EnvironmentState
    releases: tuple[Release, ...] = ()
    """All, or those that matter here."""
    all_listed: bool | None = False
    """Whether the lists have all releases. None when only the relevant ones were read (`releases.relevant`)."""
    deployments: tuple[Deployment, ...] = ()
    """The latest, newest first; `complete_history` says whether there are no others."""
    complete_history: bool = True
    deployment: Deployment | None = None
    """The active one."""
    approval: Approval | None = None
    """Of the active deployment, while it waits for one."""
    source: EnvironmentState | None = None
    """The environment that releases are promoted from."""
    scans: dict[str, tuple[ImageScan, ...]] = field(default_factory=dict)
    """Version → what scans tell of its images (only where somebody looked)."""
    execution: Execution | None = None
    execution_ended_at: datetime | None = None
    mutation_timeout: timedelta = timedelta(seconds=60)
    """Longest time-out of a Lambda that changes ECS: after it, nothing of an ended execution is still at work."""
    swept: bool = False
    drift: Drift | None = None
    """None when nobody looked this time."""
    services: dict[str, LiveService | None] | None = None
    """Service → what ECS says of it; None: there is no such service. None for all when nobody looked this time."""
    wrong_tags: tuple[TagSetting, ...] = ()
    """Moving tags that point elsewhere (only when somebody looked)."""

    def release(self, version: str | None) -> Release | None:
        """Return a release by version."""
        return next((release for release in self.releases if release.version == version), None)

    @property
    def current(self) -> Release | None:
        """The release that runs, when it is known."""
        return self.release(self.state.current.version) if self.state.current else None

    @property
    def latest(self) -> Deployment | None:
        """The last attempt that ended; releases that were merely skipped don't count."""
        ended = (item for item in self.deployments if item.phase.terminal and item.phase is not Phase.SUPERSEDED)
        return next(ended, None)

    def errored(self) -> Release | None:
        """Return the release of the last attempt if that errored and is to be tried again, whoever had asked for it.

        Never one that is older than what runs, nor a person's database command.
        """
        latest = self.latest
        failed = latest is not None and latest.phase is Phase.ERRORED and latest.kind != "migrate"
        release = self.release(latest.version) if latest and failed else None
        settled = self.settled(release) if release else None
        if release is None or settled is None or settled.retry_at is None:
            return None
        return release if self.current is None or release.order >= self.current.order else None

    def settled(self, release: Release) -> Settled | None:
        """Return how a release is settled here, if it is."""
        return self.state.settled.get(release.version)

    def ours(self, release: Release) -> bool:
        """Tell whether a release was completed since we operate this environment."""
        adopted = self.state.adopted_at
        return adopted is None or release.ready_at is None or release.ready_at > adopted
