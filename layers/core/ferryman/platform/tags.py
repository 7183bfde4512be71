"""The kinds of image tags on a platform. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from ferryman.platform import tag_patterns
from ferryman.platform.document import Platform
from ferryman.platform.values import SEMVER


class TagKind(StrEnum):
    """The kinds of tags that a push can have."""

    VERSION = "version"  # names a release
    SEMVER = "semver"  # second name of a release
    MOVING = "moving"  # follows what runs; never starts anything
    OTHER = "other"  # ignored and counted


@dataclass(frozen=True)
class Tag:
    """A classified tag."""

    kind: TagKind
    version: str | None = None
    seq: int | None = None


def classify(tag: str, platform: Platform) -> Tag:
    """Return the kind of a tag. Moving tags are checked first, so that none is mistaken for a release."""
    if tag in moving_tags(platform):
        return Tag(TagKind.MOVING)
    if SEMVER.fullmatch(tag):
        return Tag(TagKind.SEMVER)
    groups = tag_patterns.full_match(platform.spec.tag_pattern, tag)
    if groups is None:
        return Tag(TagKind.OTHER)
    version = groups["version"]
    if not version:
        # The group is optional in this pattern, and the tag has no version.
        return Tag(TagKind.OTHER)
    seq = groups.get("seq")
    whole = seq is not None and seq.isascii() and seq.isdigit() and len(seq) <= 18
    return Tag(TagKind.VERSION, version=version, seq=int(seq) if seq is not None and whole else None)


def moving_tags(platform: Platform) -> set[str]:
    """Return all moving tags: the document's `movingTags`, `<env>-current` and `<env>-previous`."""
    tags: set[str] = set()
    for name, environment in platform.spec.environments.items():
        tags.update(environment.moving_tags)
        tags.update({current_tag(name), previous_tag(name)})
    return tags


def current_tag(environment: str) -> str:
    """The tag that protects what runs in an environment from lifecycle rules."""
    return f"{environment}-current"


def previous_tag(environment: str) -> str:
    """The tag that protects the target of a rollback from lifecycle rules."""
    return f"{environment}-previous"
