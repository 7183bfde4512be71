"""What an image tag means to a platform. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from ferryman.platform.document import Platform
from ferryman.platform.values import SEMVER


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
    """Tell what a tag means; moving tags are recognised first, so that none can pass for a release."""
    if tag in moving_tags(platform):
        return Tag(TagKind.MOVING)
    if SEMVER.fullmatch(tag):
        return Tag(TagKind.SEMVER)
    match = re.fullmatch(platform.spec.tag_pattern, tag)
    if match is None:
        return Tag(TagKind.OTHER)
    groups = match.groupdict()
    if not groups["version"]:
        # The group is optional in this pattern, and the tag has nothing there.
        return Tag(TagKind.OTHER)
    seq = groups.get("seq")
    whole = seq is not None and seq.isascii() and seq.isdigit() and len(seq) <= 18
    return Tag(TagKind.VERSION, version=groups["version"], seq=int(seq) if seq is not None and whole else None)


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
