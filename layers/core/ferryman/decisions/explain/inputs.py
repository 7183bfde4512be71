"""The inputs of an explanation: one environment as recorded, and as automation sees it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ferryman.decisions.explain.ignored import Ignored
from ferryman.decisions.freeze_windows import Frozen, frozen
from ferryman.decisions.snapshot import Snapshot
from ferryman.durations import age
from ferryman.platform import Environment, Platform
from ferryman.records import Approval, Deployment, EnvironmentState, Phase, Release


@dataclass(frozen=True)
class Facts:
    """One environment at one moment; `deployments` newest first."""

    document: Platform
    state: EnvironmentState
    releases: list[Release]
    deployments: list[Deployment]
    now: datetime
    source: EnvironmentState | None = None
    """State of the environment that releases are promoted from."""
    approval: Approval | None = None
    """Of the deployment under way."""
    ignored: Sequence[Ignored] = ()
    """Tags of the platform that are no releases, newest first."""

    @property
    def env(self) -> str:
        """The environment's name."""
        return self.state.environment

    @property
    def environment(self) -> Environment:
        """What the document says about it."""
        return self.document.environment(self.env)

    @property
    def running_version(self) -> str | None:
        """What runs, if it is a release."""
        return self.state.current.version if self.state.current else None

    @property
    def active(self) -> Deployment | None:
        """The deployment that holds the claim."""
        claim = self.state.active
        return next((d for d in self.deployments if claim and d.id == claim.deployment), None)

    @property
    def awaited(self) -> Deployment | None:
        """The deployment that waits for approval."""
        return self.active if self.active and self.active.phase is Phase.AWAITING_APPROVAL else None

    @property
    def frozen(self) -> Frozen | None:
        """Why nothing may start now."""
        return frozen(self.environment, self.state, self.now)

    @cached_property
    def newer_ignored(self) -> list[Ignored]:
        """The ignored tags that were pushed after the release that runs, newest first; all, where nothing runs.

        Without those that move with every build and build caches: they say nothing about a release.
        """
        meant = [item for item in self.ignored if not (item.moves or item.artifact)]
        current = self.state.current
        if current is None:
            return meant
        running = next((release for release in self.releases if release.version == current.version), None)
        since = running.first_seen_at if running is not None else current.at
        return [item for item in meant if item.at > since]

    @cached_property
    def view(self) -> Snapshot:
        """The environment as automation sees it, without scans."""
        return Snapshot(
            platform=self.document.name,
            name=self.env,
            environment=self.environment,
            generation=0,
            state=self.state,
            releases=tuple(self.releases),
            deployments=tuple(self.deployments),
            deployment=self.active,
            approval=self.approval,
            source=self.source,
        )

    def ago(self, at: datetime) -> str:
        """How long ago something was."""
        return f"{age(at, self.now)} ago"
