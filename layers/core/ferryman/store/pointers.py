"""Pointers to releases: written in the transaction that changes a release, read to find a few of many. Pure.

A release that moves leaves its old pointer behind. Nothing is lost by it: its new place is written in the same
transaction, and who follows a pointer reads the release itself. Called by `store.table` and `releases.relevant`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from ferryman.records import Release, ReleasePointer
from ferryman.records.writes import Add, Save, Write

_HASH = 32
"""Digits: 128 bits."""


def of(release: Release) -> tuple[ReleasePointer, ...]:
    """Return the places of a release in the lists of its platform."""
    places = [ReleasePointer(platform=release.platform, kind="ORDER", place=place(release), version=release.version)]
    changed = moment(release.changed_at)
    places.append(ReleasePointer(platform=release.platform, kind="CHANGED", place=changed, version=release.version))
    if release.complete and release.components:
        same = images(release)
        places.append(ReleasePointer(platform=release.platform, kind="IMAGES", place=same, version=release.version))
    return tuple(places)


def place(release: Release) -> str:
    """Return the order of a release as text that sorts as `Release.order` does."""
    seq = str(max(release.seq + 1, 0) if release.seq is not None else 0)
    return f"{len(seq):02d}{seq}#{moment(release.first_seen_at)}#{release.ulid}"


def moment(at: datetime) -> str:
    """Return a time as text that sorts."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def images(release: Release) -> str:
    """Return what releases with the same images have in common."""
    return _hash(part for item in sorted(release.digests.items()) for part in item)


def is_listed(release: Release) -> bool:
    """Tell whether the lists have a release where it stands now."""
    return release.listed == mark(release)


def mark(release: Release) -> str:
    """Return what `Release.listed` is once all its pointers are written."""
    return _hash(part for pointer in of(release) for part in (pointer.kind, pointer.place))


def with_pointers(writes: Iterable[Write]) -> list[Write]:
    """Return writes that bring each release's pointers along, if they are not there already."""
    return [part for write in writes for part in _with_pointers(write)]


def _with_pointers(write: Write) -> list[Write]:
    release = write.record if isinstance(write, Save) else None
    if not isinstance(write, Save) or not isinstance(release, Release):
        return [write]
    if release.rev and is_listed(release):
        return [write]
    return [replace(write, record=release.but(listed=mark(release))), *map(Add, of(release))]


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_HASH]
