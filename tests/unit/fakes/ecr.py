"""An ECR that behaves: tags move unless immutable, a page at a time, and calls fail or lose their answer on demand."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def refused(operation: str, code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation
    )


class Trouble:
    """Errors that a fake raises before, or after, doing what it was asked for."""

    def __init__(self) -> None:
        self.before: dict[str, list[Exception]] = {}
        self.after: dict[str, list[Exception]] = {}

    def throttle(self, operation: str, times: int = 1) -> None:
        self.before.setdefault(operation, []).extend([refused(operation, "ThrottlingException")] * times)

    def lose_answer(self, operation: str) -> None:
        self.after.setdefault(operation, []).append(ReadTimeoutError(endpoint_url="https://ecr.example"))

    def strike(self, errors: dict[str, list[Exception]], operation: str) -> None:
        if errors.get(operation):
            raise errors[operation].pop(0)


class FakeEcr:
    """Repositories with images; `push` and `push_index` are what `docker push` does."""

    def __init__(self, *repositories: str, page: int = 1000) -> None:
        self.images: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in repositories}
        self.tags: dict[str, dict[str, str]] = {name: {} for name in repositories}
        self.immutable: set[str] = set()
        self.scans: dict[tuple[str, str], dict[str, Any]] = {}
        """Repository and digest → DescribeImageScanFindings' answer."""
        self.failure = "ImageNotFound"
        """Why BatchGetImage gives no image."""
        self.page = page
        self.trouble = Trouble()
        self.calls: list[str] = []
        self.meanwhile: Callable[[], None] | None = None
        """Runs once, right after the next put_image: somebody else's act."""

    # ── what a builder does ──

    def push(self, repository: str, tag: str | None, content: str, at: datetime | None = None) -> str:
        manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [content]})
        return self._store(repository, tag, manifest, OCI_MANIFEST, at)

    def push_index(self, repository: str, tag: str, children: list[tuple[str, str, str]]) -> str:
        """`children`: digest, os, architecture."""
        manifests = [{"digest": d, "platform": {"os": os, "architecture": cpu}} for d, os, cpu in children]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
        return self._store(repository, tag, manifest, OCI_INDEX, None)

    def push_manifest(self, repository: str, manifest: dict[str, Any], tag: str | None = None) -> str:
        """Any manifest or index, as it is; its media type is its own."""
        media = manifest.get("mediaType", OCI_MANIFEST)
        return self._store(repository, tag, json.dumps({"schemaVersion": 2, **manifest}), media, None)

    def delete(self, repository: str, digest: str) -> None:
        del self.images[repository][digest]
        self.tags[repository] = {tag: d for tag, d in self.tags[repository].items() if d != digest}

    def _store(self, repository: str, tag: str | None, manifest: str, media: str, at: datetime | None) -> str:
        digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
        pushed_at = at or datetime(2026, 1, 1, tzinfo=UTC)
        self.images[repository].setdefault(digest, {"manifest": manifest, "media": media, "at": pushed_at})
        if tag:
            self.tags[repository][tag] = digest
        return digest

    # ── the API ──

    def describe_repositories(self, repositoryNames: list[str]) -> dict[str, Any]:  # noqa: N803
        self._enter("DescribeRepositories")
        for name in repositoryNames:
            self._known(name, "DescribeRepositories")
        return {"repositories": [{"repositoryUri": f"registry.example/{name}"} for name in repositoryNames]}

    def describe_images(self, repositoryName: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        self._enter("DescribeImages")
        self._known(repositoryName, "DescribeImages")
        tags = self.tags[repositoryName]
        if "imageIds" in request:
            (wanted,) = request["imageIds"]
            digest = wanted.get("imageDigest") or tags.get(wanted["imageTag"])
            if digest not in self.images[repositoryName]:
                raise refused("DescribeImages", "ImageNotFoundException")
            return {"imageDetails": [self._details(repositoryName, digest)]}
        found = sorted(set(tags.values()))
        start = int(request.get("nextToken", 0))
        page = found[start : start + self.page]
        more = {"nextToken": str(start + self.page)} if start + self.page < len(found) else {}
        return {"imageDetails": [self._details(repositoryName, digest) for digest in page], **more}

    def describe_image_scan_findings(self, repositoryName: str, imageId: dict[str, str]) -> dict[str, Any]:  # noqa: N803
        self._enter("DescribeImageScanFindings")
        self._known(repositoryName, "DescribeImageScanFindings")
        found = self.scans.get((repositoryName, imageId["imageDigest"]))
        if found is None:
            raise refused("DescribeImageScanFindings", "ScanNotFoundException")
        return found

    def batch_get_image(
        self, repositoryName: str, imageIds: list[dict[str, str]], acceptedMediaTypes: list[str]  # noqa: N803
    ) -> dict[str, Any]:  # fmt: skip
        self._enter("BatchGetImage")
        self._known(repositoryName, "BatchGetImage")
        image = self.images[repositoryName].get(imageIds[0]["imageDigest"])
        if image is None:
            return {"images": [], "failures": [{"failureCode": self.failure}]}
        assert image["media"] in acceptedMediaTypes
        return {"images": [{"imageManifest": image["manifest"], "imageManifestMediaType": image["media"]}]}

    def put_image(
        self, repositoryName: str, imageManifest: str, imageTag: str, imageDigest: str, **more: Any  # noqa: N803
    ) -> dict[str, Any]:  # fmt: skip
        self._enter("PutImage")
        if f"sha256:{hashlib.sha256(imageManifest.encode()).hexdigest()}" != imageDigest:
            raise refused("PutImage", "ImageDigestDoesNotMatchException")
        known = self.tags[repositoryName].get(imageTag)
        if known == imageDigest:
            raise refused("PutImage", "ImageAlreadyExistsException")
        if known is not None and repositoryName in self.immutable:
            raise refused("PutImage", "ImageTagAlreadyExistsException")
        self.tags[repositoryName][imageTag] = imageDigest
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        self.trouble.strike(self.trouble.after, "PutImage")
        return {}

    def _details(self, repository: str, digest: str) -> dict[str, Any]:
        tags = sorted(tag for tag, known in self.tags[repository].items() if known == digest)
        image = self.images[repository][digest]
        found = {"imageDigest": digest, "imageTags": tags, "imagePushedAt": image["at"]}
        configuration = json.loads(image["manifest"]).get("config", {}).get("mediaType")
        return found | ({"artifactMediaType": configuration} if configuration else {})

    def _enter(self, operation: str) -> None:
        self.calls.append(operation)
        self.trouble.strike(self.trouble.before, operation)

    def _known(self, repository: str, operation: str) -> None:
        if repository not in self.images:
            raise refused(operation, "RepositoryNotFoundException")
