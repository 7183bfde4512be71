"""Pulls images from the emulator's registry and unpacks them into folders. Used by the process engine.

A digest is unpacked once. Each container gets its own copy, so that no other container sees what it writes.
"""

import contextlib
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class PullError(Exception):
    """The image is not in the registry or cannot be used; the text becomes the task's stoppedReason."""


@dataclass(frozen=True)
class Image:
    """An image on disk. `digest` was requested; `platform_digest` is the manifest that runs, a child of an index."""

    reference: str
    digest: str
    platform_digest: str
    root: Path
    config: dict[str, Any]

    @property
    def id(self) -> str:
        """The id in Docker."""
        return self.platform_digest

    def tag(self, repository: str, **_ignored: Any) -> bool:
        """Docker's re-tag after a pull; does nothing, because names are looked up in the registry each time."""
        return bool(repository)


def split_reference(reference: str) -> tuple[str, str]:
    """Split `host/repository:tag` or `host/repository@digest`; the host is always this emulator."""
    name, at, digest = reference.partition("@")
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        name = rest
    repository, colon, tag = name.rpartition(":")
    if not colon:
        repository, tag = name, "latest"
    return repository, digest if at else tag


class ImageStore:
    """Unpacked images by manifest digest, below one folder."""

    def __init__(self, registry: str, folder: Path, *, architecture: str = "amd64") -> None:
        self._registry = registry
        self._folder = folder
        self._architecture = architecture
        self._lock = threading.Lock()

    def resolve(self, reference: str) -> tuple[str, str, dict[str, Any]]:
        """The requested digest, the digest of the manifest for this platform, and that manifest."""
        repository, selector = split_reference(reference)
        raw, media_type = self._fetch(f"{repository}/manifests/{selector}", reference)
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        document = json.loads(raw)
        if media_type not in INDEX_TYPES and document.get("mediaType") not in INDEX_TYPES:
            return digest, digest, document
        for child in document.get("manifests", []):
            platform = child.get("platform", {})
            if platform.get("os") == "linux" and platform.get("architecture") == self._architecture:
                raw, _ = self._fetch(f"{repository}/manifests/{child['digest']}", reference)
                return digest, child["digest"], json.loads(raw)
        raise PullError(
            f"{reference}: image Manifest does not contain descriptor matching platform 'linux/{self._architecture}'"
        )

    def pull(self, reference: str) -> Image:
        """Return the unpacked image; pull it from the registry unless its layers are on disk."""
        repository, _ = split_reference(reference)
        digest, platform_digest, manifest = self.resolve(reference)
        target = self._folder / platform_digest.replace(":", "-")
        with self._lock:
            if not (target / "config.json").exists():
                self._unpack(repository, reference, manifest, target)
        config = json.loads((target / "config.json").read_text())
        return Image(reference, digest, platform_digest, target / "root", config.get("config") or {})

    def copy(self, image: Image, name: str) -> Path:
        """A private copy of the image's files for one container."""
        target = self._folder / "containers" / name
        shutil.copytree(image.root, target, symlinks=True)
        return target

    def discard(self, copy: Path) -> None:
        """Remove a container's files."""
        shutil.rmtree(copy, ignore_errors=True)

    def _unpack(self, repository: str, reference: str, manifest: dict[str, Any], target: Path) -> None:
        scratch = target.with_name(target.name + ".part")
        shutil.rmtree(scratch, ignore_errors=True)
        root = scratch / "root"
        root.mkdir(parents=True)
        config, _ = self._fetch(f"{repository}/blobs/{manifest['config']['digest']}", reference)
        for layer in manifest.get("layers", []):
            blob, _ = self._fetch(f"{repository}/blobs/{layer['digest']}", reference)
            if "sha256:" + hashlib.sha256(blob).hexdigest() != layer["digest"]:
                raise PullError(f"{reference}: layer {layer['digest']} failed verification")
            data = gzip.decompress(blob) if blob[:2] == b"\x1f\x8b" else blob
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for member in archive:
                    _apply(archive, member, root)
        (scratch / "config.json").write_bytes(config)
        shutil.rmtree(target, ignore_errors=True)
        scratch.replace(target)

    def _fetch(self, path: str, reference: str) -> tuple[bytes, str]:
        accept = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES, "*/*"))
        request = urllib.request.Request(f"{self._registry}/v2/{path}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.read(), response.headers.get("Content-Type", "").split(";")[0]
        except urllib.error.HTTPError as error:
            raise PullError(
                f"pull image manifest has been retried 1 time(s): failed to resolve ref {reference}: "
                f"{reference}: not found ({error.code})"
            ) from None


def _apply(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Unpack one entry; a `.wh.` entry deletes a file of a lower layer."""
    path = Path(member.name)
    if not path.name.startswith(".wh."):
        archive.extract(member, root, filter="data")
        return
    folder = root / path.parent
    if not folder.resolve().is_relative_to(root.resolve()):
        return
    victims = list(folder.iterdir()) if path.name == ".wh..wh..opq" else [folder / path.name.removeprefix(".wh.")]
    for victim in victims:
        with contextlib.suppress(FileNotFoundError):
            if victim.is_dir() and not victim.is_symlink():
                shutil.rmtree(victim)
            else:
                victim.unlink()
