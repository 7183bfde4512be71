"""The releases that matter to one environment now, whatever the platform's history. Called by `controller.observe`.

What is decided from them is what would be decided from all releases (docs/reference/records.md#lists-of-releases).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ferryman.decisions import candidates
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import Listed, Release
from ferryman.store import pointers
from ferryman.store.table import Store

SETTLED_AFTER = timedelta(hours=1)
"""How long the lists must have been complete before they are relied on.

An update of the operator, and a Lambda of the version before that is still at work, end long before that.
"""
MOST = 100
"""With more releases than this, all are read: one by one each costs a whole read unit, together a sixth of one."""


def with_releases(seen: Snapshot, store: Store, now: datetime) -> Snapshot:
    """Return a snapshot with the releases that matter; with all of them where the lists can't be relied on."""
    found = _relevant(seen, store, now)
    if found is not None:
        return found
    releases = tuple(store.releases(seen.platform))
    return replace(seen, releases=releases, all_listed=all(map(pointers.is_listed, releases)))


def _relevant(seen: Snapshot, store: Store, now: datetime) -> Snapshot | None:
    state = seen.state
    until = _usable(state.listed, seen.generation, now)
    if until is None or state.current is None or state.current.version is None:
        return None
    latest = seen.latest
    subjects = (state.current, state.requested, state.active, latest)
    read: dict[str, Release] = {}
    _read(store, seen.platform, (one.version for one in subjects if one is not None and one.version), read)
    current = read.get(state.current.version)
    if current is None or not current.components or not current.complete:
        return None
    newer = store.pointed(seen.platform, "ORDER", after=f"{pointers.place(current)}#{current.version}", limit=MOST + 1)
    changed = store.pointed(seen.platform, "CHANGED", after=pointers.moment(until), limit=MOST + 1)
    if len(newer) > MOST or len(changed) > MOST:
        return None
    _read(store, seen.platform, (*newer, *changed), read)
    seen = replace(seen, releases=_sorted(read), all_listed=None)
    twins = [
        version
        for images in _to_compare(seen)
        for version in store.pointed(seen.platform, "IMAGES", prefix=images)
    ]  # fmt: skip
    _read(store, seen.platform, twins, read)
    return replace(seen, releases=_sorted(read))


def _usable(listed: Listed | None, generation: int, now: datetime) -> datetime | None:
    if listed is None or listed.generation != generation or now - listed.since < SETTLED_AFTER:
        return None
    return listed.decided_until


def _to_compare(seen: Snapshot) -> list[str]:
    """Return the images of which other releases matter, too: those newer than what runs, if one of these may start.

    Whether a release is the newest depends on whether those before it had images of their own.
    """
    newer = [release for release in seen.releases if not candidates.runs_or_is_older(seen, release)]
    if not any(seen.settled(release) or candidates.trigger(seen, release) is not None for release in newer):
        return []
    return sorted({pointers.images(release) for release in newer if release.complete})


def _read(store: Store, platform: str, versions: Iterable[str], into: dict[str, Release]) -> None:
    missing = list(dict.fromkeys(version for version in versions if version not in into))
    into.update((release.version, release) for release in store.releases_named(platform, missing))


def _sorted(found: dict[str, Release]) -> tuple[Release, ...]:
    return tuple(sorted(found.values(), key=lambda release: release.order))
