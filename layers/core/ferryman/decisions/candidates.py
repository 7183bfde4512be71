"""Which release an environment should get by itself, and what it still waits for. Pure; read by `decisions.decide`.

A push brings the newest complete release; a promotion the newest that `promoteFrom` has verified; a tag the newest that
carries a semver name. Whatever the trigger, `gate` says whether a release may go where releases are promoted to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from ferryman.decisions.snapshot import ImageScan, View
from ferryman.durations import span
from ferryman.platform import Environment
from ferryman.records import EnvironmentState, Phase, Release, ReleaseStatus, Settled, Waiver

SCANNED_AT_ONCE = 3
"""Releases whose scans are read in one look."""

SCAN_AGAIN = timedelta(minutes=1)
"""How soon a scan that has not ended is looked at again."""

TAG_REFUSED = "TagRefused"
"""Reason of a version that is settled because its semver tag was refused: nothing of it ever started."""

Obstacle = Literal["WaitsForSource", "Soaking", "ScanMissing", "ScanPending", "ScanBlocked"]


@dataclass(frozen=True)
class Waits:
    """Why a release may not go yet, and what ends the wait."""

    reason: Obstacle
    message: str
    until: datetime | None = None


class Trigger(NamedTuple):
    """What brings a release here by itself."""

    by: str
    """`push`, `promotion`, or `tag v1.2.3`."""
    tag: str | None
    since: datetime | None
    """When it did: the last image came, the name was bound, the proof was made. None when nobody wrote it down."""


@dataclass(frozen=True)
class Candidate:
    """A release that automation should bring here."""

    release: Release
    by: str
    """What brings it: see `Trigger`."""
    tag: str | None = None
    since: datetime | None = None
    """Since when nothing keeps it back but a gate that opens by itself (a soak)."""
    waits: Waits | None = None


@dataclass(frozen=True)
class Outlook:
    """The newest release that may go now, and the newest that has to wait."""

    ready: Candidate | None = None
    waiting: Candidate | None = None


def outlook(view: View, now: datetime) -> Outlook:
    """Return what should come here by itself.

    An Errored one counts as ready, even before its time has come (see `View.settled`). What runs ends the search, and
    so does a newer one that is done with here: automation never goes back behind it, unless a person has named an older
    release since.
    """
    waiting: Candidate | None = None
    for candidate in _search(view, now):
        if candidate.waits is None:
            return Outlook(candidate, waiting)
        waiting = waiting or candidate
    return Outlook(None, waiting)


def _search(view: View, now: datetime) -> Iterator[Candidate]:
    decided: datetime | None = None
    for release in sorted(view.releases, key=lambda release: release.order, reverse=True):
        found = trigger(view, release)
        if found is None:
            continue
        if runs_or_is_older(view, release):
            return
        done = _done_with(view, release)
        if done is not None:
            decided = max(decided or done, done)
        elif decided is None or (found.tag is not None and found.since is not None and found.since > decided):
            waits = kept_back(view, release, now)
            yield Candidate(release, found.by, found.tag, _since(view.environment, release, found), waits)
        if found.by == "push":
            return


def trigger(view: View, release: Release) -> Trigger | None:
    """Return what brings a release here by itself, or None.

    What was there before we operated the environment brings nothing: neither images, nor names, nor proofs.
    """
    triggers, adopted = view.environment.triggers, view.state.adopted_at
    complete = release.status in (ReleaseStatus.READY, ReleaseStatus.BASELINE)
    if "tag" in triggers and complete and _is_named(view, release):
        return Trigger(f"tag {release.names[-1]}", release.names[-1], release.named_at)
    if release.status is not ReleaseStatus.READY:
        return None
    if "push" in triggers and view.ours(release):
        return Trigger("push", None, release.ready_at)
    proof = release.verified.get(view.environment.promote_from or "")
    if "promotion" in triggers and proof and (adopted is None or proof.at > adopted):
        return Trigger("promotion", None, proof.at)
    return None


def _is_named(view: View, release: Release) -> bool:
    """Tell whether a semver tag has been put on a release that was neither there before us nor refused here."""
    at, adopted = release.named_at, view.state.adopted_at
    if not release.names or (adopted is not None and (at is None or at <= adopted)):
        return False
    refused = view.state.settled.get(release.version)
    return refused is None or refused.reason != TAG_REFUSED or (at is not None and at > refused.at)


def _since(environment: Environment, release: Release, found: Trigger) -> datetime | None:
    """Since when a release could have gone: brought here, complete, verified and soaked."""
    proof = release.verified.get(environment.promote_from or "")
    soaked = proof.at + (environment.soak or timedelta(0)) if proof else None
    return max((at for at in (found.since, release.ready_at, soaked) if at is not None), default=None)


def gate(
    environment: Environment,
    release: Release,
    now: datetime,
    *,
    source: EnvironmentState | None,
    scans: Sequence[ImageScan] | None = None,
    waiver: Waiver | None = None,
    digests: dict[str, str] | None = None,
) -> Waits | None:
    """Return why a release may not go here yet, or None: verified with these bytes, soaked, scanned.

    `source` is the state of `promoteFrom`, which may have gone back since it verified the release. `scans` is None when
    nobody looked: that counts as missing, where the document wants scans. `digests` are those that a deployment froze.
    """
    name = environment.promote_from
    if name is not None:
        proof, left = release.verified.get(name), _left(release, name, source)
        if proof is None or proof.digests != (release.digests if digests is None else digests):
            return Waits("WaitsForSource", f"{release.version} is not verified in {name} yet")
        if left is not None:
            ended = f"it ended {left.phase} there ({left.reason})"
            return Waits("WaitsForSource", f"{release.version} is no longer verified in {name}: {ended}")
        soaked = proof.at + environment.soak if environment.soak else proof.at
        if soaked > now:
            wait = span((soaked - now).total_seconds())
            return Waits("Soaking", f"{release.version} soaks in {name} for another {wait}", soaked)
    if environment.scan is None or (waiver is not None and waiver.until > now):
        return None
    return _scanned(environment.scan.block, release, scans, now)


def kept_back(view: View, release: Release, now: datetime) -> Waits | None:
    """Return what the gate says of a release, as far as the view knows."""
    scans, waiver = view.scans.get(release.version), view.state.waivers.get(release.version)
    return gate(view.environment, release, now, source=view.source, scans=scans, waiver=waiver)


def wish_kept_back(view: View, now: datetime) -> Waits | None:
    """Return what keeps back the release that a person asked for; only a deploy or a retry is a promotion."""
    wish = view.state.requested
    release = view.release(wish.version) if wish is not None and wish.kind in ("deploy", "retry") else None
    return kept_back(view, release, now) if release is not None else None


def _left(release: Release, name: str, source: EnvironmentState | None) -> Settled | None:
    """Return how `promoteFrom` ended a release after all: as a failure, after its proof if there is one."""
    proof, settled = release.verified.get(name), source.settled.get(release.version) if source else None
    if settled is None or settled.phase is Phase.ERRORED or (proof is not None and settled.at <= proof.at):
        return None
    return settled


def to_scan(view: View, now: datetime) -> list[Release]:
    """Return the releases whose scans decide what comes next: those that would be ready with a clean scan."""
    if view.environment.scan is None:
        return []
    found = [item.release for item in _search(view, now) if item.waits and item.waits.reason == "ScanMissing"]
    wish = view.state.requested
    asked = view.release(wish.version) if wish is not None and wish.kind in ("deploy", "retry") else None
    first = [release for release in (asked, view.errored()) if release is not None and _unscanned(view, release, now)]
    found = list({release.version: release for release in (*first, *found)}.values())
    return found[:SCANNED_AT_ONCE]


def _unscanned(view: View, release: Release, now: datetime) -> bool:
    waits = kept_back(view, release, now)
    return waits is not None and waits.reason == "ScanMissing"


def _scanned(block: Sequence[str], release: Release, scans: Sequence[ImageScan] | None, now: datetime) -> Waits | None:
    """Say what image scans have against a release: the gravest thing, about every component that has it."""
    known = {scan.component: scan for scan in scans or ()}
    found: dict[Obstacle, list[str]] = {"ScanBlocked": [], "ScanMissing": [], "ScanPending": []}
    for component in sorted(release.components):
        obstacle = _obstacle(block, component, known.get(component))
        if obstacle is not None:
            found[obstacle[0]].append(obstacle[1])
    waive = f"`ferryman waive ENV --release {release.version} --reason …`"
    next_steps = {"ScanBlocked": f"fix it and push, or {waive}", "ScanMissing": f"scan it, or {waive}"}
    for reason, told in found.items():
        if told:
            next_step = next_steps.get(reason, "it is looked at again in a minute")
            until = now + SCAN_AGAIN if reason == "ScanPending" else None
            return Waits(reason, f"{release.version}: {', '.join(told)}; {next_step}", until)
    return None


def _obstacle(block: Sequence[str], component: str, scan: ImageScan | None) -> tuple[Obstacle, str] | None:
    if scan is None or scan.status in ("Missing", "Failed"):
        said = f" ({scan.message})" if scan and scan.message else ""
        return "ScanMissing", f"no scan tells about {component}{said}"
    if scan.status == "Pending":
        return "ScanPending", f"the scan of {component} has not ended yet"
    if scan.status == "Unread":
        return "ScanPending", f"the scan of {component} could not be read ({scan.message})"
    hits = [f"{scan.findings[severity]} {severity}" for severity in block if scan.findings.get(severity)]
    return ("ScanBlocked", f"{component} has {' and '.join(hits)} findings") if hits else None


def runs_or_is_older(view: View, release: Release) -> bool:
    if view.state.current is not None and release.version == view.state.current.version:
        return True
    return view.current is not None and release.order <= view.current.order


def _done_with(view: View, release: Release) -> datetime | None:
    """Return when it was decided that automation does not start a newer release (again); None when it may."""
    proof, settled = release.verified.get(view.name), view.settled(release)
    if proof is not None:
        # A verified one that no longer runs was left by a person: only a person goes back to it.
        return max(proof.at, view.state.current.at) if view.state.current else proof.at
    if settled is None or settled.retry_at is not None or settled.reason == TAG_REFUSED:
        return None
    return settled.at


def overtaken(view: View, by: Release) -> tuple[Release, ...]:
    """Return the releases older than `by` that would have come here by themselves, and nothing ever happened to."""
    decided = {deployment.version for deployment in view.deployments} | set(view.state.settled) | {by.version}
    if view.state.current and view.state.current.version:
        decided.add(view.state.current.version)
    # Before the oldest claim that was read, everything was decided when its time came. (Not so before a record of what
    # was skipped: of many, some are written at a time.)
    claims = [item.created_at for item in view.deployments if item.phase is not Phase.SUPERSEDED or item.plan]
    horizon = min(claims or [item.created_at for item in view.deployments], default=None)
    horizon = None if view.complete_history else horizon
    found = []
    for release in view.releases:
        brought = trigger(view, release)
        if brought is None or release.order >= by.order or release.version in decided or view.name in release.verified:
            continue
        if horizon is None or brought.since is None or brought.since > horizon:
            found.append(release)
    return tuple(found)


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
        brought = trigger(view, release)
        settled = _left(release, environment.promote_from, source)
        if brought is None or brought.tag is None or (settled is None and environment.promote_from in release.verified):
            continue
        if runs_or_is_older(view, release) or _done_with(view, release) is not None:
            continue
        if view.state.active is not None and view.state.active.version == release.version:
            continue  # It is on its way; the last gate refuses it.
        if settled is not None:
            return Hopeless(release, f"it ended {settled.phase} in {environment.promote_from} ({settled.reason})")
        if release.named_at is not None and release.named_at + environment.tag_wait <= now:
            waited = span(environment.tag_wait.total_seconds())
            return Hopeless(release, f"{environment.promote_from} has not verified it within {waited}")
    return None
