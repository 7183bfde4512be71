"""Releases under two names: all their images are the same, so automation deploys them once. Pure.

Two version tags on the same images make two releases. `candidates` starts the second one no more than it would start
the first again; a person can.
"""

from dataclasses import dataclass
from typing import Literal

from ferryman.decisions.snapshot import Snapshot
from ferryman.records import Phase, Release, ReleaseStatus, Settled

REASON = "SameImages"
"""Reason of a release that does not run because another release has the same images."""
NEVER_TRIED = "TagRefused"
"""Reason of a settled version that was never deployed (`candidates.TAG_REFUSED`)."""


@dataclass(frozen=True)
class Twin:
    """Another release with the same images, and what became of it here."""

    release: Release
    how: Literal["running", "deploying", "retrying", "settled"]
    settled: Settled | None = None
    """How it ended here, if it is settled."""


def twin_of(view: Snapshot, release: Release) -> Twin | None:
    """Return the other release that decides about this one's images here; None when this one is like any other.

    What was deployed before, and then replaced, decides nothing: a newer release may go back to its images.
    """
    state = view.state
    if _runs_well(view) and view.current is not None and _same(view.current, release):
        return Twin(view.current, "running")
    active = view.release(state.active.version) if state.active else None
    kind = view.deployment.kind if view.deployment else "deploy"
    if active is not None and kind != "migrate" and _same(active, release):
        return Twin(active, "deploying")
    errored = view.errored()
    if errored is not None and _same(errored, release):
        return Twin(errored, "retrying", view.settled(errored))
    return settled_twin(view.releases, state.settled, release)


def settled_twin(releases: tuple[Release, ...], settled: dict[str, Settled], release: Release) -> Twin | None:
    """Return the release with the same images that was settled last, whether it failed or people rejected it."""
    found = [
        Twin(other, "settled", ended)
        for other in releases
        if (ended := settled.get(other.version)) is not None
        and ended.retry_at is None
        and ended.phase is not Phase.ERRORED
        and ended.reason != NEVER_TRIED
        and _same(other, release)
    ]
    return max(found, key=lambda twin: twin.settled.at if twin.settled else twin.release.first_seen_at, default=None)


def _same(other: Release, release: Release) -> bool:
    """Tell whether two releases consist of the same images, of which none is missing."""
    complete = (ReleaseStatus.READY, ReleaseStatus.BASELINE)
    return (
        other.version != release.version
        and other.status in complete
        and release.status in complete
        and bool(release.components)
        and other.digests == release.digests
    )


def _runs_well(view: Snapshot) -> bool:
    """Tell whether the current release was verified here with its images, and no attempt since may have changed it."""
    current, latest = view.current, view.latest
    if current is None or (latest is not None and latest.phase in (Phase.FAILED, Phase.ERRORED, Phase.ABORTED)):
        return False
    proof = current.verified.get(view.name)
    return proof is not None and proof.digests == current.digests


def words(view: Snapshot, release: Release, twin: Twin) -> str:
    """Say why a release does not start, and how a person starts it all the same."""
    env, other = view.name, twin.release.version
    same = f"{release.version} has the same images as {other}"
    if twin.how == "running":
        return f"{same}, which is running, so nothing is deployed; to deploy it again, run `ferryman redeploy {env}`"
    if twin.how == "deploying":
        return f"{same}, which is being deployed, so it is not deployed after that"
    if twin.how == "retrying":
        return f"{same}, which errored and will be retried"
    ended = f"{twin.settled.phase} ({twin.settled.reason})" if twin.settled else "badly"
    return (
        f"{same}, which ended {ended}, so automation will not start it; to deploy it, run "
        f"`ferryman retry {env} --version {release.version}`"
    )
