"""ECR on the local AWS: re-tags, immutable tags, layers and image scans as AWS has them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.images import oci

MANIFESTS = [oci.MANIFEST, oci.INDEX]


@pytest.fixture
def repository(aws: Callable[[str], Any]) -> str:
    """Immutable but for moving tags, scanned on push: what Terraform makes."""
    name = f"r-{uuid4().hex[:8]}"
    aws("ecr").create_repository(
        repositoryName=name,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "*-latest"}],
        imageScanningConfiguration={"scanOnPush": True},
    )
    return name


@pytest.fixture
def image(tmp_path: Path) -> Callable[..., oci.Built]:
    def build(**env: str) -> oci.Built:
        (tmp_path / "main.py").write_text("print('hello')")
        return oci.Built(oci.layer_of({"app/main.py": tmp_path / "main.py"}), ("python",), env, "/app")

    return build


def manifest(aws: Callable[[str], Any], repository: str, digest: str) -> dict[str, Any]:
    found = aws("ecr").batch_get_image(
        repositoryName=repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=MANIFESTS
    )["images"][0]
    return {
        "repositoryName": repository,
        "imageManifest": found["imageManifest"],
        "imageManifestMediaType": found["imageManifestMediaType"],
        "imageDigest": digest,
    }


def tagged(aws: Callable[[str], Any], repository: str, tag: str) -> str:
    found = aws("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    return str(found[0]["imageDigest"])


@pytest.mark.parametrize("index", [False, True], ids=["image", "index"])
def test_a_re_tag_moves_the_same_bytes_and_says_when_nothing_changes(
    aws: Callable[[str], Any], emulator: Emulator, repository: str, image: Callable[..., oci.Built], index: bool
) -> None:
    ecr, push = aws("ecr"), oci.push_index if index else oci.push
    old = push(emulator.port, repository, "1111111", image(NUMBER="1"))
    new = push(emulator.port, repository, "2222222", image(NUMBER="2"))
    for digest in (old, new):
        ecr.put_image(imageTag="production-latest", **manifest(aws, repository, digest))
        assert tagged(aws, repository, "production-latest") == digest
    assert (tagged(aws, repository, "1111111"), tagged(aws, repository, "2222222")) == (old, new)
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(imageTag="production-latest", **manifest(aws, repository, new))
    by_tag = httpx.get(f"{emulator.endpoint}/v2/{repository}/manifests/production-latest", trust_env=False)
    assert by_tag.headers["docker-content-digest"] == new


def test_an_immutable_tag_stays(
    aws: Callable[[str], Any], emulator: Emulator, repository: str, image: Callable[..., oci.Built]
) -> None:
    ecr = aws("ecr")
    old = oci.push(emulator.port, repository, "v1.0.0", image(NUMBER="1"))
    new = oci.push(emulator.port, repository, "2222222", image(NUMBER="2"))
    with pytest.raises(ecr.exceptions.ImageTagAlreadyExistsException):
        ecr.put_image(imageTag="v1.0.0", **manifest(aws, repository, new))
    with pytest.raises(oci.ImageError, match="immutable"):
        oci.push(emulator.port, repository, "v1.0.0", image(NUMBER="2"))
    assert tagged(aws, repository, "v1.0.0") == old
    assert oci.push(emulator.port, repository, "v1.0.0", image(NUMBER="1")) == old, "the same bytes are welcome"


def test_other_bytes_than_the_digest_are_refused(
    aws: Callable[[str], Any], emulator: Emulator, repository: str, image: Callable[..., oci.Built]
) -> None:
    ecr = aws("ecr")
    wanted = manifest(aws, repository, oci.push(emulator.port, repository, "1111111", image()))
    changed = {**wanted, "imageManifest": wanted["imageManifest"] + " "}
    with pytest.raises(ecr.exceptions.ImageDigestDoesNotMatchException):
        ecr.put_image(imageTag="production-latest", **changed)


def test_the_configuration_of_an_image_can_be_downloaded(
    aws: Callable[[str], Any], emulator: Emulator, repository: str, image: Callable[..., oci.Built]
) -> None:
    ecr = aws("ecr")
    digest = oci.push(emulator.port, repository, "1111111", image(NUMBER="7"))
    config = json.loads(manifest(aws, repository, digest)["imageManifest"])["config"]["digest"]
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=config)["downloadUrl"]
    assert "NUMBER=7" in httpx.get(url, trust_env=False).json()["config"]["Env"]
    with pytest.raises(ecr.exceptions.LayersNotFoundException):
        ecr.get_download_url_for_layer(repositoryName=repository, layerDigest="sha256:" + "0" * 64)


def test_labels_of_an_image_are_in_its_configuration(image: Callable[..., oci.Built]) -> None:
    built = oci.Built(**{**image().__dict__, "labels": {"dev.ferryman.migrations": "0001,0002"}})
    assert json.loads(built.config("amd64"))["config"]["Labels"] == {"dev.ferryman.migrations": "0001,0002"}
    assert "Labels" not in json.loads(image().config("amd64"))["config"], "digests of other images stay as they were"


def test_scans_are_clean_unless_a_test_says_otherwise(
    aws: Callable[[str], Any],
    emulator: Emulator,
    control: httpx.Client,
    repository: str,
    image: Callable[..., oci.Built],
) -> None:
    ecr = aws("ecr")
    digest = oci.push(emulator.port, repository, "1111111", image())

    def scan() -> Any:
        return ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageDigest": digest})

    assert scan()["imageScanStatus"]["status"] == "COMPLETE"
    assert scan()["imageScanFindings"]["findingSeverityCounts"] == {}
    control.put(f"/scans/{digest}", json={"counts": {"CRITICAL": 2, "LOW": 1}})
    assert scan()["imageScanFindings"]["findingSeverityCounts"] == {"CRITICAL": 2, "LOW": 1}
    assert len(scan()["imageScanFindings"]["findings"]) == 3
    control.put(f"/scans/{digest}", json={"status": "FAILED", "description": "UnsupportedImageError"})
    assert (scan()["imageScanStatus"]["status"], "imageScanFindings" in scan()) == ("FAILED", False)
    control.put(f"/scans/{digest}", json={})
    with pytest.raises(ecr.exceptions.ScanNotFoundException):
        scan()
    control.delete("/scans")
    assert scan()["imageScanStatus"]["status"] == "COMPLETE"


def test_an_index_is_not_scanned_but_its_child_is(
    aws: Callable[[str], Any], emulator: Emulator, repository: str, image: Callable[..., oci.Built]
) -> None:
    ecr = aws("ecr")
    index = oci.push_index(emulator.port, repository, "1111111", image())
    with pytest.raises(ecr.exceptions.ScanNotFoundException):
        ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageDigest": index})
    for child in json.loads(manifest(aws, repository, index)["imageManifest"])["manifests"]:
        told = ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageDigest": child["digest"]})
        assert told["imageScanStatus"]["status"] == "COMPLETE"
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageTag": "none"})


def test_an_image_that_is_not_there_is_refused(
    aws: Callable[[str], Any], emulator: Emulator, repository: str, image: Callable[..., oci.Built]
) -> None:
    ecr = aws("ecr")
    digest = oci.push(emulator.port, repository, "1111111", image())
    known = {"imageDigest": digest}
    for unknown in ({"imageTag": "2222222"}, {"imageDigest": "sha256:" + "0" * 64}):
        with pytest.raises(ecr.exceptions.ImageNotFoundException):
            ecr.describe_images(repositoryName=repository, imageIds=[known, unknown])
    assert oci.tag(emulator.port, repository, "1111111", "v1.0.0") == digest
    (found,) = ecr.describe_images(repositoryName=repository, imageIds=[known])["imageDetails"]
    assert sorted(found["imageTags"]) == ["1111111", "v1.0.0"]
