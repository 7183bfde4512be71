"""What an image tag means to a platform. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from ferryman.platform.document import Platform

_SEMVER = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:[-+][0-9A-Za-z.+-]+)?")


class TagKind(StrEnum):
    """The kinds of tags a push may carry."""

    VERSION = "version"  # names a release
    SEMVER = "semver"  # a second name of a release
    MOVING = "moving"  # derived state, ours or CI's: never a reason to act
    OTHER = "other"  # ignored and counted


@dataclass(frozen=True)
class Tag:
    """A tag, understood."""

    kind: TagKind
    version: str | None = None
    seq: int | None = None


def classify(tag: str, platform: Platform) -> Tag:
    """Tell what a tag means; moving tags are recognised before the version pattern so that none can pass for a release."""
    if tag in moving_tags(platform):
        return Tag(TagKind.MOVING)
    if _SEMVER.fullmatch(tag):
        return Tag(TagKind.SEMVER)
    match = re.fullmatch(platform.spec.tag_pattern, tag)
    if match is None:
        return Tag(TagKind.OTHER)
    groups = match.groupdict()
    seq = groups.get("seq")
    return Tag(TagKind.VERSION, version=groups["version"], seq=int(seq) if seq and seq.isdigit() else None)


def moving_tags(platform: Platform) -> set[str]:
    """Return every tag that moves: the document's own, and `<env>-current` and `<env>-previous`."""
    tags: set[str] = set()
    for name, environment in platform.spec.environments.items():
        tags.update(environment.moving_tags)
        tags.update({current_tag(name), previous_tag(name)})
    return tags


def current_tag(environment: str) -> str:
    """The tag that keeps lifecycle rules away from what runs in an environment."""
    return f"{environment}-current"


def previous_tag(environment: str) -> str:
    """The tag that keeps lifecycle rules away from what a rollback would go to."""
    return f"{environment}-previous"
