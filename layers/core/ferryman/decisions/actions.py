"""Everything that `decide` may find to be due in an environment; `controller.execute` carries it out. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.decisions.snapshot import TagSetting
from ferryman.records import Actor, Condition, Phase, WaitingFor


@dataclass(frozen=True)
class EndApproval:
    """Void a pending approval: nobody can say yes to it any more."""

    status: Literal["Expired", "Superseded", "Aborted"]
    why: str
    who: str
    by: str | None = None
    """The version that goes instead."""
    reason: str | None = None
    """Of the deployment's step, where it tells more than `status`."""


@dataclass(frozen=True)
class RemindApprovers:
    """Tell those who have not decided that the request is about to expire."""


@dataclass(frozen=True)
class TellMachine:
    """Answer the waiting step with a decision that stands in the table."""


@dataclass(frozen=True)
class Start:
    """Claim the environment for a version and start its execution."""

    version: str
    kind: Literal["deploy", "retry", "redeploy", "rollback", "migrate"]
    initiated_by: Actor
    why: str
    on_behalf_of: Actor | None = None
    """Of an automatic retry: who asked for the first attempt, if that is written down."""
    tag: str | None = None
    """The semver tag that starts it."""
    attempts: int = 1
    requested: bool = False
    """Whether this answers the person's request that the state holds."""
    supersede: tuple[str, ...] = ()
    """Versions that it skips."""


@dataclass(frozen=True)
class Redrive:
    """Start the execution of a claim that has none, under the same name and with the same input."""


@dataclass(frozen=True)
class Complete:
    """Record the outcome of a deployment whose execution ended without one."""

    phase: Phase
    reason: str
    message: str
    hold: str | None = None
    settle: bool = True
    """Whether the version is done with here until a person asks for it."""


@dataclass(frozen=True)
class DropClaim:
    """Drop the claim of a deployment that ended."""


@dataclass(frozen=True)
class Supersede:
    """Record that releases will never run here because a newer one already does."""

    versions: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class Dismiss:
    """Drop a person's request that what happened since made pointless."""

    why: str


@dataclass(frozen=True)
class RefuseTag:
    """Settle a release whose semver tag will not start it any more, and tell people why."""

    version: str
    name: str
    why: str


@dataclass(frozen=True)
class ReportWaiting:
    """Tell people, once per reason, what a release waits for."""

    version: str
    reason: str
    message: str
    loud: bool
    """A message to the channels, not just a line in the timeline."""


@dataclass(frozen=True)
class Observe:
    """Write down what was seen."""

    conditions: list[Condition]
    waiting_since: datetime | None
    waiting_for: WaitingFor | None
    generation: int
    again_at: datetime | None = None
    """When the look that was asked for is due."""


@dataclass(frozen=True)
class RepairTags:
    """Point the moving tags at what runs, and remember for which deployment that was done."""

    settings: tuple[TagSetting, ...]
    deployment: str | None


@dataclass(frozen=True)
class RequeueAfter:
    """Look again after some seconds."""

    seconds: int
    repeats: bool = False
    """That look may ask for another: only one of them at a time, or they multiply."""


Act = (
    Start
    | Redrive
    | Complete
    | DropClaim
    | Supersede
    | Dismiss
    | RefuseTag
    | ReportWaiting
    | EndApproval
    | RemindApprovers
    | TellMachine
)
Action = Act | Observe | RepairTags | RequeueAfter
