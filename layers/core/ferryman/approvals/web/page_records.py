"""The records that a page is made of, and how people and times are written on it. Pure."""

from dataclasses import dataclass
from datetime import datetime

from ferryman.durations import age, span
from ferryman.platform import Environment, Platform
from ferryman.records import Approval, Deployment, EnvironmentState, Release, Running, Target
from ferryman.steps import admit_deployment


@dataclass(frozen=True)
class Sight:
    """The records that a page is made of; the document is None when it can't be read any more."""

    approval: Approval
    deployment: Deployment
    state: EnvironmentState
    document: Platform | None = None
    release: Release | None = None
    running: Deployment | None = None
    """The deployment that made what ran before."""

    @property
    def base(self) -> Running | Target | None:
        """What ran before this deployment changed anything, while that is still known."""
        return base(self.state, self.deployment)

    @property
    def environment(self) -> Environment | None:
        """What the document says about the environment, as far as it can be read."""
        return self.document.spec.environments.get(self.approval.environment) if self.document else None

    def stopped(self, now: datetime) -> str | None:
        """Return why nothing may start here now: a freeze or a hold."""
        if self.environment is None:
            return "the platform document can't be read, so nobody knows its freezes and checks"
        found = admit_deployment.stopped(self.deployment, self.state, self.environment, now)
        return found[1] if found else None


def base(state: EnvironmentState, deployment: Deployment) -> Running | Target | None:
    """Return what ran before a deployment: what runs now, or once it is through, what ran before that."""
    current = state.current
    found = state.previous if current is not None and current.deployment == deployment.id else current
    known = found is not None and (not deployment.phase.terminal or found.version == deployment.from_version)
    return found if known else None


@dataclass(frozen=True)
class Moment:
    """A point in time, for people and for programs."""

    iso: str
    shown: str
    relative: str


def moment(at: datetime, now: datetime) -> Moment:
    """Return a point in time as `Fri 2 Jan 2026, 03:04 UTC`, and how far away it is."""
    relative = f"in {span((at - now).total_seconds())}" if at > now else f"{age(at, now)} ago"
    return Moment(at.isoformat(), f"{at:%a} {at.day} {at:%b %Y, %H:%M} UTC", relative)


def person(who: str) -> str:
    """Return the name that people would recognise in an IAM ARN: its last part; anything else as it is."""
    return who.rsplit("/", 1)[-1] if who.startswith("arn:") and "/" in who else who
