"""Tags that were pushed and name no release. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class IgnoredTag(Record):
    """One tag, and the image that carried it when Ferryman looked."""

    tag: str
    digest: str
    at: AwareDatetime
    """When it was pushed; of a push whose event was lost, when its image was pushed."""
    moves: bool = False
    """It was seen on another digest before, as `main` and `latest` are; never of a tag that names a commit."""
    artifact: bool = False
    """What it names is no container image, but a build cache, a chart or the like."""

    @property
    def once(self) -> bool:
        """Whether somebody may have meant this very push as a release."""
        return not (self.moves or self.artifact)


class IgnoredTags(Record):
    """The newest ignored tags of one component, newest first. Why one is ignored depends on the document of today."""

    platform: str
    component: str
    repository: str
    """The repository that they are in: tags of another one are forgotten."""
    tags: list[IgnoredTag] = []
    """At most 20 that were seen once and 20 others, and at most 3 that differ in nothing but numbers and hashes."""
    rev: int = 0
