"""The edge to ECR: what a tag means now, which child of an index runs, and setting tags without a rebuild.

Called by receive_push, reconcile, begin_deployment and adoption; every function takes the ECR client. Facts about the
API: docs/reference/aws-facts.md#ecr-re-tag.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from ferryman.clients import ecr as edge
from ferryman.clients import image_index
from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import (
    DescribeImagesRequest,
    ECRClient,
    ECRImage,
    ImageDetail,
    ImageIdentifier,
    PutImageRequest,
    ScanFindings,
)
from ferryman.clients.image_index import FARGATE, Child, RunsOn
from ferryman.errors import Conflict, DigestMismatch, NotFound, TagImmutable, Unavailable
from ferryman.records import PlannedTag

_DEPTH = 3
"""How deep indexes may stand in indexes; nobody builds more than two."""
_PASSING_FAILURES = frozenset({"UpstreamTooManyRequests", "UpstreamUnavailable", "KmsError"})
_MANIFESTS = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
]


@dataclass(frozen=True)
class TaggedImage:
    """One image with all the tags it carries at the moment."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    artifact: bool = False
    """It is no container image: ECR names another type, as of a build cache. An index has none."""


def resolve(ecr: ECRClient, repository: str, tag: str) -> str | None:
    """Return the digest that a tag points at now, or None when the tag or the repository does not exist."""
    found = _described(ecr, repository, {"imageTag": tag})
    return found.digest if found else None


def tagged_image(ecr: ECRClient, repository: str, tag: str) -> TaggedImage | None:
    """Return the image that a tag points at now, with all the tags it carries; None when there is none."""
    return _described(ecr, repository, {"imageTag": tag})


def exists(ecr: ECRClient, repository: str, digest: str) -> bool:
    """Tell whether a repository has an image of this digest, tagged or not."""
    return _described(ecr, repository, {"imageDigest": digest}) is not None


def address(ecr: ECRClient, repository: str) -> str:
    """Return `registry/repository`; raise NotFound when the repository does not exist."""
    try:
        with translated():
            answer = ecr.describe_repositories(repositoryNames=[repository])
    except ClientError as error:
        if error.response["Error"]["Code"] == "RepositoryNotFoundException":
            raise NotFound(
                f"ECR has no repository {repository!r} in this account and region; create it, or correct the document"
            ) from None
        raise
    return answer["repositories"][0]["repositoryUri"]


class WrongPlatform(NotFound):
    """An index is there, and has no image for the platform that is asked for."""


def platform_digests(ecr: ECRClient, repository: str, digest: str, on: RunsOn) -> list[str]:
    """Return the image of an index that a task on this platform pulls, or the digest itself where it is one image.

    Several, the likeliest first, where the platform is not known, or where the index does not tell the platform of its
    images. Raise NotFound when the image is gone, WrongPlatform when the index has none that fits.
    """
    found = _images(ecr, repository, digest)
    if found is None:
        return [digest]
    fitting = image_index.fitting(found, on)
    if not fitting:
        offered = ", ".join(dict.fromkeys(child.platform for child in found)) or "nothing that runs"
        raise WrongPlatform(
            f"{repository}@{digest} has no image for {on}, only for {offered}; build it for {on}, or change the task "
            "definition's runtimePlatform"
        )
    return [child.digest for child in fitting]


def platform_digest(ecr: ECRClient, repository: str, digest: str, on: RunsOn = FARGATE) -> str:
    """Return the first of `platform_digests`."""
    return platform_digests(ecr, repository, digest, on)[0]


def linux_digests(ecr: ECRClient, repository: str, digest: str) -> list[str]:
    """Return every image of an index that a Linux task on ECS may pull, or the digest itself for one image.

    Raise NotFound when the image is gone, or when the index has no such image.
    """
    return platform_digests(ecr, repository, digest, RunsOn(cpu=None))


def _images(ecr: ECRClient, repository: str, digest: str, depth: int = 1) -> list[Child] | None:
    """Return the images of an index, and of the indexes in it; None when it is no index."""
    found = image_index.children(manifest(ecr, repository, digest))
    if found is None:
        return None
    doubtful = {child.digest for child in image_index.ambiguous(found)}
    images: list[Child] = []
    for child in found:
        if child.index:
            images += (_images(ecr, repository, child.digest, depth + 1) or []) if depth < _DEPTH else []
        elif child.digest not in doubtful or _is_image(ecr, repository, child.digest):
            images.append(child)
    return images


def _is_image(ecr: ECRClient, repository: str, digest: str) -> bool:
    """Ask an entry's own manifest; one that is not there can't be pulled either."""
    try:
        return image_index.is_image(manifest(ecr, repository, digest))
    except NotFound:
        return False


def manifest(ecr: ECRClient, repository: str, digest: str) -> dict[str, Any]:
    """Return the manifest or index of an image; raise NotFound when the image is gone."""
    return dict(json.loads(_fetch(ecr, repository, digest)["imageManifest"]))


def blob_url(ecr: ECRClient, repository: str, digest: str) -> str:
    """Return a URL from which a layer or a configuration can be had for some minutes (signed; never to be logged)."""
    with translated():
        answer = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)
    return answer["downloadUrl"]


def tagged_images(ecr: ECRClient, repository: str) -> Iterator[TaggedImage]:
    """Yield every tagged image of a repository, a page at a time; nothing when the repository does not exist."""
    request: DescribeImagesRequest = {
        "repositoryName": repository,
        "filter": {"tagStatus": "TAGGED"},
        "maxResults": 1000,
    }
    while True:
        try:
            with translated():
                page = ecr.describe_images(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] == "RepositoryNotFoundException":
                return
            raise
        for image in page["imageDetails"]:
            yield _image(image)
        if not page.get("nextToken"):
            return
        request["nextToken"] = page["nextToken"]


def scan_findings(ecr: ECRClient, repository: str, digest: str) -> ScanFindings | None:
    """Return DescribeImageScanFindings' answer (basic or enhanced scanning); None when there was no scan, or no image.

    Its counts cover all findings, however many pages those take.
    """
    try:
        with translated():
            answer = ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageDigest": digest})
    except ClientError as error:
        missing = ("ScanNotFoundException", "ImageNotFoundException", "RepositoryNotFoundException")
        if error.response["Error"]["Code"] in missing:
            return None
        raise
    return answer


def ensure_tag(ecr: ECRClient, repository: str, digest: str, tag: str) -> bool:
    """Make a tag point at a digest, with the manifest byte for byte; return whether anything had to change.

    Raise NotFound when the image is gone, TagImmutable when the tag is taken and immutable, DigestMismatch when ECR
    finds other bytes, Conflict when somebody moved the tag at the same moment.
    """
    if resolve(ecr, repository, tag) == digest:
        return False
    image = _fetch(ecr, repository, digest)
    request: PutImageRequest = {
        "repositoryName": repository,
        "imageManifest": image["imageManifest"],
        "imageTag": tag,
        "imageDigest": digest,
    }
    if image.get("imageManifestMediaType"):
        request["imageManifestMediaType"] = image["imageManifestMediaType"]
    try:
        with translated():
            ecr.put_image(**request)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ImageTagAlreadyExistsException":
            raise TagImmutable(
                f"tag {tag} of {repository} already names another image and the repository's tags are immutable; "
                f"let its immutability exclude {tag} (IMMUTABLE_WITH_EXCLUSION), or move the tag by hand"
            ) from None
        if code == "ImageDigestDoesNotMatchException":
            raise DigestMismatch(f"{repository}@{digest}: ECR computed another digest; nothing was tagged") from None
        if code != "ImageAlreadyExistsException":
            raise
    found = resolve(ecr, repository, tag)
    if found != digest:
        raise Conflict(f"tag {tag} of {repository} points at {found} right after it was set to {digest}")
    return True


def _described(ecr: ECRClient, repository: str, image: ImageIdentifier) -> TaggedImage | None:
    try:
        with translated():
            answer = ecr.describe_images(repositoryName=repository, imageIds=[image])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return None
        raise
    details = answer["imageDetails"]
    return _image(details[0]) if details else None


def _image(details: ImageDetail) -> TaggedImage:
    type = details.get("artifactMediaType")
    return TaggedImage(
        digest=details["imageDigest"],
        tags=tuple(details.get("imageTags", ())),
        pushed_at=details["imagePushedAt"],
        artifact=bool(type) and type not in image_index.CONFIGURATIONS,
    )


def _fetch(ecr: ECRClient, repository: str, digest: str) -> ECRImage:
    try:
        with translated():
            answer = ecr.batch_get_image(
                repositoryName=repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=_MANIFESTS
            )
    except ClientError as error:
        if error.response["Error"]["Code"] == "RepositoryNotFoundException":
            raise NotFound(f"ECR has no repository {repository!r} in this account and region") from None
        raise
    codes = {str(failure.get("failureCode")) for failure in answer.get("failures", [])}
    if not answer.get("images") and codes & _PASSING_FAILURES:
        raise Unavailable(f"BatchGetImage of {repository}@{digest}: {', '.join(sorted(codes))}")
    if not answer.get("images") and codes - {"ImageNotFound", "None"}:
        raise NotFound(f"ECR does not give image {digest} of {repository}: {', '.join(sorted(codes))}")
    if not answer.get("images"):
        raise NotFound(f"{repository} no longer has image {digest}; a lifecycle rule or a person removed it")
    return answer["images"][0]


def moved(ecr: ECRClient, planned: PlannedTag) -> str | None:
    """Say what is wrong when a tag does not point at its digest (any more), or return None."""
    found = edge.resolve(ecr, planned.repository, planned.tag)
    if found == planned.digest:
        return None
    instead = f"points at {found}" if found else "is gone"
    return (
        f"{planned.repository}:{planned.tag} {instead}, not at {planned.digest}, which this deployment is about: "
        "somebody else moved it"
    )
