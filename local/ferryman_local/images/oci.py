"""Builds images from folders and pushes them to a registry, without Docker.

Used by the demo, the tests and `ferryman local push`.

The same files, command and environment produce the same bytes and thus the same digest.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import yaml  # type: ignore[import-untyped, unused-ignore]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
BOOTSTRAP = "bootstrap"
"""Tag of the placeholder that a service runs before its first release."""
BOOTSTRAP_APP = Path(__file__).parent / "bootstrap"
BUILT_FOR = ("amd64", "arm64")
"""Pure Python runs on both; an index lists a manifest for each."""


class ImageError(Exception):
    """An image.yaml cannot be built, or a registry rejected a push."""


@dataclass(frozen=True)
class Built:
    """An image in memory, ready to push."""

    layer: bytes
    cmd: tuple[str, ...]
    env: Mapping[str, str]
    workdir: str
    port: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def config(self, architecture: str) -> bytes:
        """The image configuration for one architecture."""
        return _json(
            {
                "architecture": architecture,
                "os": "linux",
                "created": "1970-01-01T00:00:00Z",
                "config": {
                    "Cmd": list(self.cmd),
                    "Env": [f"{key}={value}" for key, value in sorted(self.env.items())],
                    "WorkingDir": self.workdir,
                    **({"ExposedPorts": {f"{self.port}/tcp": {}}} if self.port else {}),
                    **({"Labels": dict(self.labels)} if self.labels else {}),
                },
                "rootfs": {"type": "layers", "diff_ids": [digest_of(gzip.decompress(self.layer))]},
            }
        )

    def manifest(self, architecture: str) -> bytes:
        """The manifest for one architecture."""
        return _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _descriptor(CONFIG, self.config(architecture)),
                "layers": [_descriptor(LAYER, self.layer)],
            }
        )


def spec_of(app_dir: Path) -> dict[str, Any]:
    """An app folder's image.yaml."""
    file = app_dir / "image.yaml"
    try:
        spec = yaml.safe_load(file.read_text())
    except FileNotFoundError:
        raise ImageError(f"{file} is missing; it defines the image (cmd, env, workdir, port, include)") from None
    missing = [key for key in ("cmd", "include") if not isinstance(spec, dict) or key not in spec]
    if missing:
        raise ImageError(f"{file} has no {', '.join(missing)}")
    found: dict[str, Any] = spec
    return found


def build(
    app_dir: Path,
    version: str,
    *,
    overlay: Path | None = None,
    labels: Mapping[str, str] | None = None,
    **env: str,
) -> Built:
    """Build an app folder; files of `overlay` replace or join the app's, `labels` and `env` those of image.yaml."""
    spec = spec_of(app_dir)
    workdir = str(spec.get("workdir", "/app"))
    wanted = {key: str(value).replace("{version}", version) for key, value in (spec.get("env") or {}).items()}
    files = _matching(app_dir, spec["include"])
    if overlay is not None:
        files.update({str(p.relative_to(overlay)): p for p in overlay.rglob("*") if p.is_file()})
    if not files:
        raise ImageError(f"{app_dir / 'image.yaml'}: include {spec['include']} does not match any file")
    return Built(
        layer=layer_of({str(PurePosixPath(workdir.lstrip("/")) / name): path for name, path in files.items()}),
        cmd=tuple(map(str, spec["cmd"])),
        env={"APP_VERSION": version, **wanted, **env},
        workdir=workdir,
        port=int(spec["port"]) if "port" in spec else None,
        labels={key: str(value) for key, value in {**(spec.get("labels") or {}), **(labels or {})}.items()},
    )


def layer_of(files: Mapping[str, Path]) -> bytes:
    """A gzipped tar of path in the image → file, the same bytes every time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in sorted(files.items()):
            data = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(data), 0, 0o755 if path.stat().st_mode & 0o100 else 0o644
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def push_image(
    endpoint: str | int,
    repository: str,
    tag: str | None,
    root: Path,
    *,
    cmd: Sequence[str],
    env: Mapping[str, str] | None = None,
    workdir: str = "/app",
    exposed: int | None = None,
    index: bool = False,
) -> str:
    """Push a folder as an image with its files in the workdir; `tag` None pushes it untagged. Returns the digest."""
    inside = PurePosixPath(workdir.lstrip("/"))
    files = {str(inside / name): path for name, path in _matching(root, ["**/*"]).items()}
    built = Built(layer_of(files), tuple(cmd), dict(env or {}), workdir, exposed)
    return push_index(endpoint, repository, tag, built) if index else push(endpoint, repository, tag, built)


def push(endpoint: str | int, repository: str, tag: str | None, built: Built, *, architecture: str = "amd64") -> str:
    """Push a single manifest; return the digest."""
    with _client(endpoint) as client:
        return _push_manifest(client, repository, tag, built, architecture)


def push_index(endpoint: str | int, repository: str, tag: str | None, built: Built) -> str:
    """Push a multi-architecture image: children untagged first, then the index; return the index's digest."""
    with _client(endpoint) as client:
        children = []
        for architecture in BUILT_FOR:
            _push_manifest(client, repository, None, built, architecture)
            children.append(
                {
                    **_descriptor(MANIFEST, built.manifest(architecture)),
                    "platform": {"architecture": architecture, "os": "linux"},
                }
            )
        return _put_manifest(
            client, repository, tag, _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}), INDEX
        )


def tag(endpoint: str | int, repository: str, reference: str, name: str) -> str:
    """Add a tag to an image (by tag or digest), like `crane tag`, without changing it; return the digest."""
    with _client(endpoint) as client:
        found = _manifest(client, repository, reference)
        return _put_manifest(client, repository, name, found.content, found.headers["content-type"])


def digest_at(endpoint: str | int, repository: str, reference: str) -> str:
    """The digest that a tag points to."""
    with _client(endpoint) as client:
        return digest_of(_manifest(client, repository, reference).content)


def _manifest(client: httpx.Client, repository: str, reference: str) -> httpx.Response:
    return _checked(client.get(f"/v2/{repository}/manifests/{reference}"), repository)


def _client(endpoint: str | int) -> httpx.Client:
    base = f"http://127.0.0.1:{endpoint}" if isinstance(endpoint, int) else endpoint
    return httpx.Client(base_url=base, timeout=30, trust_env=False)


def _push_manifest(client: httpx.Client, repository: str, tag: str | None, built: Built, architecture: str) -> str:
    for blob in (built.layer, built.config(architecture)):
        _push_blob(client, repository, blob)
    return _put_manifest(client, repository, tag, built.manifest(architecture), MANIFEST)


def _push_blob(client: httpx.Client, repository: str, blob: bytes) -> None:
    digest = digest_of(blob)
    if client.head(f"/v2/{repository}/blobs/{digest}").status_code == 200:
        return
    begun = _checked(client.post(f"/v2/{repository}/blobs/uploads/"), repository)
    location = httpx.URL(begun.headers["Location"])
    _checked(
        client.put(
            location.path,
            params={**location.params, "digest": digest},
            content=blob,
            headers={"Content-Type": "application/octet-stream"},
        ),
        repository,
    )


def _put_manifest(client: httpx.Client, repository: str, tag: str | None, manifest: bytes, media_type: str) -> str:
    digest = digest_of(manifest)
    _checked(
        client.put(
            f"/v2/{repository}/manifests/{tag or digest}", content=manifest, headers={"Content-Type": media_type}
        ),
        repository,
    )
    return digest


def _checked(response: httpx.Response, repository: str) -> httpx.Response:
    if response.is_error:
        raise ImageError(
            f"the registry at {response.request.url.netloc.decode()} rejected the push to {repository}: "
            f"{response.status_code} {response.text[:300]}"
        )
    return response


def _matching(folder: Path, patterns: Sequence[str]) -> dict[str, Path]:
    found = {p for pattern in patterns for p in folder.glob(pattern) if p.is_file() and "__pycache__" not in p.parts}
    return {str(p.relative_to(folder)): p for p in found}


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest_of(data: bytes) -> str:
    """A manifest's or blob's digest."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}
