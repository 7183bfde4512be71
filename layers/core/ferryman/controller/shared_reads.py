"""What several looks of one sweep read alike: listings of repositories, revisions of families, parameters.

Kept in a sandbox for the looks of one sweep; nothing that starts a deployment is decided on it alone: what a deployment
uses is read again by its own steps.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ferryman.clients import ecr as ecr_edge
from ferryman.clients import ecs as ecs_edge
from ferryman.clients.aws_types import ECRClient, ECSClient, SSMClient
from ferryman.clients.ecr import TaggedImage
from ferryman.clients.ssm import References


@dataclass
class SharedReads:
    """Reads each thing once for each sweep."""

    ecr: ECRClient
    ecs: ECSClient
    ssm: SSMClient
    references: References = field(init=False)
    """Reads each parameter once."""

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self._since = datetime.min.replace(tzinfo=UTC)
        self._forget()

    def begin(self, queued_at: datetime) -> None:
        """Forget what was read for an earlier sweep than the one that began at this time."""
        if queued_at > self._since:
            self._since = queued_at
            self._forget()

    def tagged_images(self, repository: str) -> list[TaggedImage]:
        """Return the tagged images of a repository, as they were when this sweep first asked."""
        if repository not in self._images:
            self.note_images(repository, list(ecr_edge.tagged_images(self.ecr, repository)))
        return self._images[repository]

    def note_images(self, repository: str, images: list[TaggedImage]) -> None:
        """Keep a listing that somebody has just read."""
        self._images[repository] = images
        self._digests[repository] = {tag: image.digest for image in images for tag in image.tags}

    def digest(self, repository: str, tag: str) -> str | None:
        """Return what a tag points at, or None."""
        self.tagged_images(repository)
        return self._digests[repository].get(tag)

    def address(self, repository: str) -> str:
        """Return `registry/repository`; raise NotFound when the repository does not exist."""
        if repository not in self._addresses:
            self._addresses[repository] = ecr_edge.address(self.ecr, repository)
        return self._addresses[repository]

    def latest_revision(self, family: str) -> str | None:
        """Return the ARN of a family's latest active revision, or None when there is none."""
        if family not in self._revisions:
            found = ecs_edge.find_task_definition(self.ecs, family)
            self._revisions[family] = str(found["taskDefinitionArn"]) if found else None
        return self._revisions[family]

    def _forget(self) -> None:
        self._images: dict[str, list[TaggedImage]] = {}
        self._digests: dict[str, dict[str, str]] = {}
        self._addresses: dict[str, str] = {}
        self._revisions: dict[str, str | None] = {}
        self.references = References(self.ssm)
