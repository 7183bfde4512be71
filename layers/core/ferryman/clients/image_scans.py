"""What ECR's image scans tell. The edge; called by `controller.observe` and serve_api.

An index can't be scanned: the scan is its child's (docs/reference/aws-facts.md#image-tags-and-digests).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from ferryman.clients import ecr as ecr_edge
from ferryman.clients.aws_errors import Refusal, code_and_sentence, code_of
from ferryman.clients.aws_types import ECRClient, ScanFindings
from ferryman.clients.image_index import ANYWHERE, RunsOn
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import NotFound
from ferryman.platform import Platform
from ferryman.records import Release

_READY = frozenset({"COMPLETE", "ACTIVE"})
"""ACTIVE: enhanced scanning, which goes on for as long as the image is there."""
_UNDER_WAY = frozenset({"IN_PROGRESS", "PENDING"})
_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})
_NEEDED = (
    "reading scans needs ecr:DescribeImageScanFindings, and with enhanced scanning inspector2:ListFindings and "
    "inspector2:ListCoverage"
)
_SEVERITIES = {"UNTRIAGED": "UNDEFINED"}
"""Severities of enhanced scanning (Inspector) → those of a document, where they have another name."""


type Platforms = Callable[[str], frozenset[RunsOn]]
"""Component → the platforms that it runs on in an environment; empty when that is not known."""


def of_release(
    document: Platform,
    release: Release,
    ecr: ECRClient,
    *,
    platforms: Platforms | None = None,
    planned: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> tuple[ImageScan, ...]:
    """Return what is known of each image of a release; of an index, the worst of those that the services run.

    `planned` names the images of an index by component where a plan has found them. `platforms` is asked where an index
    has more than one image; without it every image counts that a Linux task on ECS may pull.
    """
    return tuple(
        _of_image(document, component, digest, ecr, platforms, planned.get(component, ()))
        for component, digest in sorted(release.digests.items())
    )


def _of_image(
    document: Platform,
    component: str,
    digest: str,
    ecr: ECRClient,
    platforms: Platforms | None,
    planned: Collection[str],
) -> ImageScan:
    if component not in document.spec.components:
        return ImageScan(component, "Complete", message="the component is no longer in the document: nothing runs it")
    repository = document.spec.components[component].repository
    try:
        children = planned or _children(repository, component, digest, ecr, platforms)
        return worst([read(component, ecr_edge.scan_findings(ecr, repository, child)) for child in sorted(children)])
    except NotFound as error:
        return ImageScan(component, "Missing", message=str(error))
    except Refusal as error:
        if code_of(error) not in _DENIED:
            raise
        # It does not pass by itself: people hear of it, with what is missing.
        return ImageScan(component, "Denied", message=f"{code_and_sentence(error)[1]}; {_NEEDED}")


def _children(
    repository: str, component: str, digest: str, ecr: ECRClient, platforms: Platforms | None
) -> Collection[str]:
    everywhere = ecr_edge.platform_digests(ecr, repository, digest, ANYWHERE)
    if everywhere == [digest]:
        return everywhere
    known = platforms(component) if platforms is not None else frozenset()
    if not known:
        return ecr_edge.linux_digests(ecr, repository, digest)
    return {child for on in known for child in ecr_edge.platform_digests(ecr, repository, digest, on)}


def worst(found: Sequence[ImageScan]) -> ImageScan:
    """Return the worst of the scans of an image's children: one that tells nothing, else all that was found. Pure."""
    gravest = max(found, key=lambda scan: _GRAVITY[scan.status])
    if gravest.status != "Complete":
        return gravest
    severities = {severity for scan in found for severity in scan.findings}
    return replace(
        gravest, findings={name: max(scan.findings.get(name, 0) for scan in found) for name in sorted(severities)}
    )  # fmt: skip


_GRAVITY = {"Complete": 0, "Pending": 1, "Unread": 1, "Missing": 2, "Failed": 3, "Denied": 4}


def read(component: str, answer: ScanFindings | None) -> ImageScan:
    """Understand DescribeImageScanFindings' answer, or its absence. Pure."""
    if answer is None:
        return ImageScan(component, "Missing", message="ECR has not scanned it; scan-on-push may be off")
    said = answer.get("imageScanStatus", {})
    status = said.get("status", "")
    if status in _READY:
        return ImageScan(component, "Complete", _severities(answer))
    if status in _UNDER_WAY:
        return ImageScan(component, "Pending", message=status)
    # FAILED, UNSUPPORTED_IMAGE, SCAN_ELIGIBILITY_EXPIRED, FINDINGS_UNAVAILABLE, and whatever ECR will call it next.
    description = said.get("description", "")
    return ImageScan(component, "Failed", message=f"{status}: {description}" if description else status or "no status")


def _severities(answer: ScanFindings) -> dict[str, int]:
    """Return severity → how many findings, of basic and of enhanced scanning.

    Without counts the findings themselves are counted: those of the page that was read, which is the first.
    """
    found = answer.get("imageScanFindings", {})
    counted = {str(name): int(count) for name, count in found.get("findingSeverityCounts", {}).items()}
    if not counted:
        listed = [*found.get("findings", []), *found.get("enhancedFindings", [])]
        counted = Counter(str(item.get("severity", "UNDEFINED")) for item in listed)
    counts: dict[str, int] = {}
    for severity, count in counted.items():
        name = _SEVERITIES.get(severity, severity)
        counts[name] = counts.get(name, 0) + count
    return counts
