"""What stands in an index: images for platforms, and what is no image (attestations, SOCI indexes, signatures). Pure.

Called by `clients.ecr`. Facts: docs/reference/aws-facts.md#image-tags-and-digests.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
CONFIGURATIONS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
"""Media types of the configuration of a container image."""
_NO_IMAGE_ANNOTATIONS = (
    "vnd.docker.reference.type",
    "com.amazon.soci.image-manifest-digest",
    "dev.cosignproject.cosign/signature",
    "dev.sigstore.cosign/signature",
)
_CPUS = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
ECS_CPUS = ("amd64", "arm64")
"""What ECS has machines for, the more usual one first."""


@dataclass(frozen=True)
class RunsOn:
    """The platform of a task definition's tasks, in OCI's words."""

    os: str | None = "linux"
    """`linux` or `windows`; None when the task definition does not tell (EC2)."""
    cpu: str | None = "amd64"
    """`amd64` or `arm64`; None when the task definition does not tell (EC2): the container instances decide."""
    os_version: str = ""
    """Of Windows, the build that a container has to have, as `10.0.20348`."""

    def __str__(self) -> str:
        """Write it as `linux/amd64`."""
        return f"{self.os or 'any system'}/{self.cpu or 'any processor'}"


FARGATE = RunsOn()
"""What Fargate runs where a task definition says nothing."""
ANYWHERE = RunsOn(None, None)


@dataclass(frozen=True)
class Child:
    """One entry of an index."""

    digest: str
    os: str = ""
    """Empty when the index tells no platform."""
    cpu: str = ""
    os_version: str = ""
    index: bool = False
    """Whether it is an index itself."""

    @property
    def platform(self) -> str:
        """Write its platform as `linux/amd64`."""
        return f"{self.os or 'unknown'}/{self.cpu or 'unknown'}"

    def fits(self, on: RunsOn) -> bool:
        """Whether a task on this platform pulls it."""
        if self.os not in ((on.os,) if on.os else ("linux", "windows")):
            return False
        if self.cpu not in ((on.cpu,) if on.cpu else ECS_CPUS):
            return False
        # A Windows container runs on its own build only; an index without builds leaves it to chance.
        return not (on.os_version and self.os_version) or f"{self.os_version}.".startswith(f"{on.os_version}.")


def children(manifest: Mapping[str, Any]) -> list[Child] | None:
    """Return the entries of an index that may be images, or None when it is no index.

    An entry whose platform is `unknown` runs nowhere: BuildKit's attestations are such.
    """
    listed = manifest.get("manifests")
    if not isinstance(listed, list):
        return None
    return [child for entry in listed if isinstance(entry, dict) and (child := _child(entry)) is not None]


def _child(entry: Mapping[str, Any]) -> Child | None:
    artifact, annotations = entry.get("artifactType"), entry.get("annotations") or {}
    if (artifact and artifact not in CONFIGURATIONS) or any(name in annotations for name in _NO_IMAGE_ANNOTATIONS):
        return None
    said = entry.get("platform")
    platform: Mapping[str, Any] = said if isinstance(said, dict) else {}
    os, cpu = (str(platform.get(name) or "").lower() for name in ("os", "architecture"))
    if "unknown" in (os, cpu):
        return None
    return Child(
        digest=str(entry.get("digest", "")),
        os=os,
        cpu=_CPUS.get(cpu, cpu),
        os_version=str(platform.get("os.version") or ""),
        index=entry.get("mediaType") in INDEXES,
    )


def is_image(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is that of a container image, and not a signature, an SBOM or a SOCI index."""
    configuration = (manifest.get("config") or {}).get("mediaType")
    refers = bool(manifest.get("subject")) or bool(manifest.get("artifactType"))
    return not refers and (configuration is None or configuration in CONFIGURATIONS)


def ambiguous(found: Iterable[Child]) -> list[Child]:
    """Return the entries that only their own manifests tell apart: without a platform, or with the same one."""
    entries = [child for child in found if not child.index]
    platforms = [(child.os, child.cpu, child.os_version) for child in entries]
    return [child for child, on in zip(entries, platforms, strict=True) if not child.os or platforms.count(on) > 1]


def fitting(found: Iterable[Child], on: RunsOn) -> list[Child]:
    """Return the images that a task on this platform may pull, the likeliest first; empty when none fits.

    Known for sure, it is one. Entries without a platform count only where none with one fits.
    """
    images = list(found)
    exact = sorted(
        (child for child in images if child.os and child.fits(on)),
        key=lambda child: (child.os != "linux", ECS_CPUS.index(child.cpu)),
    )
    if exact:
        sure = on.os and on.cpu and (on.os != "windows" or on.os_version)
        return exact[:1] if sure else exact
    return [child for child in images if not child.os]
