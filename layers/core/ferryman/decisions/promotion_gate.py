"""Whether a release may be promoted into an environment now: verified in its source, soaked, scanned. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.decisions.snapshot import ImageScan, Snapshot
from ferryman.durations import span
from ferryman.platform import Environment
from ferryman.records import EnvironmentState, Phase, Release, Settled, Waiver
from ferryman.suggestions import suggest

Obstacle = Literal["WaitsForSource", "Soaking", "ScanMissing", "ScanPending", "ScanBlocked", "ScanDenied"]
SCANS: tuple[Obstacle, ...] = ("ScanMissing", "ScanPending", "ScanBlocked", "ScanDenied")
"""The obstacles that are about image scans."""


@dataclass(frozen=True)
class Waits:
    """Why a release may not go yet, and what ends the wait."""

    reason: Obstacle
    message: str
    until: datetime | None = None
    left: Settled | None = None
    """How the source environment ended the release, if it failed there."""


def gate(
    env: str,
    environment: Environment,
    release: Release,
    now: datetime,
    *,
    source: EnvironmentState | None,
    scans: Sequence[ImageScan] | None = None,
    waiver: Waiver | None = None,
    digests: dict[str, str] | None = None,
) -> Waits | None:
    """Return why a release may not be deployed here yet, or None: verified with these digests, soaked, scanned.

    `env` is the environment's name. `source` is the state of `promoteFrom`, which may have been rolled back since it
    verified the release. `scans` is None when scans were not read; if the document requires scans, they count as
    missing. `digests` are those of a deployment, if there is one.
    """
    name = environment.promote_from
    if name is not None:
        proof, left = release.verified.get(name), _left(release, name, source)
        if proof is None or proof.digests != (release.digests if digests is None else digests):
            return Waits("WaitsForSource", f"{release.version} is not verified in {name} yet", left=left)
        if left is not None:
            ended = f"it ended {left.phase} there ({left.reason})"
            return Waits("WaitsForSource", f"{release.version} is no longer verified in {name}: {ended}", left=left)
        soaked = proof.at + environment.soak if environment.soak else proof.at
        if soaked > now:
            wait = span((soaked - now).total_seconds())
            return Waits("Soaking", f"{release.version} must soak in {name} for another {wait}", soaked)
    if environment.scan is None or (waiver is not None and waiver.until > now):
        return None
    return _scanned(env, environment.scan.block, release, scans)


def kept_back(view: Snapshot, release: Release, now: datetime) -> Waits | None:
    """Return why the gate keeps a release back, as far as the snapshot shows."""
    scans, waiver = view.scans.get(release.version), view.state.waivers.get(release.version)
    return gate(view.name, view.environment, release, now, source=view.source, scans=scans, waiver=waiver)


def wish_kept_back(view: Snapshot, now: datetime) -> Waits | None:
    """Return why the gate keeps a person's request back; only a deploy or a retry is a promotion."""
    wish = view.state.requested
    release = view.release(wish.version) if wish is not None and wish.kind in ("deploy", "retry") else None
    return kept_back(view, release, now) if release is not None else None


def _left(release: Release, name: str, source: EnvironmentState | None) -> Settled | None:
    """Return how a release failed in `promoteFrom`, if it failed after its last proof (or has none)."""
    proof, settled = release.verified.get(name), source.settled.get(release.version) if source else None
    if settled is None or settled.phase is Phase.ERRORED or (proof is not None and settled.at <= proof.at):
        return None
    return settled


def _scanned(env: str, block: Sequence[str], release: Release, scans: Sequence[ImageScan] | None) -> Waits | None:
    """Return the most serious obstacle from image scans, with every component that has it."""
    known = {scan.component: scan for scan in scans or ()}
    found: dict[Obstacle, list[str]] = {"ScanBlocked": [], "ScanDenied": [], "ScanMissing": [], "ScanPending": []}
    for component in sorted(release.components):
        obstacle = _obstacle(block, component, known.get(component))
        if obstacle is not None:
            found[obstacle[0]].append(obstacle[1])
    waive = suggest("waive", env, p=release.platform, release=release.version, reason="REASON")
    next_steps = {
        "ScanBlocked": f"fix it and push, or {waive}",
        "ScanMissing": f"scan the image, or {waive}",
        "ScanDenied": f"grant it by deploying the operator again, or {waive}",
    }
    for reason, told in found.items():
        if told:
            next_step = next_steps.get(reason, "it is checked again when the scan ends, and by each sweep")
            return Waits(reason, f"{release.version}: {', '.join(told)}; {next_step}")
    return None


def _obstacle(block: Sequence[str], component: str, scan: ImageScan | None) -> tuple[Obstacle, str] | None:
    if scan is None or scan.status in ("Missing", "Failed"):
        said = f" ({scan.message})" if scan and scan.message else ""
        return "ScanMissing", f"{component} has no scan results{said}"
    if scan.status == "Pending":
        return "ScanPending", f"the scan of {component} has not finished"
    if scan.status == "Denied":
        return "ScanDenied", f"the scan of {component} can't be read ({scan.message})"
    if scan.status == "Unread":
        return "ScanPending", f"the scan of {component} could not be read ({scan.message})"
    hits = [f"{scan.findings[severity]} {severity}" for severity in block if scan.findings.get(severity)]
    return ("ScanBlocked", f"{component} has {' and '.join(hits)} findings") if hits else None
