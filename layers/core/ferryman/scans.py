"""What ECR's image scans tell. The edge; called by `ferryman.gather` and serve_api.

An index can't be scanned: the scan is its child's (AWS-FACTS.md, "Events").
"""

from typing import Any

from ferryman import ecr as ecr_edge
from ferryman.errors import NotFound
from ferryman.platform import Platform
from ferryman.records import Release
from ferryman.view import ImageScan

_READY = frozenset({"COMPLETE", "ACTIVE"})
"""ACTIVE: enhanced scanning, which goes on for as long as the image is there."""
_UNDER_WAY = frozenset({"IN_PROGRESS", "PENDING"})


def of_release(document: Platform, release: Release, ecr: Any) -> tuple[ImageScan, ...]:
    """Return what is known of each image of a release; of an index's child for linux/amd64, else for linux/arm64."""
    return tuple(_of_image(document, component, digest, ecr) for component, digest in sorted(release.digests.items()))


def _of_image(document: Platform, component: str, digest: str, ecr: Any) -> ImageScan:
    if component not in document.spec.components:
        return ImageScan(component, "Complete", message="the component is no longer in the document: nothing runs it")
    repository = document.spec.components[component].repository
    try:
        child = _child(ecr, repository, digest)
    except NotFound as error:
        return ImageScan(component, "Missing", message=str(error))
    return read(component, ecr_edge.scan_findings(ecr, repository, child))


def _child(ecr: Any, repository: str, digest: str) -> str:
    try:
        return ecr_edge.platform_digest(ecr, repository, digest, "X86_64")
    except NotFound:
        return ecr_edge.platform_digest(ecr, repository, digest, "ARM64")


def read(component: str, answer: dict[str, Any] | None) -> ImageScan:
    """Understand DescribeImageScanFindings' answer, or its absence. Pure."""
    if answer is None:
        return ImageScan(component, "Missing", message="ECR has not scanned it; scan-on-push may be off")
    said = answer.get("imageScanStatus", {})
    status = said.get("status", "")
    if status in _READY:
        counts = answer.get("imageScanFindings", {}).get("findingSeverityCounts", {})
        return ImageScan(component, "Complete", {severity: int(count) for severity, count in counts.items()})
    if status in _UNDER_WAY:
        return ImageScan(component, "Pending", message=status)
    # FAILED, UNSUPPORTED_IMAGE, SCAN_ELIGIBILITY_EXPIRED, FINDINGS_UNAVAILABLE, and whatever ECR will call it next.
    description = said.get("description", "")
    return ImageScan(component, "Failed", message=f"{status}: {description}" if description else status or "no status")
