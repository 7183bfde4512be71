"""Labels of images: from the configuration, of the right child, within bounds."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ferryman.clients import image_labels
from ferryman.clients.http_client import NoAnswer
from ferryman.clients.image_index import RunsOn
from ferryman.clients.image_labels import CONFIG_LIMIT, download, of
from ferryman.decisions.schema_compatibility import MIGRATIONS, UNSAFE, ImageLabels
from unit.fakes.ecr import FakeEcr, refused

LABELS = {MIGRATIONS: "001,002", UNSAFE: "002"}


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Registry(FakeEcr):
    """An ECR whose blobs can be had by their URL."""

    def __init__(self) -> None:
        super().__init__("scr-api")
        self.blobs: dict[str, bytes] = {}
        self.denied = False

    def push_image(self, labels: Any = None, *, annotations: Any = None, raw: bytes | None = None, **more: Any) -> str:
        config = raw if raw is not None else json.dumps({"config": {"Labels": labels}}).encode()
        self.blobs[sha(config)] = config
        manifest = {
            "schemaVersion": 2,
            "config": {"digest": sha(config), "size": len(config), **more},
            **({"annotations": annotations} if annotations else {}),
        }
        return self.put(manifest)

    def put(self, manifest: dict[str, Any], media: str = "application/vnd.oci.image.manifest.v1+json") -> str:
        return self._store("scr-api", None, json.dumps({"mediaType": media, **manifest}), media, None)

    def index(self, *children: tuple[str, str, str], annotations: Any = None) -> str:
        media = "application/vnd.oci.image.index.v1+json"
        manifests = [{"digest": d, "platform": {"os": os, "architecture": cpu}} for d, os, cpu in children]
        return self.put({"manifests": manifests, "annotations": annotations or {}}, media)

    def get_download_url_for_layer(self, repositoryName: str, layerDigest: str) -> dict[str, Any]:  # noqa: N803
        if self.denied:
            raise refused("GetDownloadUrlForLayer", "AccessDeniedException")
        if layerDigest not in self.blobs:
            raise refused("GetDownloadUrlForLayer", "LayersNotFoundException")
        return {"downloadUrl": f"https://bucket.example/{layerDigest}?X-Amz-Signature=secret"}

    def download(self, url: str) -> bytes:
        return self.blobs[url.rsplit("/", 1)[-1].split("?")[0]]

    def labels(self, digest: str, **more: Any) -> ImageLabels:
        return of(self, self.download, "scr-api", digest, **more)


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_of_the_configuration(registry: Registry) -> None:
    assert registry.labels(registry.push_image(LABELS)) == ImageLabels(LABELS)


def test_of_the_child_for_the_platform(registry: Registry) -> None:
    amd, arm = registry.push_image({"a": "amd"}), registry.push_image({"a": "arm"})
    attestation = registry.push_image({"a": "attestation"})
    index = registry.index((attestation, "unknown", "unknown"), (amd, "linux", "amd64"), (arm, "linux", "arm64"))

    assert registry.labels(index).found == {"a": "amd"}
    assert registry.labels(index, on=RunsOn("linux", "arm64")).found == {"a": "arm"}


def test_of_the_only_child_when_the_platform_has_none(registry: Registry) -> None:
    index = registry.index((registry.push_image({"a": "arm"}), "linux", "arm64"))

    assert registry.labels(index).found == {"a": "arm"}


def test_annotations_where_the_configuration_does_not_tell(registry: Registry) -> None:
    child = registry.push_image({"b": "config"}, annotations={"a": "manifest", "b": "manifest"})
    index = registry.index((child, "linux", "amd64"), annotations={"a": "index", "c": "index"})

    assert registry.labels(index).found == {"a": "manifest", "b": "config", "c": "index"}


@pytest.mark.parametrize("labels", [None, {}, [], "x", {"a": 7}], ids=str)
def test_no_labels_is_not_unreadable(registry: Registry, labels: Any) -> None:
    assert registry.labels(registry.push_image(labels)) == ImageLabels()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda r: "sha256:gone", "no longer has image", id="gone"),
        pytest.param(lambda r: r.push_image(raw=b"not json"), "JSONDecodeError", id="not-json"),
        pytest.param(lambda r: r.push_image(raw=b"[1]"), "AttributeError", id="not-an-object"),
        pytest.param(lambda r: r.push_image(raw=b"[" * 100_000), "RecursionError", id="nested"),
        pytest.param(lambda r: r.push_image(LABELS, size=CONFIG_LIMIT + 1), "1000001 bytes", id="too-large"),
        pytest.param(lambda r: r.push_image(LABELS, digest=f"sha256:{'0' * 64}"), "LayersNotFound", id="no-blob"),
        pytest.param(lambda r: r.put({"layers": []}), "KeyError", id="no-config"),
        pytest.param(lambda r: r.put({"manifests": []}), "no image for linux", id="empty-index"),
    ],
)
def test_what_cannot_be_read_is_a_reason(registry: Registry, spoil: Any, words: str) -> None:
    found = registry.labels(spoil(registry))

    assert (found.found, words in found.reason) == ({}, True), found


def test_other_bytes_are_not_believed(registry: Registry) -> None:
    digest = registry.push_image(LABELS)
    registry.blobs = {name: json.dumps({"config": {"Labels": {MIGRATIONS: ""}}}).encode() for name in registry.blobs}

    assert "does not match the manifest" in registry.labels(digest).reason


def test_a_refusal_tells_neither_url_nor_signature(registry: Registry) -> None:
    digest = registry.push_image(LABELS)
    registry.denied = True
    assert registry.labels(digest).reason.endswith("AccessDeniedException")

    def fail(url: str) -> bytes:
        raise OSError(url)

    registry.denied = False
    assert of(registry, fail, "scr-api", digest).reason.endswith("OSError")


def test_annotations_alone_are_enough_for_migrations(registry: Registry) -> None:
    digest = registry.push_image({}, annotations=LABELS)
    registry.denied = True

    found = registry.labels(digest)
    assert (found.found, found.reason) == (LABELS, "")
    assert "cannot be read" in found.of_migration("orders", alone=False).reason, "those of a named one may be missing"


def test_throttling_is_a_reason(registry: Registry) -> None:
    digest = registry.push_image(LABELS)
    registry.trouble.throttle("BatchGetImage")

    assert registry.labels(digest).reason != ""


# ── the download ──


class _Blobs(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        size = {"/ok": 100, "/large": CONFIG_LIMIT + 1}.get(self.path)
        self.send_response(200 if size else 404)
        self.send_header("content-length", str(size or 0))
        self.end_headers()
        self.wfile.write(b"x" * (size or 0))

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def blobs() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Blobs)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_download(blobs: str) -> None:
    assert download(f"{blobs}/ok") == b"x" * 100


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("{}/large", "more than 1000000 bytes", id="too-large"),
        pytest.param("{}/missing", "answered 404", id="missing"),
        pytest.param("http://bucket.example/x", "neither https nor on this machine", id="plain-http"),
        pytest.param("http://127.0.0.1.example/x", "neither https nor on this machine", id="looks-like-loopback"),
        pytest.param("https://169.254.169.254/latest", "link-local", id="metadata"),
        pytest.param("file:///etc/passwd", "neither", id="file"),
    ],
)
def test_download_is_bounded(blobs: str, url: str, words: str) -> None:
    with pytest.raises(NoAnswer, match=words):
        image_labels.download(url.format(blobs))
