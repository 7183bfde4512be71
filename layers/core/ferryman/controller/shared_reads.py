"""What several looks of one sweep read alike: listings of repositories, revisions of families, parameters.

Kept in a sandbox for the looks of one sweep. It may be many minutes old where a look comes late, so no deployment is
started on it: `controller.reconcile` looks anew before.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ferryman.clients import ecr as ecr_edge
from ferryman.clients import ecs as ecs_edge
from ferryman.clients.aws_types import ECRClient, ECSClient, SSMClient
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

    def anew(self) -> "SharedReads":
        """Return one that has read nothing."""
        return SharedReads(self.ecr, self.ecs, self.ssm)

    def digest(self, repository: str, tag: str) -> str | None:
        """Return what a tag points at, or None: as the repository was when this sweep first asked."""
        if repository not in self._digests:
            images = ecr_edge.tagged_images(self.ecr, repository)
            self._digests[repository] = {name: image.digest for image in images for name in image.tags}
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
        self._digests: dict[str, dict[str, str]] = {}
        self._addresses: dict[str, str] = {}
        self._revisions: dict[str, str | None] = {}
        self.references = References(self.ssm)
