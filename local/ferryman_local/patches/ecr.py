"""Corrections of the emulator's ECR. Each function is named for the operation that it corrects.

Sources: the API reference of ECR (CreateRepository, PutImage, DescribeImages, DescribeImageScanFindings,
GetAuthorizationToken, GetDownloadUrlForLayer) and the ECR User Guide ("Image tag mutability", "Scan images").
"""

import contextlib
import fnmatch
import json
import os
import time
from collections.abc import Iterator
from typing import Any

from ferryman_local.patches.control import Control
from ferryman_local.patches.private_attributes import module, replace

INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
IMMUTABLE = ("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION")


def apply(control: Control) -> None:
    """Put every correction of this file in place."""
    ecr = module("services.ecr")
    replace(ecr, "_create_repository", lambda original: create_repository(original, ecr))
    replace(ecr, "_put_image", lambda original: put_image(original, ecr))
    replace(ecr, "_v2_put_manifest", lambda original: put_manifest(original, ecr))
    replace(ecr, "_describe_images", lambda original: describe_images(original, ecr))
    replace(ecr, "_get_authorization_token", get_authorization_token)
    replace(ecr, "_get_download_url_for_layer", lambda original: get_download_url_for_layer(original, ecr))
    replace(ecr, "handle_request", lambda original: describe_image_scan_findings(original, ecr, control))


def create_repository(original: Any, ecr: Any) -> Any:
    """A repository keeps imageTagMutabilityExclusionFilters: with IMMUTABLE_WITH_EXCLUSION, tags that match may move.

    The emulator ignores the filters.
    """

    def create(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] == 200 and (filters := data.get("imageTagMutabilityExclusionFilters")):
            ecr._repositories[data["repositoryName"]]["_excluded"] = [item["filter"] for item in filters]
        return answer

    return create


def is_immutable(repository: dict[str, Any], tag: str) -> bool:
    """Whether a tag of a repository cannot be moved to another image."""
    excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in repository.get("_excluded", ()))
    return (repository.get("imageTagMutability") in IMMUTABLE) != excluded


def digest_of_tag(ecr: Any, name: str, tag: str) -> str | None:
    """Digest of the image that has a tag."""
    found = next((image for image in ecr._images.get(name, []) if tag in image.get("imageTags", [])), None)
    return str(found["imageDigest"]) if found else None


def put_image(original: Any, ecr: Any) -> Any:
    """PutImage refuses a digest that is not the manifest's, a tag that is there already, and an immutable tag.

    Raises ImageDigestDoesNotMatchException, ImageAlreadyExistsException and ImageTagAlreadyExistsException.
    """

    def put(data: dict[str, Any]) -> Any:
        name, tag = data.get("repositoryName", ""), data.get("imageTag")
        repository = ecr._repositories.get(name)
        if repository is None:
            return original(data)
        digest = ecr._image_digest(data.get("imageManifest", ""))
        if data.get("imageDigest", digest) != digest:
            message = f"The digest {data['imageDigest']} does not match that of the image manifest, {digest}"
            return ecr.error_response_json("ImageDigestDoesNotMatchException", message, 400)
        before = digest_of_tag(ecr, name, tag) if tag else None
        if before == digest:
            message = (
                f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}'"
            )
            return ecr.error_response_json("ImageAlreadyExistsException", message, 400)
        if before is not None and is_immutable(repository, str(tag)):
            message = f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten"
            return ecr.error_response_json("ImageTagAlreadyExistsException", message, 400)
        with treated_as_mutable(repository):
            answer = original({**data, "imageDigest": digest})
        # Layers of an API push are not kept here; the registry has them from the push that made the image.
        ecr._manifest_blobs.setdefault(name, {}).setdefault(digest, data["imageManifest"].encode())
        return answer

    return put


@contextlib.contextmanager
def treated_as_mutable(repository: dict[str, Any]) -> Iterator[None]:
    """The emulator, which knows no exclusion filters, does not check mutability: it was checked here."""
    before = repository["imageTagMutability"]
    repository["imageTagMutability"] = "MUTABLE"
    try:
        yield
    finally:
        repository["imageTagMutability"] = before


def put_manifest(original: Any, ecr: Any) -> Any:
    """A push through the registry API (`docker push`) cannot move an immutable tag either: TAG_INVALID."""

    def put(name: str, ref: str, headers: Any, body: bytes) -> Any:
        repository = ecr._repositories.get(name)
        if repository is None or not body:
            return original(name, ref, headers, body)
        before = None if ref.startswith("sha256:") else digest_of_tag(ecr, name, ref)
        if before not in (None, ecr._content_digest(body)) and is_immutable(repository, ref):
            return ecr._registry_error(400, "TAG_INVALID", f"tag '{ref}' is immutable", {"tag": ref})
        with treated_as_mutable(repository):
            return original(name, ref, headers, body)

    return put


def describe_images(original: Any, ecr: Any) -> Any:
    """DescribeImages of a tag or digest that does not exist raises ImageNotFoundException; it is no empty list."""

    def describe(data: dict[str, Any]) -> Any:
        name = data.get("repositoryName", "")
        for wanted in data.get("imageIds") or () if name in ecr._repositories else ():
            if ecr._find_image(name, wanted) is None:
                return image_not_found(ecr, name, wanted)
        return original(data)

    return describe


def image_not_found(ecr: Any, name: str, wanted: dict[str, Any]) -> Any:
    """ImageNotFoundException, as a response of the emulator."""
    message = f"The image with imageId {json.dumps(wanted)} does not exist within the repository with name '{name}'"
    return ecr.error_response_json("ImageNotFoundException", message, 400)


def get_authorization_token(original: Any) -> Any:
    """GetAuthorizationToken's proxyEndpoint is the registry that the token is for: here, the emulator itself."""

    def authorize(data: dict[str, Any]) -> Any:
        status, headers, body = original(data)
        answer = json.loads(body)
        for granted in answer["authorizationData"]:
            granted["proxyEndpoint"] = f"http://localhost:{os.environ['GATEWAY_PORT']}"
        return status, headers, json.dumps(answer).encode()

    return authorize


def get_download_url_for_layer(original: Any, ecr: Any) -> Any:
    """GetDownloadUrlForLayer answers a URL from which the layer, or an image's configuration, can be downloaded.

    Raises LayersNotFoundException for a digest that the repository does not have.
    """

    def url(data: dict[str, Any]) -> Any:
        name, digest = data.get("repositoryName", ""), data.get("layerDigest", "")
        if name not in ecr._repositories:
            return original(data)
        if digest not in ecr._layer_blobs.get(name, {}):
            message = f"The layer with digest '{digest}' is not in the repository with name '{name}'"
            return ecr.error_response_json("LayersNotFoundException", message, 400)
        address = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/v2/{name}/blobs/{digest}"
        return ecr.json_response({"downloadUrl": address, "layerDigest": digest})

    return url


def describe_image_scan_findings(original: Any, ecr: Any, control: Control) -> Any:
    """DescribeImageScanFindings answers the findings of a scanned image; the emulator lacks the operation.

    A scan is COMPLETE and without findings unless a test has set another one (`Control.scans`). Basic scanning cannot
    scan an image index: ScanNotFoundException, as for an image that was not scanned on push. Each of its images is
    scanned by itself.
    """

    def findings(data: dict[str, Any]) -> Any:
        name, wanted = data.get("repositoryName", ""), data.get("imageId") or {}
        repository = ecr._repositories.get(name)
        if repository is None:
            message = f"The repository with name '{name}' does not exist"
            return ecr.error_response_json("RepositoryNotFoundException", message, 400)
        image = ecr._find_image(name, wanted)
        if image is None:
            return image_not_found(ecr, name, wanted)
        digest = image["imageDigest"]
        scan = control.scans.get(digest)
        on_push = repository["imageScanningConfiguration"].get("scanOnPush")
        if image.get("imageManifestMediaType") in INDEXES or (scan is None and not on_push) or scan == {}:
            message = f"Image scan does not exist for the image with digest '{digest}' in the repository '{name}'"
            return ecr.error_response_json("ScanNotFoundException", message, 400)
        scan = scan or {}
        counts = scan.get("counts", {})
        answer: dict[str, Any] = {
            "registryId": ecr.get_account_id(),
            "repositoryName": name,
            "imageId": {"imageDigest": digest, **({"imageTag": wanted["imageTag"]} if "imageTag" in wanted else {})},
            "imageScanStatus": {
                "status": scan.get("status", "COMPLETE"),
                "description": scan.get("description", "The scan was completed successfully."),
            },
        }
        if answer["imageScanStatus"]["status"] in ("COMPLETE", "ACTIVE"):
            answer["imageScanFindings"] = {
                "imageScanCompletedAt": int(time.time()),
                "vulnerabilitySourceUpdatedAt": int(time.time()),
                "findingSeverityCounts": counts,
                "findings": [
                    {"name": f"CVE-2026-{number:04d}", "severity": severity, "uri": "https://cve.example/"}
                    for severity, count in counts.items()
                    for number in range(count)
                ],
            }
        return ecr.json_response(answer)

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if headers.get("x-amz-target", "").endswith(".DescribeImageScanFindings"):
            return findings(json.loads(body or b"{}"))
        return await original(method, path, headers, body, query)

    return handle
