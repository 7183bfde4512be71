"""Explain why a newer or requested release does not run yet. Pure.

`decisions.why_not` returns the reason; this module words it.
"""

from datetime import datetime

from pydantic import Field

from ferryman.decisions import same_images
from ferryman.decisions.candidates import TAG_REFUSED
from ferryman.decisions.explain.inputs import Facts
from ferryman.decisions.promotion_gate import wish_kept_back
from ferryman.decisions.why_not import Reason, WhyNot, why_not
from ferryman.durations import age
from ferryman.records import Record, Release, ReleaseStatus
from ferryman.suggestions import suggest
from ferryman.text import person

_FOLDED = ("NoTrigger", "WaitsForTag", "WaitsForSource")
"""Reasons that many releases share: only the newest one is listed, with the count of the others."""


class Newer(Record):
    """A release that is newer than what runs, or that a person requested, and why it does not run."""

    version: str
    status: ReleaseStatus
    reason: Reason
    message: str
    missing: list[str] = Field(default_factory=list)
    """Components without an image."""
    names: list[str] = Field(default_factory=list)
    """Semver tags that name it."""
    same_as: str | None = None
    """The release that has the same images, with the reason SameImages."""
    until: datetime | None = None
    """When the wait ends, where that is known."""
    like_it: int = 0
    """How many older releases wait for the same."""


def newer(facts: Facts) -> list[Newer]:
    """Return every release that could run and does not, newest first, each with the reason in words.

    Of releases that share a reason in `_FOLDED`, only the newest is included.
    """
    found: list[Newer] = []
    for why in why_not(facts.view, facts.now):
        first = next((item for item in found if why.reason in _FOLDED and item.reason == why.reason), None)
        if first is None:
            found.append(worded(facts, why))
        else:
            found[found.index(first)] = first.but(like_it=first.like_it + 1)
    return found


def worded(facts: Facts, why: WhyNot) -> Newer:
    """Put into words why one release does not run."""
    release = why.release
    missing = [name for name in facts.document.spec.components if name not in release.components]
    return Newer(
        version=release.version,
        status=release.status,
        reason=why.reason,
        message=_message(facts, why),
        missing=missing if why.reason == "Assembling" else [],
        names=release.names,
        same_as=why.twin.release.version if why.twin else None,
        until=why.until,
    )


def _message(facts: Facts, why: WhyNot) -> str:  # noqa: C901 - one arm per reason
    version = why.release.version
    match why.reason:
        case "AwaitingApproval":
            return f"{version} is waiting for approval."
        case "Deploying":
            return f"{version} is being deployed."
        case "Requested":
            return asked(facts)[0]
        case "Assembling":
            return _assembling(facts, why.release)
        case "RetryAfter" | "Settled":
            return _settled(facts, why)
        case "SameImages":
            assert why.twin is not None
            return f"{same_images.words(facts.view, why.release, why.twin)}."
        case "Superseded":
            return f"{version} is superseded by {why.successor}, which is newer."
        case "WaitsForTag" | "NoTrigger":
            return _untriggered(facts, why)
        case "WaitsForSource":
            return _for_source(facts, why)
        case "Soaking" | "ScanMissing" | "ScanPending" | "ScanBlocked" | "ScanDenied":
            if why.waits is None:
                return f"{_tagged(why)} is waiting for its image scans to be checked."
            return f"{why.waits.message.rstrip('.')}."
        case "Held":
            return f"{_named(why)} is ready and starts when the hold is lifted."
        case "Frozen":
            until = why.freeze.message if why.freeze else "frozen"
            return f"{_named(why)} is ready, but {facts.env} is {until}."
        case "Next":
            return _next(facts, why)


def _named(why: WhyNot) -> str:
    name = why.trigger.tag if why.trigger else None
    return f"{why.release.version} (tagged {name})" if name else why.release.version


def _tagged(why: WhyNot) -> str:
    name = why.trigger.tag if why.trigger else None
    return f"{name} ({why.release.version})" if name else why.release.version


def _next(facts: Facts, why: WhyNot) -> str:
    version, active = _named(why), facts.state.active
    if why.replaces and active is not None:
        return f"{version} is ready and about to replace {active.version}, which has not been approved."
    if active is not None:
        how = "been decided" if facts.awaited is not None else "ended"
        return f"{version} is ready and starts next, once deployment {active.deployment} has {how}."
    return f"{version} is ready and about to start (at the latest with the next sweep, within 5 minutes)."


def _untriggered(facts: Facts, why: WhyNot) -> str:
    """Say how to deploy a release that nothing starts automatically."""
    version, environment = why.release.version, facts.environment
    command = suggest("deploy", facts.env, p=facts.state.platform, release=version, confirm="DEPLOY")
    proven = f"is verified in {environment.promote_from}" if environment.promote_from else "is ready"
    if why.reason == "WaitsForTag":
        return f"{version} {proven}. To deploy it, put a semver tag such as v1.2.3 on all its images, or run {command}."
    manual = f". To deploy it, run {command}" if "manual" in environment.triggers else ""
    triggers = ", ".join(f"`{trigger}`" for trigger in environment.triggers)
    return f"{version} {proven}, but nothing starts it automatically in {facts.env} (triggers: {triggers}){manual}."


def _for_source(facts: Facts, why: WhyNot) -> str:
    source, left = facts.environment.promote_from, why.waits.left if why.waits else None
    if left is not None:
        return f"{_tagged(why)} cannot be deployed here: it ended {left.phase} in {source} ({left.reason})."
    named, tail = why.release.named_at, ""
    if why.until is not None and named is not None:
        tail = f" and then starts automatically; the tag is refused after {age(named, why.until)}"
    return f"{_tagged(why)} is waiting for {source} to verify it{tail}."


def _assembling(facts: Facts, release: Release) -> str:
    components = facts.document.spec.components
    missing = [name for name in components if name not in release.components]
    have = len(components) - len(missing)
    tag = next((image.tag for image in release.components.values()), release.version)
    wanted = ", ".join(f"{components[name].repository}:{tag}" for name in missing)
    return (
        f"{release.version} is waiting for images: {have} of {len(components)} pushed, missing {', '.join(missing)} "
        f"(the first was pushed {facts.ago(release.first_seen_at)}). Push {wanted}."
    )


def _settled(facts: Facts, why: WhyNot) -> str:
    version, settled = why.release.version, why.settled
    if settled is None:
        return f"{version} ran here before and was rolled back. To deploy it again, run {_by_hand(facts, version)}."
    ended = f"{version} ended {settled.phase} {facts.ago(settled.at)} ({settled.reason})"
    if why.reason == "RetryAfter" and why.until is not None:
        wait = (why.until - facts.now).total_seconds()
        when = f"in {age(facts.now, why.until)}" if wait > 0 else "with the next sweep"
        when = "once the hold is lifted" if facts.state.hold else when
        return f"{ended}; it will be retried {when} (attempt {settled.attempts + 1})."
    if settled.reason == TAG_REFUSED:
        refused = f"the semver tag on {version} was refused {facts.ago(settled.at)} and starts nothing"
        again = (
            "add another tag, or run "
            f"{suggest('deploy', facts.env, p=facts.state.platform, release=version, confirm='DEPLOY')}"
        )
        return f"{refused}; {again}."
    return f"{ended}. Automation will not start it again; to retry it, run {_by_hand(facts, version)}."


def _by_hand(facts: Facts, version: str) -> str:
    return suggest("retry", facts.env, p=facts.state.platform, release=version)


def asked(facts: Facts) -> list[str]:
    """Say what a person requested and when it starts."""
    request = facts.state.requested
    if request is None:
        return []
    if facts.state.active is not None:
        when = f"it starts once deployment {facts.state.active.deployment} has ended"
    elif _kept_back(facts, request.at):
        when = f"it starts once the later hold is lifted ({suggest('resume', facts.env, p=facts.state.platform)})"
    elif (waits := wish_kept_back(facts.view, facts.now)) is not None and waits.reason == "Soaking":
        when = f"it starts after that: {waits.message}"
    else:
        # A person's request overrides a hold (`decisions.decide`).
        when = "it starts within seconds (at the latest with the next sweep, within 5 minutes)"
    what = f"{request.kind} {request.version}"
    if request.kind == "migrate":
        to = f" to {request.revision}" if request.revision else ""
        which = f"{request.migration} " if request.migration else ""
        what = f"migrate {which}{request.command or 'up'}{to} with the image of {request.version}"
    elif request.kind == "rollback":
        what = f"roll back to {request.version}"
    return [f"{person(request.who)} asked to {what} {facts.ago(request.at)}; {when}."]


def _kept_back(facts: Facts, asked_at: datetime) -> bool:
    hold, request = facts.state.hold, facts.state.requested
    return hold is not None and asked_at < hold.at and request is not None and request.kind != "rollback"
