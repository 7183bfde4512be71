"""Which release an environment should get by itself, and what it still waits for. Pure; read by `ferryman.decide`.

A push brings the newest complete release; a promotion the newest that `promoteFrom` has verified; a tag the newest that
carries a semver name. Whatever the trigger, `gate` says whether a release may go where releases are promoted to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.ages import span
from ferryman.platform import Environment
from ferryman.records import Phase, Release, ReleaseStatus, Waiver
from ferryman.view import ImageScan, View

SCANNED_AT_ONCE = 3
"""Releases whose scans are read in one look."""

Obstacle = Literal["WaitsForSource", "Soaking", "ScanMissing", "ScanPending", "ScanBlocked"]


@dataclass(frozen=True)
class Waits:
    """Why a release may not go yet, and what ends the wait."""

    reason: Obstacle
    message: str
    until: datetime | None = None


@dataclass(frozen=True)
class Candidate:
    """A release that automation should bring here."""

    release: Release
    by: str
    """What brings it: `push`, `promotion`, or `tag v1.2.3`."""
    tag: str | None = None
    waits: Waits | None = None


@dataclass(frozen=True)
class Outlook:
    """The newest release that may go now, and the newest that has to wait."""

    ready: Candidate | None = None
    waiting: Candidate | None = None


def outlook(view: View, now: datetime) -> Outlook:
    """Return what should come here by itself.

    An Errored one counts as ready, even before its time has come (see `View.settled`). A release that is settled, was
    verified here or runs ends the search: automation never goes back behind it.
    """
    waiting: Candidate | None = None
    for candidate in _search(view, now):
        if candidate.waits is None:
            return Outlook(candidate, waiting)
        waiting = waiting or candidate
    return Outlook(None, waiting)


def _search(view: View, now: datetime) -> Iterator[Candidate]:
    for release in sorted(view.releases, key=lambda release: release.order, reverse=True):
        found = trigger(view, release)
        if found is None:
            continue
        if _done_with(view, release):
            return
        scans, waiver = view.scans.get(release.version), view.state.waivers.get(release.version)
        yield Candidate(release, *found, gate(view.environment, release, now, scans=scans, waiver=waiver))
        if found[0] == "push":
            return


def trigger(view: View, release: Release) -> tuple[str, str | None] | None:
    """Return what brings a release here by itself (`by` and `tag` of a candidate), or None."""
    triggers = view.environment.triggers
    adopted = view.state.adopted_at
    fresh = adopted is None or release.named_at is None or release.named_at > adopted
    complete = release.status in (ReleaseStatus.READY, ReleaseStatus.BASELINE)
    if "tag" in triggers and release.names and complete and fresh:
        return f"tag {release.names[-1]}", release.names[-1]
    if release.status is not ReleaseStatus.READY:
        return None
    if "push" in triggers and view.ours(release):
        return "push", None
    proof = release.verified.get(view.environment.promote_from or "")
    if "promotion" in triggers and proof and (adopted is None or proof.at > adopted):
        return "promotion", None
    return None


def gate(
    environment: Environment,
    release: Release,
    now: datetime,
    *,
    scans: Sequence[ImageScan] | None = None,
    waiver: Waiver | None = None,
) -> Waits | None:
    """Return why a release may not go here yet, or None: verified with these bytes, soaked, scanned.

    `scans` is None when nobody looked: that counts as missing, where the document wants scans.
    """
    source = environment.promote_from
    if source is not None:
        proof = release.verified.get(source)
        if proof is None or proof.digests != release.digests:
            return Waits("WaitsForSource", f"{release.version} is not verified in {source} yet")
        soaked = proof.at + environment.soak if environment.soak else proof.at
        if soaked > now:
            left = span((soaked - now).total_seconds())
            return Waits("Soaking", f"{release.version} soaks in {source} for another {left}", soaked)
    if environment.scan is None or (waiver is not None and waiver.until > now):
        return None
    return next(_obstacles(environment.scan.block, release, scans), None)


def to_scan(view: View, now: datetime) -> list[Release]:
    """Return the releases whose scans decide what comes next: those that would be ready with a clean scan."""
    if view.environment.scan is None:
        return []
    found = [item.release for item in _search(view, now) if item.waits and item.waits.reason == "ScanMissing"]
    return found[:SCANNED_AT_ONCE]


def _obstacles(block: Sequence[str], release: Release, scans: Sequence[ImageScan] | None) -> Iterator[Waits]:
    hint = f"scan it, or `ferryman waive ENV --release {release.version} --reason …`"
    known = {scan.component: scan for scan in scans or ()}
    for component in sorted(release.components):
        scan = known.get(component)
        if scan is None or scan.status in ("Missing", "Failed"):
            said = f": {scan.message}" if scan and scan.message else ""
            yield Waits("ScanMissing", f"no scan tells about {component} of {release.version}{said}; {hint}")
        elif scan.status == "Pending":
            yield Waits("ScanPending", f"the scan of {component} of {release.version} has not ended yet")
        else:
            found = [f"{scan.findings[severity]} {severity}" for severity in block if scan.findings.get(severity)]
            if found:
                told = f"{component} of {release.version} has {', '.join(found)} findings; fix them and push, or "
                yield Waits("ScanBlocked", f"{told}`ferryman waive ENV --release {release.version} --reason …`")


def _done_with(view: View, release: Release) -> bool:
    if view.name in release.verified:
        # A verified one that no longer runs was left by a person: only a person goes back to it.
        return True
    if view.state.current is not None and release.version == view.state.current.version:
        return True
    if view.current is not None and release.order <= view.current.order:
        return True
    settled = view.settled(release)
    return settled is not None and settled.retry_at is None


def overtaken(view: View, by: Release) -> tuple[Release, ...]:
    """Return the releases older than `by` that would have come here by themselves, and nothing ever happened to."""
    decided = {deployment.version for deployment in view.deployments} | set(view.state.settled) | {by.version}
    if view.state.current and view.state.current.version:
        decided.add(view.state.current.version)
    # Beyond the horizon of the history that was read, everything was decided when its time came.
    horizon = view.deployments[-1].created_at if view.deployments and not view.complete_history else None
    return tuple(
        release
        for release in view.releases
        if release.order < by.order
        and release.version not in decided
        and view.name not in release.verified
        and trigger(view, release) is not None
        and not (horizon and release.ready_at and release.ready_at <= horizon)
    )


@dataclass(frozen=True)
class Hopeless:
    """A semver tag that will not start anything any more."""

    release: Release
    why: str


def hopeless(view: View, now: datetime) -> Hopeless | None:
    """Return a release whose semver tag has to be refused: `promoteFrom` failed it, or it waited too long."""
    source, environment = view.source, view.environment
    if environment.promote_from is None or "tag" not in environment.triggers:
        return None
    for release in view.releases:
        if not trigger(view, release) or not release.names or _done_with(view, release):
            continue
        if environment.promote_from in release.verified:
            continue
        settled = source.settled.get(release.version) if source else None
        if settled is not None and settled.phase is not Phase.ERRORED:
            return Hopeless(release, f"{environment.promote_from} settled it as {settled.phase} ({settled.reason})")
        if release.named_at is not None and release.named_at + environment.tag_wait <= now:
            waited = span(environment.tag_wait.total_seconds())
            return Hopeless(release, f"{environment.promote_from} has not verified it within {waited}")
    return None
