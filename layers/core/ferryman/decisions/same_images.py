"""Releases under two names: all their images are the same, so automation deploys them once. Pure.

Two version tags on the same images make two releases. `candidates` starts the second one no more than it would start
the first again; a person can. And a new version tag on the images of an old release, with a newer release in between,
makes no newest release: whoever may push could take an environment back with it, as if it were new.
"""

from dataclasses import dataclass
from typing import Literal

from ferryman.decisions.snapshot import Snapshot
from ferryman.records import Phase, Release, Settled
from ferryman.suggestions import suggest

REASON = "SameImages"
"""Reason of a release that does not run because another release has the same images."""
NEVER_TRIED = "TagRefused"
"""Reason of a settled version that was never deployed (`candidates.TAG_REFUSED`)."""


@dataclass(frozen=True)
class Twin:
    """Another release with the same images, and what became of it here."""

    release: Release
    how: Literal["older", "running", "deploying", "retrying", "settled"]
    """`older`: a newer release came in between, so the images are older than the newest ones."""
    settled: Settled | None = None
    """How it ended here, if it is settled."""


def twin_of(view: Snapshot, release: Release) -> Twin | None:
    """Return the other release that decides about this one's images here; None when this one is like any other.

    What was deployed before, and then replaced, decides nothing unless another release came in between.
    """
    state = view.state
    older = older_twin(view, release)
    if older is not None:
        return Twin(older, "older")
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


def older_twin(view: Snapshot, release: Release) -> Release | None:
    """Return the older release whose images this one has, although another was the newest when it came.

    None when it has images of its own, or those of the release before it, as after a change of the documentation. None
    also once a person started it: then it is what they say it is.
    """
    if not any(_same(other, release) and other.order < release.order for other in view.releases):
        return None
    newest: Release | None = None
    older: list[Release] = []
    for other in sorted(view.releases, key=lambda item: item.order):
        first = next((item for item in older if _same(item, other)), None)
        repeats = first is not None and newest is not None and not _same(newest, other)
        if repeats and not _started(view, other):
            if other.version == release.version:
                return first
        elif other.version == release.version:
            return None
        elif other.complete and other.components:
            newest = other
            older.append(other)
    return None


def _started(view: Snapshot, release: Release) -> bool:
    """Tell whether a release that repeats an older one runs, or ran, here or elsewhere: a person wanted it."""
    state = view.state
    tried = (item for item in view.deployments if item.phase is not Phase.SUPERSEDED or item.plan is not None)
    if release.version in {one.version for one in (state.current, state.active, state.requested, *tried) if one}:
        return True
    # A proof may have been copied from a release with the same images, which was running (`NoteSameImages.proof_of`).
    known = {proof.deployment for other in view.releases if _same(other, release) for proof in other.verified.values()}
    since = release.ready_at or release.first_seen_at
    return any(proof.at >= since and proof.deployment not in known for proof in release.verified.values())


def newest_before(view: Snapshot, release: Release) -> Release | None:
    """Return the newest complete release that is older than this one and repeats no other."""
    found = [other for other in view.releases if other.complete and other.order < release.order]
    found = [other for other in found if older_twin(view, other) is None]
    return max(found, key=lambda other: other.order, default=None)


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
    return (
        other.version != release.version
        and other.complete
        and release.complete
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
    if twin.how == "older":
        newest = newest_before(view, release)
        than = f" than {newest.version}" if newest is not None else ""
        deploy = suggest("deploy", env, p=view.platform, release=release.version, confirm="DEPLOY")
        return f"{same}, which is older{than}, so it does not become the newest release; to go back to it, run {deploy}"
    if twin.how == "running":
        return (
            f"{same}, which is running, so nothing is deployed; to deploy it again, run "
            f"{suggest('redeploy', env, p=view.platform)}"
        )
    if twin.how == "deploying":
        return f"{same}, which is being deployed, so it is not deployed after that"
    if twin.how == "retrying":
        return f"{same}, which errored and will be retried"
    ended = f"{twin.settled.phase} ({twin.settled.reason})" if twin.settled else "badly"
    return (
        f"{same}, which ended {ended}, so automation will not start it; to deploy it, run "
        f"{suggest('retry', env, p=view.platform, release=release.version)}"
    )
