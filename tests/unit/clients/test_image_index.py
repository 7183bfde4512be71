"""What of an index is an image, and which one a task pulls: shapes that builders and registries make."""

from typing import Any

import pytest

from ferryman.clients import ecr
from ferryman.clients.ecr import WrongPlatform
from ferryman.clients.image_index import ANYWHERE, FARGATE, RunsOn
from ferryman.errors import NotFound, Unavailable
from unit.fakes.ecr import OCI_INDEX, OCI_MANIFEST, FakeEcr

REPOSITORY = "scr-api"
ARM = RunsOn("linux", "arm64")
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
SIGNATURE = {"artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json", "config": {"mediaType": "x/empty"}}
SOCI = "application/vnd.amazon.soci.index.v2+json"


@pytest.fixture
def fake() -> FakeEcr:
    return FakeEcr(REPOSITORY)


def entry(digest: str, os: str = "linux", cpu: str = "amd64", **more: Any) -> dict[str, Any]:
    return {"mediaType": OCI_MANIFEST, "digest": digest, "platform": {"os": os, "architecture": cpu}, **more}


def bare(digest: str, *platform: Any) -> dict[str, Any]:
    """An entry without a platform, or with `null` in its place."""
    return {"mediaType": OCI_MANIFEST, "digest": digest, **({"platform": platform[0]} if platform else {})}


def index(fake: FakeEcr, *entries: dict[str, Any], media: str = OCI_INDEX) -> str:
    return fake.push_manifest(REPOSITORY, {"mediaType": media, "manifests": list(entries)})


def image(fake: FakeEcr, name: str, **more: Any) -> str:
    return fake.push_manifest(
        REPOSITORY, {"mediaType": OCI_MANIFEST, "config": {"mediaType": CONFIG}, "n": name, **more}
    )


def pulled(fake: FakeEcr, digest: str, on: RunsOn = FARGATE) -> list[str]:
    return ecr.platform_digests(fake, REPOSITORY, digest, on)


# ── K3: what is not an image ──

NO_IMAGES = [
    pytest.param({"artifactType": SOCI}, id="soci-v2"),
    pytest.param({"annotations": {"com.amazon.soci.image-manifest-digest": "sha256:app"}}, id="soci-v2-by-annotation"),
    pytest.param(
        {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}, id="attestation-with-platform"
    ),
    pytest.param({"artifactType": "application/vnd.cncf.notary.signature"}, id="notation"),
    pytest.param({"artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json"}, id="cosign"),
    pytest.param({"artifactType": "application/spdx+json"}, id="sbom"),
]


@pytest.mark.parametrize("mark", NO_IMAGES)
@pytest.mark.parametrize("first", [True, False])
def test_an_entry_that_carries_the_images_platform_and_is_none(
    fake: FakeEcr, mark: dict[str, Any], first: bool
) -> None:
    entries = [entry("sha256:app"), entry("sha256:other", **mark)]
    found = index(fake, *(reversed(entries) if first else entries))
    assert pulled(fake, found) == ecr.linux_digests(fake, REPOSITORY, found) == ["sha256:app"]


def test_an_image_may_name_its_configuration_as_artifact_type(fake: FakeEcr) -> None:
    assert pulled(fake, index(fake, entry("sha256:app", artifactType=CONFIG))) == ["sha256:app"]


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(SIGNATURE, id="artifact-type"),
        pytest.param({"config": {"mediaType": "application/vnd.oci.empty.v1+json"}}, id="empty-configuration"),
        pytest.param({"config": {"mediaType": CONFIG}, "subject": {"digest": "sha256:app"}}, id="referrer"),
    ],
)
def test_two_entries_for_one_platform_are_told_apart_by_their_manifests(
    fake: FakeEcr, manifest: dict[str, Any]
) -> None:
    other = fake.push_manifest(REPOSITORY, {"mediaType": OCI_MANIFEST, **manifest})
    app = image(fake, "app")
    assert pulled(fake, index(fake, entry(other), entry(app))) == [app]


def test_architectures_that_ecs_has_no_machines_for_are_not_asked_for(fake: FakeEcr) -> None:
    found = index(
        fake, entry("sha256:s390x", cpu="s390x"), entry("sha256:v7", cpu="arm"), entry("sha256:386", cpu="386"),
        entry("sha256:app"), entry("sha256:arm", cpu="arm64"), entry("sha256:attestation", "unknown", "unknown"),
    )  # fmt: skip
    assert ecr.linux_digests(fake, REPOSITORY, found) == ["sha256:app", "sha256:arm"]


# ── K4: guesses about the platform ──


@pytest.mark.parametrize("media", [OCI_INDEX, LIST])
def test_index_and_manifest_list_are_the_same(fake: FakeEcr, media: str) -> None:
    found = index(fake, entry("sha256:amd"), entry("sha256:arm", cpu="arm64"), media=media)
    assert (pulled(fake, found), pulled(fake, found, ARM)) == (["sha256:amd"], ["sha256:arm"])


@pytest.mark.parametrize("platform", [(), (None,), ({},), ("none",)], ids=["none", "null", "empty", "text"])
def test_an_entry_without_a_platform_is_accepted_where_nothing_else_fits(fake: FakeEcr, platform: Any) -> None:
    app = image(fake, "app")
    assert pulled(fake, index(fake, bare(app, *platform))) == [app]
    assert pulled(fake, index(fake, bare(app, *platform), entry("sha256:amd"))) == ["sha256:amd"]


def test_an_entry_without_a_platform_that_is_no_image_is_not(fake: FakeEcr) -> None:
    signature = fake.push_manifest(REPOSITORY, {"mediaType": OCI_MANIFEST, **SIGNATURE})
    with pytest.raises(WrongPlatform, match="nothing that runs"):
        pulled(fake, index(fake, bare(signature), bare("sha256:gone", None)))


def test_an_index_in_an_index(fake: FakeEcr) -> None:
    inner = index(fake, entry("sha256:arm", cpu="arm64"), entry("sha256:a", "unknown", "unknown"))
    outer = index(fake, entry("sha256:amd"), {"mediaType": OCI_INDEX, "digest": inner})
    assert (pulled(fake, outer), pulled(fake, outer, ARM)) == (["sha256:amd"], ["sha256:arm"])


def test_an_index_that_contains_indexes_without_end_ends(fake: FakeEcr) -> None:
    found = index(fake, entry("sha256:deep"))
    for _ in range(5):
        found = index(fake, {"mediaType": OCI_INDEX, "digest": found})
    with pytest.raises(WrongPlatform):
        pulled(fake, found)


@pytest.mark.parametrize("cpu", ["aarch64", "ARM64"])
def test_other_names_of_an_architecture(fake: FakeEcr, cpu: str) -> None:
    assert pulled(fake, index(fake, entry("sha256:arm", cpu=cpu)), ARM) == ["sha256:arm"]


def test_graviton_on_ec2_without_a_runtime_platform_takes_what_there_is(fake: FakeEcr) -> None:
    assert pulled(fake, index(fake, entry("sha256:arm", cpu="arm64")), ANYWHERE) == ["sha256:arm"]
    both = index(fake, entry("sha256:arm", cpu="arm64"), entry("sha256:amd"))
    assert pulled(fake, both, ANYWHERE) == ["sha256:amd", "sha256:arm"]


def windows(build: str) -> dict[str, Any]:
    platform = {"os": "windows", "architecture": "amd64", "os.version": f"{build}.1129"}
    return {**entry(f"sha256:{build}"), "platform": platform}


def test_windows_runs_the_image_of_its_own_build(fake: FakeEcr) -> None:
    found = index(fake, entry("sha256:linux"), windows("10.0.17763"), windows("10.0.20348"))
    assert pulled(fake, found, RunsOn("windows", "amd64", "10.0.20348")) == ["sha256:10.0.20348"]
    with pytest.raises(WrongPlatform, match="windows/amd64"):
        pulled(fake, found, RunsOn("windows", "amd64", "10.0.26100"))
    assert pulled(fake, found) == ["sha256:linux"]


@pytest.mark.parametrize("code", ["UpstreamUnavailable", "UpstreamTooManyRequests", "KmsError"])
def test_an_image_that_ecr_can_not_give_just_now_is_not_gone(fake: FakeEcr, code: str) -> None:
    fake.failure = code
    with pytest.raises(Unavailable, match=code):
        pulled(fake, "sha256:app")


def test_an_image_that_ecr_does_not_give_says_why(fake: FakeEcr) -> None:
    fake.failure = "ImageInaccessible"
    with pytest.raises(NotFound, match="ImageInaccessible"):
        pulled(fake, "sha256:app")
