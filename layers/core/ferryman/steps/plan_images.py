"""Images of a release, as a plan names them: by digest. Called by `steps.begin_deployment`."""

from ferryman.clients import ecr as ecr_edge
from ferryman.clients import image_labels
from ferryman.clients.aws_types import ECRClient, TaskDefinition
from ferryman.errors import DigestMismatch, NotFound
from ferryman.platform import Platform


class Images:
    """Addresses of the release's images; and what they say."""

    def __init__(self, document: Platform, ecr: ECRClient, download: image_labels.Download) -> None:
        self._document = document
        self._ecr = ecr
        self._download = download

    def labels(self, component: str, digest: str, architecture: ecr_edge.Architecture) -> image_labels.ImageLabels:
        """Return what an image says about itself; never raises."""
        return image_labels.of(self._ecr, self._download, self._repository(component), digest, architecture)

    def uri(self, component: str, digest: str) -> str:
        """Return `registry/repository@digest`; raise NotFound when there is no repository."""
        return ecr_edge.image_uri(self._ecr, self._repository(component), digest)

    def child(self, component: str, digest: str, architecture: ecr_edge.Architecture) -> str:
        """Return the child that a task pulls; raise DigestMismatch when the image is gone."""
        try:
            return ecr_edge.platform_digest(self._ecr, self._repository(component), digest, architecture)
        except NotFound as error:
            message = f"the image of {component} is gone: {error}; push it again or deploy another release"
            raise DigestMismatch(message) from error

    def _repository(self, component: str) -> str:
        return self._document.spec.components[component].repository


def architecture(base: TaskDefinition) -> ecr_edge.Architecture:
    """Return the architecture that a described task definition runs on. Pure."""
    return "ARM64" if base.get("runtimePlatform", {}).get("cpuArchitecture") == "ARM64" else "X86_64"
