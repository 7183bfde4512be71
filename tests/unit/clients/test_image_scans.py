"""What ECR's scans tell of a release, as ECR answers in its many ways."""

from typing import Any

import pytest

from ferryman.clients import image_scans
from ferryman.clients.image_index import RunsOn
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import Throttled
from ferryman.records import Image, Release
from unit import builders as make
from unit.fakes.ecr import OCI_INDEX, OCI_MANIFEST, FakeEcr, refused
from unit.operating import document

DOCUMENT = document()
BASIC = {
    "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
    "imageScanFindings": {"findingSeverityCounts": {"CRITICAL": 1, "LOW": 7}, "findings": [{"severity": "CRITICAL"}]},
}
ENHANCED = {
    "imageScanStatus": {"status": "ACTIVE", "description": "Continuous scan is selected for image."},
    "imageScanFindings": {"findingSeverityCounts": {"HIGH": 2, "UNTRIAGED": 1}, "enhancedFindings": [{}]},
}
FEW = {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {"findingSeverityCounts": {"LOW": 9}}}


@pytest.fixture
def ecr() -> FakeEcr:
    return FakeEcr("scr-api", "scr-web")


def release(**digests: str) -> Release:
    images = {name: Image(digest=digest, tag="r1", first_seen_at=make.AT) for name, digest in digests.items()}
    return make.release("r1", components=images)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (BASIC, ("Complete", {"CRITICAL": 1, "LOW": 7})),
        (ENHANCED, ("Complete", {"HIGH": 2, "UNDEFINED": 1})),
        ({"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {}}, ("Complete", {})),
        ({"imageScanStatus": {"status": "ACTIVE"}}, ("Complete", {})),
        (
            {
                "imageScanStatus": {"status": "ACTIVE"},
                "imageScanFindings": {"enhancedFindings": [{"severity": "CRITICAL"}, {"severity": "UNTRIAGED"}, {}]},
            },
            ("Complete", {"CRITICAL": 1, "UNDEFINED": 2}),
        ),
        ({"imageScanStatus": {"status": "IN_PROGRESS"}}, ("Pending", {})),
        ({"imageScanStatus": {"status": "PENDING"}}, ("Pending", {})),
        ({"imageScanStatus": {"status": "FAILED", "description": "no OS found"}}, ("Failed", {})),
        ({"imageScanStatus": {"status": "UNSUPPORTED_IMAGE"}}, ("Failed", {})),
        ({"imageScanStatus": {"status": "SCAN_ELIGIBILITY_EXPIRED"}}, ("Failed", {})),
        ({"imageScanStatus": {"status": "FINDINGS_UNAVAILABLE"}}, ("Failed", {})),
        ({"imageScanStatus": {"status": "SOMETHING_NEW"}}, ("Failed", {})),
        ({}, ("Failed", {})),
        (None, ("Missing", {})),
    ],
)
def test_read(answer: dict[str, Any] | None, expected: tuple[str, dict[str, int]]) -> None:
    found = image_scans.read("api", answer)
    assert (found.status, found.findings) == expected
    assert found.message or found.status == "Complete"


def test_a_failure_says_why() -> None:
    answer = {"imageScanStatus": {"status": "UNSUPPORTED_IMAGE", "description": "The operating system is unknown."}}
    assert image_scans.read("api", answer).message == "UNSUPPORTED_IMAGE: The operating system is unknown."


def test_each_image_is_looked_up_by_digest(ecr: FakeEcr) -> None:
    api, web = ecr.push("scr-api", "r1", "one"), ecr.push("scr-web", "r1", "two")
    ecr.scans = {("scr-api", api): BASIC, ("scr-web", web): ENHANCED}
    assert image_scans.of_release(DOCUMENT, release(web=web, api=api), ecr) == (
        ImageScan("api", "Complete", {"CRITICAL": 1, "LOW": 7}),
        ImageScan("web", "Complete", {"HIGH": 2, "UNDEFINED": 1}),
    )


@pytest.mark.parametrize(
    ("amd", "arm", "expected"),
    [
        (BASIC, None, ("Missing", {})),
        (None, BASIC, ("Missing", {})),
        (BASIC, {"imageScanStatus": {"status": "FAILED"}}, ("Failed", {})),
        (BASIC, {"imageScanStatus": {"status": "IN_PROGRESS"}}, ("Pending", {})),
        (None, {"imageScanStatus": {"status": "IN_PROGRESS"}}, ("Missing", {})),
        (BASIC, ENHANCED, ("Complete", {"CRITICAL": 1, "HIGH": 2, "LOW": 7, "UNDEFINED": 1})),
        (BASIC, FEW, ("Complete", {"CRITICAL": 1, "LOW": 9})),
        (FEW, BASIC, ("Complete", {"CRITICAL": 1, "LOW": 9})),
    ],
)
def test_of_an_index_the_worst_of_the_children_for_linux_counts(
    ecr: FakeEcr, amd: Any, arm: Any, expected: tuple[str, dict[str, int]]
) -> None:
    children = [
        ("sha256:amd", "linux", "amd64"),
        ("sha256:arm", "linux", "arm64"),
        ("sha256:proof", "unknown", "unknown"),
    ]
    index = ecr.push_index("scr-api", "r1", children)
    known = {"sha256:amd": amd, "sha256:arm": arm, index: ENHANCED}
    ecr.scans = {("scr-api", digest): answer for digest, answer in known.items() if answer is not None}
    (found,) = image_scans.of_release(DOCUMENT, release(api=index), ecr)
    assert (found.status, found.findings) == expected


def test_of_an_index_with_one_child_that_one_counts(ecr: FakeEcr) -> None:
    index = ecr.push_index("scr-api", "r1", [("sha256:arm", "linux", "arm64"), ("sha256:p", "unknown", "unknown")])
    ecr.scans = {("scr-api", "sha256:arm"): BASIC}
    (found,) = image_scans.of_release(DOCUMENT, release(api=index), ecr)
    assert found.findings == {"CRITICAL": 1, "LOW": 7}


SOCI_V2 = {
    "mediaType": OCI_INDEX,
    "manifests": [
        {
            "mediaType": OCI_MANIFEST,
            "digest": "sha256:app",
            "platform": {"architecture": "amd64", "os": "linux"},
            "annotations": {"com.amazon.soci.index-digest": "sha256:soci"},
        },
        {
            "mediaType": OCI_MANIFEST,
            "digest": "sha256:soci",
            "artifactType": "application/vnd.amazon.soci.index.v2+json",
            "platform": {"architecture": "amd64", "os": "linux"},
            "annotations": {"com.amazon.soci.image-manifest-digest": "sha256:app"},
        },
    ],
}


def test_a_soci_index_that_carries_the_images_platform_is_not_waited_for(ecr: FakeEcr) -> None:
    index = ecr.push_manifest("scr-api", SOCI_V2)
    ecr.scans = {("scr-api", "sha256:app"): BASIC}
    (found,) = image_scans.of_release(DOCUMENT, release(api=index), ecr)
    assert (found.status, found.findings) == ("Complete", {"CRITICAL": 1, "LOW": 7})


def test_only_the_image_that_the_services_run_is_asked_for(ecr: FakeEcr) -> None:
    children = [("sha256:amd", "linux", "amd64"), ("sha256:arm", "linux", "arm64"), ("sha256:ppc", "linux", "ppc64le")]
    index = ecr.push_index("scr-api", "r1", children)
    ecr.scans = {("scr-api", "sha256:arm"): FEW}
    asked: list[str] = []

    def platforms(component: str) -> frozenset[RunsOn]:
        asked.append(component)
        return frozenset({RunsOn("linux", "arm64")})

    (found,) = image_scans.of_release(DOCUMENT, release(api=index), ecr, platforms=platforms)
    assert (found.status, found.findings, asked) == ("Complete", {"LOW": 9}, ["api"])
    (planned,) = image_scans.of_release(DOCUMENT, release(api=index), ecr, planned={"api": {"sha256:arm"}})
    assert planned == found
    (unknown,) = image_scans.of_release(DOCUMENT, release(api=index), ecr, platforms=lambda _: frozenset())
    assert unknown.status == "Missing"


def test_an_index_without_the_platform_of_a_service_says_so(ecr: FakeEcr) -> None:
    index = ecr.push_index("scr-api", "r1", [("sha256:amd", "linux", "amd64")])
    arm = frozenset({RunsOn("linux", "arm64")})
    (found,) = image_scans.of_release(DOCUMENT, release(api=index), ecr, platforms=lambda _: arm)
    assert (found.status, "linux/arm64" in found.message) == ("Missing", True)


def test_an_index_for_no_linux_an_image_that_is_gone_and_one_never_scanned_are_missing(ecr: FakeEcr) -> None:
    windows = ecr.push_index("scr-api", "r1", [("sha256:w", "windows", "amd64")])
    found = [
        image_scans.of_release(DOCUMENT, release(api=digest), ecr)[0]
        for digest in (windows, "sha256:gone", ecr.push("scr-api", "r2", "one"))
    ]
    assert [item.status for item in found] == ["Missing"] * 3
    assert [
        "windows/amd64" in found[0].message,
        "lifecycle" in found[1].message,
        "scan-on-push" in found[2].message,
    ] == [True] * 3


def test_a_component_that_left_the_document_holds_nothing_back(ecr: FakeEcr) -> None:
    api = ecr.push("scr-api", "r1", "one")
    ecr.scans = {("scr-api", api): BASIC}
    found = image_scans.of_release(DOCUMENT, release(api=api, jobs="sha256:jobs"), ecr)
    assert [(item.component, item.status, item.findings) for item in found][1] == ("jobs", "Complete", {})


def test_throttling_is_worth_another_try(ecr: FakeEcr) -> None:
    api = ecr.push("scr-api", "r1", "one")
    ecr.trouble.throttle("DescribeImageScanFindings")
    with pytest.raises(Throttled):
        image_scans.of_release(DOCUMENT, release(api=api), ecr)


def test_any_other_refusal_is_an_error_and_no_verdict(ecr: FakeEcr) -> None:
    api = ecr.push("scr-api", "r1", "one")
    code = "InvalidParameterException"
    ecr.trouble.before["DescribeImageScanFindings"] = [refused("DescribeImageScanFindings", code)]
    with pytest.raises(Exception, match=code):
        image_scans.of_release(DOCUMENT, release(api=api), ecr)


@pytest.mark.parametrize("operation", ["DescribeImageScanFindings", "BatchGetImage"])
def test_a_refused_permission_is_told_with_what_is_missing(ecr: FakeEcr, operation: str) -> None:
    api = ecr.push_index("scr-api", "r1", [("sha256:amd", "linux", "amd64"), ("sha256:arm", "linux", "arm64")])
    ecr.trouble.before[operation] = [refused(operation, "AccessDeniedException")]
    (found,) = image_scans.of_release(DOCUMENT, release(api=api), ecr)
    assert found.status == "Denied"
    for part in (operation, "ecr:DescribeImageScanFindings", "inspector2:ListFindings", "inspector2:ListCoverage"):
        assert part in found.message
