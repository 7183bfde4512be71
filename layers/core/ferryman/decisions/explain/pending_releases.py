"""Why a release that is newer than what runs, or was asked for, does not run yet. Pure."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from ferryman.decisions import candidates
from ferryman.decisions.candidates import TAG_REFUSED
from ferryman.decisions.explain.inputs import Facts
from ferryman.decisions.promotion_gate import Waits, kept_back, wish_kept_back
from ferryman.durations import age
from ferryman.records import EnvironmentState, Phase, Record, Release, ReleaseStatus, Settled

Reason = Literal[
    "Deploying",
    "AwaitingApproval",
    "Requested",
    "Held",
    "Frozen",
    "RetryAfter",
    "Next",
    "NoTrigger",
    "WaitsForTag",
    "WaitsForSource",
    "Soaking",
    "ScanMissing",
    "ScanPending",
    "ScanBlocked",
    "Settled",
    "Superseded",
    "Assembling",
]
"""Why a newer release does not run."""

_FOLDED = ("NoTrigger", "WaitsForTag", "WaitsForSource")
"""Reasons that many releases share: the newest one stands for those before it."""


class Newer(Record):
    """A release that is newer than what runs, or that a person asked for, and why it does not run."""

    version: str
    status: ReleaseStatus
    reason: Reason
    message: str
    missing: list[str] = Field(default_factory=list)
    """Components without an image."""
    names: list[str] = Field(default_factory=list)
    """Semver tags that name it."""
    until: datetime | None = None
    """When the wait ends, where that is known."""
    like_it: int = 0
    """How many older releases wait for the same."""


def newer_releases(state: EnvironmentState, releases: list[Release]) -> list[Release]:
    """Return what came after the release that runs, newest first; what was complete before Ferryman is no candidate."""
    found = [r for r in after(state, releases) if r.status is not ReleaseStatus.BASELINE and not _before_us(state, r)]
    return sorted(found, key=lambda release: release.order, reverse=True)


def after(state: EnvironmentState, releases: list[Release]) -> list[Release]:
    """Return what came after the release that runs; everything, when what runs is no release."""
    running = next((r for r in releases if state.current and r.version == state.current.version), None)
    return [r for r in releases if running is None or r.order > running.order]


def _before_us(state: EnvironmentState, release: Release) -> bool:
    return bool(state.adopted_at and release.ready_at and release.ready_at <= state.adopted_at)


def newer(facts: Facts) -> list[Newer]:
    """Return every release that could run and does not, newest first, each with the reason.

    Of releases that wait for the same and that nothing brings by itself, only the newest is there.
    """
    ours = {release.version for release in newer_releases(facts.state, facts.releases)}
    # A fresh semver tag, or a fresh proof, brings also what is older than Ferryman here.
    wanted = [
        release
        for release in after(facts.state, facts.releases)
        if release.version in ours or candidates.trigger(facts.view, release) is not None
    ]
    found: list[Newer] = []
    coming: str | None = None
    for release in sorted(wanted, key=lambda release: release.order, reverse=True):
        told = _why_not(facts, release, coming)
        coming = coming or (release.version if _leads(facts, release, told) else None)
        first = next((item for item in found if told.reason in _FOLDED and item.reason == told.reason), None)
        if first is None:
            found.append(told)
        else:
            found[found.index(first)] = first.but(like_it=first.like_it + 1)
    return found


def _leads(facts: Facts, release: Release, told: Newer) -> bool:
    """Tell whether automation passes older releases over for this one."""
    trigger = candidates.trigger(facts.view, release)
    if trigger is None:
        return told.reason in ("Deploying", "AwaitingApproval", "Requested")
    waiting = ("WaitsForSource", "Soaking", "ScanMissing", "ScanPending", "ScanBlocked")
    return trigger.by == "push" or told.reason not in waiting


def _why_not(facts: Facts, release: Release, coming: str | None) -> Newer:
    """Say why one release does not run; `coming` is the newest that automation brings, if it is newer than this one."""
    reason, message, until = _reason(facts, release, coming)
    missing = [name for name in facts.document.spec.components if name not in release.components]
    return Newer(
        version=release.version,
        status=release.status,
        reason=reason,
        message=message,
        missing=missing if reason == "Assembling" else [],
        names=release.names,
        until=until,
    )


Told = tuple[Reason, str, datetime | None]


def _reason(facts: Facts, release: Release, coming: str | None) -> Told:
    version, state = release.version, facts.state
    if state.active is not None and state.active.version == version:
        if facts.awaited is not None:
            until = facts.approval.expires_at if facts.approval else None
            return "AwaitingApproval", f"{version} waits for approval.", until
        return "Deploying", f"{version} is being deployed.", None
    if state.requested is not None and state.requested.version == version:
        return "Requested", asked(facts)[0], None
    if release.status in (ReleaseStatus.ASSEMBLING, ReleaseStatus.INCOMPLETE):
        return "Assembling", _assembling(facts, release), None
    expected = _expected(facts, version)
    settled = state.settled.get(version)
    if settled is not None and not (settled.reason == TAG_REFUSED and expected):
        return _settled(facts, version, settled, coming)
    if facts.env in release.verified:
        return "Settled", f"{version} ran here before and was left; {_by_hand(facts, version)} brings it back.", None
    successor = _successor(facts, version) or coming
    if successor is not None and not expected:
        return "Superseded", f"{version} is passed over for {successor}, which is newer.", None
    waits = kept_back(facts.view, release, facts.now)
    trigger = candidates.trigger(facts.view, release)
    if trigger is None:
        return _untriggered(facts, release, waits)
    if waits is not None:
        return _waits(facts, release, trigger.tag, waits)
    return _ready(facts, release, f" (named {trigger.tag})" if trigger.tag else "")


def _expected(facts: Facts, version: str) -> bool:
    """Tell whether automation would bring a version next, or waits just for its gate: also an older one, named anew."""
    outlook = candidates.outlook(facts.view, facts.now)
    return any(item is not None and item.release.version == version for item in (outlook.ready, outlook.waiting))


def _ready(facts: Facts, release: Release, name: str) -> Told:
    version, state = f"{release.version}{name}", facts.state
    if state.hold is not None:
        return "Held", f"{version} is ready and waits for the hold to be lifted.", None
    if facts.awaited is not None and facts.environment.on_newer == "replace":
        return (
            "Next",
            f"{version} is ready and about to replace {facts.awaited.version}, which nobody approved.",
            None,
        )
    if state.active is not None:
        how = "been decided" if facts.awaited is not None else "ended"
        return "Next", f"{version} is ready and goes next, when deployment {state.active.deployment} has {how}.", None
    freeze = facts.frozen
    if freeze is not None:
        return "Frozen", f"{version} is ready and waits: {facts.env} is {freeze.message}.", freeze.until
    return "Next", f"{version} is ready and about to start (at the latest with the next sweep, within 5 minutes).", None


def _untriggered(facts: Facts, release: Release, waits: Waits | None) -> Told:
    """Say what would bring a release that nothing brings by itself as it is."""
    version, environment = release.version, facts.environment
    command = f"`ferryman deploy {facts.env} --release {version} --confirm DEPLOY`"
    if waits is not None and waits.reason == "WaitsForSource":
        return _waits(facts, release, None, waits)
    proven = f"is verified in {environment.promote_from}" if environment.promote_from else "is ready"
    if "tag" in environment.triggers:
        message = f"{version} {proven} and waits for a semver tag, such as v1.2.3, on all its images; or {command}."
        return "WaitsForTag", message, None
    manual = f": {command} starts it" if "manual" in environment.triggers else ""
    triggers = ", ".join(f"`{trigger}`" for trigger in environment.triggers)
    return (
        "NoTrigger",
        f"{version} {proven}, but nothing starts it by itself in {facts.env} (triggers: {triggers}){manual}.",
        None,
    )


def _waits(facts: Facts, release: Release, name: str | None, waits: Waits) -> Told:
    """Put a gate's words to a release; what scans told is what reconcile saw."""
    source, tagged = facts.environment.promote_from, f"{name} ({release.version})" if name else release.version
    if waits.reason == "WaitsForSource":
        settled = facts.source.settled.get(release.version) if facts.source else None
        if settled is not None and settled.phase is not Phase.ERRORED:
            why = f"settled it as {settled.phase} ({settled.reason})"
            return "WaitsForSource", f"{tagged} can't come here: {source} {why}.", None
        until = None
        tail = ""
        if name is not None and release.named_at is not None:
            until = release.named_at + facts.environment.tag_wait
            tail = f" and starts here by itself then; the tag is refused after {age(release.named_at, until)}"
        return "WaitsForSource", f"{tagged} waits for {source} to verify it{tail}.", until
    if waits.reason in ("ScanMissing", "ScanPending", "ScanBlocked"):
        seen = facts.state.condition("Ready")
        if seen is not None and release.version in seen.message and seen.reason.startswith("Scan"):
            # What ECR says is read by reconcile, not here.
            return _scan(seen.reason), _sentence(seen.message.rsplit("; ", 1)[0], facts.env), None
        return "ScanPending", f"{tagged} waits for the scans of its images to be looked at.", None
    return waits.reason, _sentence(waits.message, facts.env), waits.until


def _scan(reason: str) -> Reason:
    return reason if reason in ("ScanMissing", "ScanBlocked") else "ScanPending"  # type: ignore[return-value]


def _sentence(text: str, env: str) -> str:
    return f"{text.replace('ENV', env).rstrip('.')}."


def _assembling(facts: Facts, release: Release) -> str:
    components = facts.document.spec.components
    missing = [name for name in components if name not in release.components]
    have = len(components) - len(missing)
    tag = next((image.tag for image in release.components.values()), release.version)
    wanted = ", ".join(f"{components[name].repository}:{tag}" for name in missing)
    return (
        f"{release.version} waits for images: {have} of {len(components)} are there, {', '.join(missing)} missing "
        f"(the first came {facts.ago(release.first_seen_at)}). Push {wanted}."
    )


def _settled(facts: Facts, version: str, settled: Settled, coming: str | None) -> Told:
    ended = f"{version} ended {settled.phase} {facts.ago(settled.at)} ({settled.reason})"
    if settled.retry_at is not None and coming is None:
        wait = (settled.retry_at - facts.now).total_seconds()
        when = f"in {age(facts.now, settled.retry_at)}" if wait > 0 else "with the next sweep"
        when = "once the hold is lifted" if facts.state.hold else when
        return "RetryAfter", f"{ended}; it is tried again {when} (attempt {settled.attempts + 1}).", settled.retry_at
    if settled.reason == TAG_REFUSED:
        refused = f"the semver tag on {version} was refused {facts.ago(settled.at)} and starts nothing"
        again = f"put another one on it, or `ferryman deploy {facts.env} --release {version} --confirm DEPLOY`"
        return "Settled", f"{refused}; {again}.", None
    return "Settled", f"{ended}: automation won't start it again; {_by_hand(facts, version)} does.", None


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
    elif _kept_back(facts, request.at):
        when = f"it starts once the hold that came later is lifted (`ferryman resume {facts.env}`)"
    elif (waits := wish_kept_back(facts.view, facts.now)) is not None and waits.reason == "Soaking":
        when = f"it starts then: {waits.message}"
    else:
        # A person's wish is stronger than a hold (`decisions.decide`).
        when = "it starts within seconds (at the latest with the next sweep, within 5 minutes)"
    what = f"{request.kind} {request.version}"
    if request.kind == "migrate":
        to = f" to {request.revision}" if request.revision else ""
        what = f"migrate {request.command or 'up'}{to} with the image of {request.version}"
    elif request.kind == "rollback":
        what = f"roll back to {request.version}"
    return [f"{request.who} asked to {what} {facts.ago(request.at)}; {when}."]


def _kept_back(facts: Facts, asked_at: datetime) -> bool:
    hold, request = facts.state.hold, facts.state.requested
    return hold is not None and asked_at < hold.at and request is not None and request.kind != "rollback"
