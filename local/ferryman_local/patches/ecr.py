"""Corrections of the emulator's ECR. Applied by patches.apply before the emulator serves.

Sources: the API reference of ECR (PutImage, DescribeImageScanFindings, GetDownloadUrlForLayer) and "Scan images".
"""

import fnmatch
import json
import os
import time
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
    replace(ecr, "_create_repository", lambda original: exclusions_are_kept(original, ecr))
    replace(ecr, "_put_image", lambda original: tags_as_aws_sets_them(original, ecr))
    replace(ecr, "_v2_put_manifest", lambda original: pushes_heed_exclusions(original, ecr))
    replace(ecr, "_describe_images", lambda original: images_that_are_not_there(original, ecr))
    replace(ecr, "_get_authorization_token", the_registry_is_here)
    replace(ecr, "_get_download_url_for_layer", lambda original: blobs_can_be_fetched(original, ecr))
    replace(ecr, "handle_request", lambda original: scans_are_told(original, ecr, control))


def exclusions_are_kept(original: Any, ecr: Any) -> Any:
    """IMMUTABLE_WITH_EXCLUSION is what Terraform sets; its filters belong to the repository."""

    def create(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] == 200 and (filters := data.get("imageTagMutabilityExclusionFilters")):
            ecr._repositories[data["repositoryName"]]["_excluded"] = [item["filter"] for item in filters]
        return answer

    return create


def immutable(repository: dict[str, Any], tag: str) -> bool:
    """Whether a tag of a repository may not move."""
    excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in repository.get("_excluded", ()))
    return (repository.get("imageTagMutability") in IMMUTABLE) != excluded


def holder(ecr: Any, name: str, tag: str) -> str | None:
    """Digest of the image that has a tag."""
    found = next((image for image in ecr._images.get(name, []) if tag in image.get("imageTags", [])), None)
    return str(found["imageDigest"]) if found else None


def tags_as_aws_sets_them(original: Any, ecr: Any) -> Any:
    """PutImage compares the digest with the bytes, says when nothing changes, and moves no immutable tag."""

    def put(data: dict[str, Any]) -> Any:
        name, tag = data.get("repositoryName", ""), data.get("imageTag")
        repository = ecr._repositories.get(name)
        if repository is None:
            return original(data)
        digest = ecr._image_digest(data.get("imageManifest", ""))
        if data.get("imageDigest", digest) != digest:
            told = f"The digest {data['imageDigest']} does not match that of the image manifest, {digest}"
            return ecr.error_response_json("ImageDigestDoesNotMatchException", told, 400)
        before = holder(ecr, name, tag) if tag else None
        if before == digest:
            told = f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}'"
            return ecr.error_response_json("ImageAlreadyExistsException", told, 400)
        if before is not None and immutable(repository, str(tag)):
            told = f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten"
            return ecr.error_response_json("ImageTagAlreadyExistsException", told, 400)
        with mutable(repository):
            answer = original({**data, "imageDigest": digest})
        # Layers of an API push are not kept here; the registry has them from the push that made the image.
        ecr._manifest_blobs.setdefault(name, {}).setdefault(digest, data["imageManifest"].encode())
        return answer

    return put


class mutable:  # noqa: N801 - reads as a word in `with mutable(repository)`
    """While the emulator looks at it, a repository has no rule of its own: ours was asked."""

    def __init__(self, repository: dict[str, Any]) -> None:
        self._repository = repository

    def __enter__(self) -> None:
        self._before = self._repository["imageTagMutability"]
        self._repository["imageTagMutability"] = "MUTABLE"

    def __exit__(self, *_error: object) -> None:
        self._repository["imageTagMutability"] = self._before


def pushes_heed_exclusions(original: Any, ecr: Any) -> Any:
    """`docker push` moves no immutable tag either."""

    def put(name: str, ref: str, headers: Any, body: bytes) -> Any:
        repository = ecr._repositories.get(name)
        if repository is None or not body:
            return original(name, ref, headers, body)
        before = None if ref.startswith("sha256:") else holder(ecr, name, ref)
        if before not in (None, ecr._content_digest(body)) and immutable(repository, ref):
            return ecr._registry_error(400, "TAG_INVALID", f"tag '{ref}' is immutable", {"tag": ref})
        with mutable(repository):
            return original(name, ref, headers, body)

    return put


def images_that_are_not_there(original: Any, ecr: Any) -> Any:
    """DescribeImages of a tag or digest that does not exist is refused, not answered with an empty list."""

    def describe(data: dict[str, Any]) -> Any:
        name = data.get("repositoryName", "")
        for wanted in data.get("imageIds") or () if name in ecr._repositories else ():
            if ecr._find_image(name, wanted) is None:
                return not_found(ecr, name, wanted)
        return original(data)

    return describe


def not_found(ecr: Any, name: str, wanted: dict[str, Any]) -> Any:
    """The refusal of an image that does not exist."""
    told = f"The image with imageId {json.dumps(wanted)} does not exist within the repository with name '{name}'"
    return ecr.error_response_json("ImageNotFoundException", told, 400)


def the_registry_is_here(original: Any) -> Any:
    """GetAuthorizationToken names the registry that the token is for: here it is the emulator itself."""

    def authorize(data: dict[str, Any]) -> Any:
        status, headers, body = original(data)
        answer = json.loads(body)
        for granted in answer["authorizationData"]:
            granted["proxyEndpoint"] = f"http://localhost:{os.environ['GATEWAY_PORT']}"
        return status, headers, json.dumps(answer).encode()

    return authorize


def blobs_can_be_fetched(original: Any, ecr: Any) -> Any:
    """The URL of a layer, or of an image's configuration, leads to the blob; one that isn't there is refused."""

    def url(data: dict[str, Any]) -> Any:
        name, digest = data.get("repositoryName", ""), data.get("layerDigest", "")
        if name not in ecr._repositories:
            return original(data)
        if digest not in ecr._layer_blobs.get(name, {}):
            told = f"The layer with digest '{digest}' is not in the repository with name '{name}'"
            return ecr.error_response_json("LayersNotFoundException", told, 400)
        address = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/v2/{name}/blobs/{digest}"
        return ecr.json_response({"downloadUrl": address, "layerDigest": digest})

    return url


def scans_are_told(original: Any, ecr: Any, control: Control) -> Any:
    """DescribeImageScanFindings: a clean COMPLETE for every single image unless a test says otherwise.

    ECR scans no index: "cannot be scanned"; its child's findings count.
    """

    def findings(data: dict[str, Any]) -> Any:
        name, wanted = data.get("repositoryName", ""), data.get("imageId") or {}
        repository = ecr._repositories.get(name)
        if repository is None:
            told = f"The repository with name '{name}' does not exist"
            return ecr.error_response_json("RepositoryNotFoundException", told, 400)
        image = ecr._find_image(name, wanted)
        if image is None:
            return not_found(ecr, name, wanted)
        digest = image["imageDigest"]
        scan = control.scans.get(digest)
        on_push = repository["imageScanningConfiguration"].get("scanOnPush")
        if image.get("imageManifestMediaType") in INDEXES or (scan is None and not on_push) or scan == {}:
            told = f"Image scan does not exist for the image with digest '{digest}' in the repository '{name}'"
            return ecr.error_response_json("ScanNotFoundException", told, 400)
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
