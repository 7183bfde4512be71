"""Why does a release that is newer than what runs, or asked for, not run yet? Pure; part of `ferryman.explain`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from ferryman.ages import age
from ferryman.platform import Platform
from ferryman.records import Deployment, EnvironmentState, Phase, Record, Release, ReleaseStatus, Settled

Reason = Literal[
    "Deploying", "Requested", "Held", "RetryAfter", "Next", "NoTrigger", "Settled", "Superseded", "Assembling"
]
"""Why a newer release does not run."""


class Newer(Record):
    """A release that is newer than what runs, or that a person asked for, and why it does not run."""

    version: str
    status: ReleaseStatus
    reason: Reason
    message: str
    missing: list[str] = Field(default_factory=list)
    """Components without an image."""


@dataclass(frozen=True)
class Facts:
    """What an explanation is made from; `deployments` newest first."""

    document: Platform
    state: EnvironmentState
    releases: list[Release]
    deployments: list[Deployment]
    now: datetime

    @property
    def env(self) -> str:
        """The environment's name."""
        return self.state.environment

    @property
    def running_version(self) -> str | None:
        """What runs, if it is a release."""
        return self.state.current.version if self.state.current else None

    @property
    def active(self) -> Deployment | None:
        """The deployment that holds the claim."""
        claim = self.state.active
        return next((d for d in self.deployments if claim and d.id == claim.deployment), None)

    def ago(self, at: datetime) -> str:
        """How long ago something was."""
        return f"{age(at, self.now)} ago"


def newer_releases(state: EnvironmentState, releases: list[Release]) -> list[Release]:
    """Return what came after the release that runs, newest first; what was complete before Ferryman is no candidate."""
    running = next((r for r in releases if state.current and r.version == state.current.version), None)
    found = [r for r in releases if r.status is not ReleaseStatus.BASELINE and not _before_us(state, r)]
    if running is not None:
        found = [r for r in found if r.order > running.order]
    return sorted(found, key=lambda release: release.order, reverse=True)


def _before_us(state: EnvironmentState, release: Release) -> bool:
    return bool(state.adopted_at and release.ready_at and release.ready_at <= state.adopted_at)


def newer(facts: Facts) -> list[Newer]:
    """Return every release that could run and does not, newest first, each with the reason."""
    found: list[Newer] = []
    newest: str | None = None
    for release in newer_releases(facts.state, facts.releases):
        reason, message, missing = _why_not(facts, release, newest)
        if newest is None and release.status is ReleaseStatus.READY:
            newest = release.version
        found.append(
            Newer(version=release.version, status=release.status, reason=reason, message=message, missing=missing)
        )
    return found


def _why_not(facts: Facts, release: Release, newest: str | None) -> tuple[Reason, str, list[str]]:
    version, state = release.version, facts.state
    if state.active is not None and state.active.version == version:
        return "Deploying", f"{version} is being deployed.", []
    if state.requested is not None and state.requested.version == version:
        return "Requested", asked(facts)[0], []
    if release.status in (ReleaseStatus.ASSEMBLING, ReleaseStatus.INCOMPLETE):
        return _assembling(facts, release)
    settled = state.settled.get(version)
    if settled is not None:
        return _settled(facts, version, settled, newest)
    if facts.env in release.verified:
        return "Settled", f"{version} ran here before and was left; {_by_hand(facts, version)} brings it back.", []
    successor = _successor(facts, version) or newest
    if successor is not None:
        return "Superseded", f"{version} is passed over for {successor}, which is newer.", []
    if "push" not in facts.document.environment(facts.env).triggers:
        return (
            "NoTrigger",
            f"{version} is ready, but {facts.env} has no `push` trigger: nothing starts it by itself.",
            [],
        )
    if state.hold is not None:
        return "Held", f"{version} is ready and waits for the hold to be lifted.", []
    if state.active is not None:
        return "Next", f"{version} is ready and goes next, when deployment {state.active.deployment} has ended.", []
    return "Next", f"{version} is ready and about to start (at the latest with the next sweep, within 5 minutes).", []


def _assembling(facts: Facts, release: Release) -> tuple[Reason, str, list[str]]:
    components = facts.document.spec.components
    missing = [name for name in components if name not in release.components]
    have = len(components) - len(missing)
    tag = next((image.tag for image in release.components.values()), release.version)
    wanted = ", ".join(f"{components[name].repository}:{tag}" for name in missing)
    message = (
        f"{release.version} waits for images: {have} of {len(components)} are there, {', '.join(missing)} missing "
        f"(the first came {facts.ago(release.first_seen_at)}). Push {wanted}."
    )
    return "Assembling", message, missing


def _settled(facts: Facts, version: str, settled: Settled, newest: str | None) -> tuple[Reason, str, list[str]]:
    ended = f"{version} ended {settled.phase} {facts.ago(settled.at)} ({settled.reason})"
    if settled.retry_at is not None and newest is None:
        wait = (settled.retry_at - facts.now).total_seconds()
        when = f"in {age(facts.now, settled.retry_at)}" if wait > 0 else "with the next sweep"
        when = "once the hold is lifted" if facts.state.hold else when
        return "RetryAfter", f"{ended}; it is tried again {when} (attempt {settled.attempts + 1}).", []
    return "Settled", f"{ended}: automation won't start it again; {_by_hand(facts, version)} does.", []


def _by_hand(facts: Facts, version: str) -> str:
    return f"`ferryman retry {facts.env} --version {version}`"


def _successor(facts: Facts, version: str) -> str | None:
    """Return what superseded a version, if that was the last thing that happened to it."""
    last = next((d for d in facts.deployments if d.version == version), None)
    return last.superseded_by if last is not None and last.phase is Phase.SUPERSEDED else None


def asked(facts: Facts) -> list[str]:
    """Tell what a person asked for and when it starts."""
    request = facts.state.requested
    if request is None:
        return []
    if facts.state.active is not None:
        when = f"it starts once deployment {facts.state.active.deployment} has ended"
    else:
        # A person's wish is stronger than a hold (`ferryman.decide`).
        when = "it starts within seconds (at the latest with the next sweep, within 5 minutes)"
    return [f"{request.who} asked to {request.kind} {request.version} {facts.ago(request.at)}; {when}."]
