"""Tags that were pushed and are no releases: which, why, and what to do. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from ferryman.durations import age
from ferryman.platform import Platform, TagKind, classify
from ferryman.platform.tag_report import report, taken_for_a_version
from ferryman.records import IgnoredTag, IgnoredTags, Record, Release, SemverName
from ferryman.suggestions import suggest
from ferryman.text import sentence

_TOLD = 3
"""Tags that sentences name one by one."""


class Ignored(Record):
    """A tag that was pushed and is no release."""

    tag: str
    components: list[str]
    """Whose images carry it, as far as that is kept; none of a semver tag."""
    reason: Literal["NoMatch", "NoVersion", "SemverName"]
    pattern: str
    """The document's `tagPattern`."""
    message: str
    """Why it is no release."""
    next_step: str
    refused: bool = False
    """Of a semver tag: it is not waiting for its release any more."""
    at: AwareDatetime
    """When the latest of its images was pushed."""
    moves: bool = False
    """It goes from image to image, as `main` does. Listed only: nobody waits for it to become a release."""
    artifact: bool = False
    """It names no container image, but a build cache or the like. Listed only."""


def ignored(
    document: Platform, kept: Iterable[IgnoredTags], names: Iterable[SemverName], releases: Sequence[Release]
) -> list[Ignored]:
    """Return the platform's tags that are no releases under the document of today, newest first.

    Left out: other tags of images that are in a release.
    """
    found: dict[str, dict[str, IgnoredTag]] = {}
    for record in kept:
        part = document.spec.components.get(record.component)
        if part is None or part.repository != record.repository:
            continue
        released = {release.digests.get(record.component) for release in releases}
        for item in record.tags:
            if item.digest not in released and classify(item.tag, document).kind is TagKind.OTHER:
                found.setdefault(item.tag, {})[record.component] = item
    tags = [_of_tag(tag, pushed, document) for tag, pushed in found.items()]
    tags += [_of_name(name, document) for name in names if _unbound(name, document)]
    return sorted(tags, key=lambda item: (item.at, item.tag), reverse=True)


def _unbound(name: SemverName, document: Platform) -> bool:
    return name.status != "Bound" and classify(name.name, document).kind is TagKind.SEMVER


def _of_tag(tag: str, pushed: dict[str, IgnoredTag], document: Platform) -> Ignored:
    found = report(tag, document)
    artifact = all(item.artifact for item in pushed.values())
    return Ignored(
        tag=tag,
        components=[name for name in document.spec.components if name in pushed],
        reason="NoVersion" if found.reason == "NoVersion" else "NoMatch",
        pattern=document.spec.tag_pattern,
        message=f"{tag} names no container image, but a build cache or the like" if artifact else found.message,
        next_step="" if artifact else found.next_step,
        at=max(item.at for item in pushed.values()),
        moves=any(item.moves for item in pushed.values()),
        artifact=artifact,
    )


def _of_name(name: SemverName, document: Platform) -> Ignored:
    found = report(name.name, document)
    told = [found.message] if name.status == "Waiting" or taken_for_a_version(name.name, document) else []
    # What it waits for may have changed since that was written down.
    told += [f"{name.name} is refused: {name.message}" if name.status == "Refused" else "it names no release yet"]
    return Ignored(
        tag=name.name,
        components=[],
        reason="SemverName",
        pattern=document.spec.tag_pattern,
        message="; ".join(told),
        next_step=found.next_step,
        refused=name.status == "Refused",
        at=name.first_seen_at,
    )


def sentences(newer: Sequence[Ignored], platform: str, now: datetime) -> list[str]:
    """Say of each ignored tag, the newest ones only, why it is no release and what to do."""
    told = [f"{_who(item)} {_fate(item)} {age(item.at, now)} ago: {in_words(item)}" for item in newer[:_TOLD]]
    left = len(newer) - len(told)
    if left > 0:
        tags = "1 more newer tag is no release" if left == 1 else f"{left} more newer tags are no releases"
        told.append(f"{tags}; to list them, run {suggest('releases', p=platform, ignored=True)}.")
    return told


def _who(item: Ignored) -> str:
    return f"Tag {item.tag}{f' ({", ".join(item.components)})' if item.components else ''}"


def _fate(item: Ignored) -> str:
    return "was pushed" if item.reason == "SemverName" else "was pushed and ignored"


def in_words(item: Ignored) -> str:
    """Return why a tag is no release and what to do."""
    return f"{sentence(item.message)} {item.next_step}".strip()


def headline(newer: Sequence[Ignored]) -> str:
    """Return half a sentence about ignored tags; empty when there are none."""
    if not newer:
        return ""
    return f"tag {newer[0].tag} is no release" if len(newer) == 1 else f"{len(newer)} newer tags are no releases"
