"""ECR: images, tags that move, scans. Facts: docs/reference/aws-facts.md#ecr-re-tag."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulation.aws.errors import refusal

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
Answer = dict[str, Any]


@dataclass(frozen=True)
class Image:
    """What was pushed, and how it behaves."""

    manifest: str
    pushed_at: datetime
    runs: str = "well"
    """`well`; `crashes`: each task exits; `hangs`: tasks never become RUNNING; `ill`: runs, and fails its checks."""
    migrates: str = "well"
    """`well`; `fails`: exits with 1; `hangs`: runs until it is stopped."""


class Registry:
    """Repositories of one account."""

    def __init__(self, clock: Callable[[], datetime], *repositories: str) -> None:
        self._clock = clock
        self.images: dict[str, dict[str, Image]] = {name: {} for name in repositories}
        self.tags: dict[str, dict[str, str]] = {name: {} for name in repositories}
        self._configurations: dict[str, bytes] = {}
        self.scanned: dict[str, datetime] = {}
        """Digest → when its scan is complete."""
        self.findings: dict[str, dict[str, int]] = {}

    def push(
        self,
        repository: str,
        tag: str,
        content: str,
        *,
        runs: str = "well",
        migrates: str = "well",
        labels: dict[str, str] | None = None,
    ) -> str:
        """Do what `docker push` does; return the digest."""
        about = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": labels or {}}}).encode()
        digest = f"sha256:{hashlib.sha256(about).hexdigest()}"
        self._configurations[digest] = about
        config = {"digest": digest, "size": len(about), "mediaType": "application/vnd.oci.image.config.v1+json"}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [content]})
        own = digest_of(manifest)
        self.images[repository].setdefault(own, Image(manifest, self._clock(), runs, migrates))
        self.tags[repository][tag] = own
        return own

    def moved_by_hand(self, repository: str, tag: str) -> None:
        """Point a moving tag at the oldest image, as a person may."""
        self.tags[repository][tag] = next(iter(self.images[repository]))

    def by_digest(self, digest: str) -> Image | None:
        """Return an image of any repository."""
        return next((found[digest] for found in self.images.values() if digest in found), None)

    # ── the client's operations ──

    def describe_repositories(self, request: Answer) -> Answer:
        """DescribeRepositories."""
        for name in request["repositoryNames"]:
            self._known(name, "DescribeRepositories")
        return {"repositories": [{"repositoryUri": f"registry.example/{name}"} for name in request["repositoryNames"]]}

    def describe_images(self, request: Answer) -> Answer:
        """DescribeImages: one by tag or digest, or all that have a tag."""
        name = self._known(request["repositoryName"], "DescribeImages")
        if "imageIds" in request:
            (wanted,) = request["imageIds"]
            digest = wanted.get("imageDigest") or self.tags[name].get(wanted["imageTag"])
            if digest not in self.images[name]:
                raise refusal("DescribeImages", "ImageNotFoundException")
            return {"imageDetails": [self._details(name, digest)]}
        return {"imageDetails": [self._details(name, digest) for digest in sorted(set(self.tags[name].values()))]}

    def batch_get_image(self, request: Answer) -> Answer:
        """BatchGetImage of one digest."""
        name = self._known(request["repositoryName"], "BatchGetImage")
        image = self.images[name].get(request["imageIds"][0]["imageDigest"])
        if image is None:
            return {"images": [], "failures": [{"failureCode": "ImageNotFound"}]}
        return {"images": [{"imageManifest": image.manifest, "imageManifestMediaType": MANIFEST}], "failures": []}

    def put_image(self, request: Answer) -> Answer:
        """PutImage: give an image another tag."""
        name, digest, tag = request["repositoryName"], request["imageDigest"], request["imageTag"]
        if digest_of(request["imageManifest"]) != digest:
            raise refusal("PutImage", "ImageDigestDoesNotMatchException")
        if self.tags[name].get(tag) == digest:
            raise refusal("PutImage", "ImageAlreadyExistsException")
        self.tags[name][tag] = digest
        return {}

    def get_download_url_for_layer(self, request: Answer) -> Answer:
        """GetDownloadUrlForLayer, of a configuration."""
        return {"downloadUrl": f"https://layers.example/{request['layerDigest']}"}

    def download(self, url: str) -> bytes:
        """Return what such an address gives."""
        return self._configurations[url.rpartition("/")[2]]

    def describe_image_scan_findings(self, request: Answer) -> Answer:
        """DescribeImageScanFindings."""
        digest = request["imageId"]["imageDigest"]
        at = self.scanned.get(digest)
        if at is None:
            raise refusal("DescribeImageScanFindings", "ScanNotFoundException")
        if at > self._clock():
            return {"imageScanStatus": {"status": "IN_PROGRESS"}}
        counts = self.findings.get(digest, {})
        return {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {"findingSeverityCounts": counts}}

    # ── inside ──

    def _known(self, repository: str, operation: str) -> str:
        if repository not in self.images:
            raise refusal(operation, "RepositoryNotFoundException")
        return repository

    def _details(self, repository: str, digest: str) -> Answer:
        tags = sorted(tag for tag, known in self.tags[repository].items() if known == digest)
        return {
            "imageDigest": digest,
            "imageTags": tags,
            "imagePushedAt": self.images[repository][digest].pushed_at,
        }


def digest_of(manifest: str) -> str:
    """Return the digest that ECR computes."""
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
