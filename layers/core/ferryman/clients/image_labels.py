"""What an image says about itself: labels in its configuration, which migrations it brings among them.

Called by begin_deployment and by serve_api (`rollback`, `diff`). Best effort: what can't be read is a reason, never an
error. The configuration is a blob of the registry; ECR context out a signed URL for it, which appears nowhere else.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ferryman.clients import ecr as ecr_edge
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECRClient
from ferryman.clients.http_client import NoAnswer, fetch
from ferryman.clients.image_index import ANYWHERE, FARGATE, RunsOn
from ferryman.decisions.schema_compatibility import MIGRATIONS, ImageLabels, migrations
from ferryman.errors import FerrymanError

__all__ = ["Download", "ImageLabels", "download", "migrations", "of"]

CONFIG_LIMIT = 1_000_000
"""Bytes of a configuration that are read; usual ones have some thousand."""
_TIMEOUT = 5.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_UNREADABLE = (
    FerrymanError, Refusal, NoAnswer,
    OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError,
)  # fmt: skip

Download = Callable[[str], bytes]
"""Get a blob by its URL; raise NoAnswer. Tests bring their own."""


def of(ecr: ECRClient, download: Download, repository: str, digest: str, on: RunsOn = FARGATE) -> ImageLabels:
    """Return the labels of an image, of an index those of its child for the platform. Never raises.

    Labels of the configuration win over annotations of the manifest, and those over the index's.
    """
    try:
        index = ecr_edge.manifest(ecr, repository, digest)
        manifest = index
        if "manifests" in index:
            manifest = ecr_edge.manifest(ecr, repository, _child(ecr, repository, digest, on))
        found = {**_texts(index.get("annotations")), **_texts(manifest.get("annotations"))}
    except _UNREADABLE as error:
        return ImageLabels({}, f"the manifest of {repository}@{digest} cannot be read: {_said(error)}")
    try:
        return ImageLabels({**found, **_config(ecr, download, repository, manifest)})
    except _UNREADABLE as error:
        reason = f"the configuration of {repository}@{digest} cannot be read: {_said(error)}"
        return ImageLabels(found, "" if MIGRATIONS in found else reason, unread=reason)


def download(url: str) -> bytes:
    """Get a blob, within bounds of address, time and size: https only, or this very machine. Raise NoAnswer."""
    parts = urlsplit(url)
    local = parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise NoAnswer("its address is neither https nor on this machine")
    answer = fetch(url, {}, allow_http=local, timeout=_TIMEOUT, limit=CONFIG_LIMIT, allow_loopback=local)
    if answer.status != 200:
        raise NoAnswer(f"the registry answered {answer.status}")
    if answer.truncated:
        raise NoAnswer(f"it has more than {CONFIG_LIMIT} bytes")
    return answer.body


def _child(ecr: ECRClient, repository: str, digest: str, on: RunsOn) -> str:
    """Take any image where none fits: labels are the same on every platform."""
    try:
        return ecr_edge.platform_digest(ecr, repository, digest, on)
    except ecr_edge.WrongPlatform as error:
        try:
            return ecr_edge.platform_digest(ecr, repository, digest, ANYWHERE)
        except ecr_edge.WrongPlatform:
            raise error from None


def _config(ecr: ECRClient, download: Download, repository: str, manifest: dict[str, Any]) -> dict[str, str]:
    descriptor = manifest["config"]
    digest, size = str(descriptor["digest"]), int(descriptor.get("size") or 0)
    if size > CONFIG_LIMIT:
        raise NoAnswer(f"it has {size} bytes; the limit is {CONFIG_LIMIT}")
    blob = download(ecr_edge.blob_url(ecr, repository, digest))
    if f"sha256:{hashlib.sha256(blob).hexdigest()}" != digest:
        raise NoAnswer("its digest does not match the manifest")
    config = json.loads(blob)
    return _texts((config.get("config") or {}).get("Labels"))


def _texts(labels: Any) -> dict[str, str]:
    if not isinstance(labels, dict):
        return {}
    return {name: value for name, value in labels.items() if isinstance(name, str) and isinstance(value, str)}


def _said(error: Exception) -> str:
    """Name an error without the signed URL that its text may hold."""
    if isinstance(error, Refusal):
        return str(error.response["Error"]["Code"])
    return str(error) if isinstance(error, FerrymanError | NoAnswer) else type(error).__name__
