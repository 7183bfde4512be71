"""What ECR's image scans tell. The edge; called by `controller.observe` and serve_api.

An index can't be scanned: the scan is its child's (docs/reference/aws-facts.md#image-tags-and-digests).
"""

from collections.abc import Sequence
from dataclasses import replace

from ferryman.clients import ecr as ecr_edge
from ferryman.clients.aws_types import ECRClient, ScanFindings
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import NotFound
from ferryman.platform import Platform
from ferryman.records import Release

_READY = frozenset({"COMPLETE", "ACTIVE"})
"""ACTIVE: enhanced scanning, which goes on for as long as the image is there."""
_UNDER_WAY = frozenset({"IN_PROGRESS", "PENDING"})


def of_release(document: Platform, release: Release, ecr: ECRClient) -> tuple[ImageScan, ...]:
    """Return what is known of each image of a release; of an index, the worst of its children for Linux."""
    return tuple(_of_image(document, component, digest, ecr) for component, digest in sorted(release.digests.items()))


def _of_image(document: Platform, component: str, digest: str, ecr: ECRClient) -> ImageScan:
    if component not in document.spec.components:
        return ImageScan(component, "Complete", message="the component is no longer in the document: nothing runs it")
    repository = document.spec.components[component].repository
    try:
        children = ecr_edge.linux_digests(ecr, repository, digest)
    except NotFound as error:
        return ImageScan(component, "Missing", message=str(error))
    return worst([read(component, ecr_edge.scan_findings(ecr, repository, child)) for child in children])


def worst(found: Sequence[ImageScan]) -> ImageScan:
    """Return the worst of the scans of an image's children: one that tells nothing, else all that was found. Pure."""
    gravest = max(found, key=lambda scan: _GRAVITY[scan.status])
    if gravest.status != "Complete":
        return gravest
    severities = {severity for scan in found for severity in scan.findings}
    return replace(
        gravest, findings={name: max(scan.findings.get(name, 0) for scan in found) for name in sorted(severities)}
    )  # fmt: skip


_GRAVITY = {"Complete": 0, "Pending": 1, "Unread": 1, "Missing": 2, "Failed": 3}


def read(component: str, answer: ScanFindings | None) -> ImageScan:
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
