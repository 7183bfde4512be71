"""Images as a plan names them: by digest, as the child that the task pulls."""

from typing import Any

import pytest

from ferryman.errors import DigestMismatch, NotFound
from ferryman.steps.plan_images import Images, architecture
from unit import builders as make
from unit.fakes.ecr import FakeEcr
from unit.operating import document


def nowhere(url: str) -> bytes:
    raise AssertionError(url)


@pytest.fixture
def ecr() -> FakeEcr:
    return FakeEcr("scr-api", "scr-web")


@pytest.fixture
def images(ecr: FakeEcr) -> Images:
    return Images(document(), ecr, nowhere)


def test_an_image_is_named_by_its_repository_and_digest(images: Images) -> None:
    assert images.uri("api", make.digest("a")) == f"registry.example/scr-api@{make.digest('a')}"


def test_a_repository_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="scr-web"):
        Images(document(), FakeEcr("scr-api"), nowhere).uri("web", make.digest("a"))


@pytest.mark.parametrize(("of_tasks", "wanted"), [("X86_64", "amd64"), ("ARM64", "arm64")])
def test_of_an_index_the_child_for_the_of_tasksis_planned(
    images: Images, ecr: FakeEcr, of_tasks: Any, wanted: str
) -> None:
    children = {name: ecr.push("scr-api", f"child-{name}", name) for name in ("amd64", "arm64")}
    index = ecr.push_index("scr-api", "abc1234", [(digest, "linux", name) for name, digest in children.items()])
    assert images.child("api", index, of_tasks) == children[wanted]


def test_an_image_that_is_gone_says_what_to_do(images: Images) -> None:
    with pytest.raises(DigestMismatch, match="the image of api is gone"):
        images.child("api", make.digest("f"), "X86_64")


def test_labels_that_cannot_be_read_are_a_reason_and_no_error(images: Images) -> None:
    found = images.labels("api", make.digest("f"), "X86_64")
    assert (found.found, found.reason != "") == ({}, True)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ({}, "X86_64"),
        ({"runtimePlatform": {}}, "X86_64"),
        ({"runtimePlatform": {"cpuArchitecture": "X86_64"}}, "X86_64"),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "ARM64"),
    ],
)
def test_the_of_tasksis_that_of_the_task_definition(base: dict[str, Any], expected: str) -> None:
    assert architecture(base) == expected
