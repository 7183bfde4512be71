"""Tags that were pushed and name no release. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class IgnoredTag(Record):
    """One tag, and the image that carried it when Ferryman looked."""

    tag: str
    digest: str
    at: AwareDatetime
    """When it was pushed; of a push whose event was lost, when its image was pushed."""


class IgnoredTags(Record):
    """The newest ignored tags of one component, newest first. Why one is ignored depends on the document of today."""

    platform: str
    component: str
    repository: str
    """The repository that they are in: tags of another one are forgotten."""
    tags: list[IgnoredTag] = []
    """At most 20, and at most 3 that differ in nothing but numbers and hashes."""
    rev: int = 0
