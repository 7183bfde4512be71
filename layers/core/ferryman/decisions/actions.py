"""Everything that `decide` may find to be due in an environment; `controller.execute` carries it out. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.decisions.snapshot import TagSetting
from ferryman.records import Actor, Condition, Listed, LiveHealth, Phase, WaitingFor


@dataclass(frozen=True)
class EndApproval:
    """End a pending approval without a decision."""

    status: Literal["Expired", "Superseded", "Aborted"]
    why: str
    who: str
    by: str | None = None
    """The version that replaces it."""
    reason: str | None = None
    """Reason for the deployment's step, if it is more specific than `status`."""


@dataclass(frozen=True)
class RemindApprovers:
    """Remind approvers who have not decided that the request is about to expire."""


@dataclass(frozen=True)
class TellMachine:
    """Answer the waiting step with the recorded decision."""


@dataclass(frozen=True)
class Start:
    """Claim the environment for a version and start its execution."""

    version: str
    kind: Literal["deploy", "retry", "redeploy", "rollback", "migrate"]
    initiated_by: Actor
    why: str
    on_behalf_of: Actor | None = None
    """For an automatic retry: who requested the first attempt, if it is recorded."""
    tag: str | None = None
    """The semver tag that starts it."""
    attempts: int = 1
    requested: bool = False
    """Whether this carries out the request in the environment's state."""
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
    """Whether automation leaves the version alone until a person requests it."""


@dataclass(frozen=True)
class DropClaim:
    """Drop the claim of a deployment that ended."""


@dataclass(frozen=True)
class Supersede:
    """Record that releases will never run here because a newer one already does."""

    versions: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class LiftHold:
    """Lift a hold whose time is over, and tell people."""


@dataclass(frozen=True)
class RemindHold:
    """Remind people of a hold."""


@dataclass(frozen=True)
class Dismiss:
    """Drop a person's request that later events have made pointless."""

    why: str


@dataclass(frozen=True)
class RefuseTag:
    """Settle a release whose semver tag will never start it, and tell people why."""

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
class NoteSameImages:
    """Record, once, that a release is not deployed because another has the same images."""

    version: str
    message: str
    proof_of: str | None = None
    """The release that runs with these images: its proof holds for this one, too."""
    loud: bool = False
    """A message to the channels, not just a line in the timeline."""


@dataclass(frozen=True)
class Observe:
    """Write down what was seen."""

    conditions: list[Condition]
    waiting_since: datetime | None
    waiting_for: WaitingFor | None
    generation: int
    health: LiveHealth | None = None
    listed: Listed | None = None


@dataclass(frozen=True)
class RepairTags:
    """Point the moving tags at what runs, and record for which deployment that was done."""

    settings: tuple[TagSetting, ...]
    deployment: str | None


@dataclass(frozen=True)
class RequeueAfter:
    """Look again after some seconds. Never repeated for what others end: AWS cuts a chain of 16 looks by the queue."""

    seconds: int


Act = (
    Start
    | Redrive
    | Complete
    | DropClaim
    | Supersede
    | LiftHold
    | RemindHold
    | Dismiss
    | RefuseTag
    | ReportWaiting
    | NoteSameImages
    | EndApproval
    | RemindApprovers
    | TellMachine
)
Action = Act | Observe | RepairTags | RequeueAfter
