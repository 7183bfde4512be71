"""Images as a plan names them: by digest, as the child of an index that the task pulls; and its platform."""

from typing import Any

import pytest

from ferryman.clients.image_index import RunsOn
from ferryman.clients.ssm import References
from ferryman.errors import DigestMismatch, NotFound
from ferryman.steps.plan_images import Images, platforms, runs_on
from unit import builders as make
from unit.fakes.clock import FakeClock
from unit.fakes.ecr import FakeEcr
from unit.fakes.ecs import FakeEcs
from unit.fakes.events import FakeEvents
from unit.operating import document

FARGATE = {"requiresCompatibilities": ["FARGATE"]}


def on(cpu: str | None = None, family: str | None = None) -> dict[str, Any]:
    said = {"cpuArchitecture": cpu, "operatingSystemFamily": family}
    return {"runtimePlatform": {name: value for name, value in said.items() if value}}


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        pytest.param(FARGATE, RunsOn("linux", "amd64"), id="fargate"),
        pytest.param({**FARGATE, **on("ARM64", "LINUX")}, RunsOn("linux", "arm64"), id="fargate-on-graviton"),
        pytest.param({**FARGATE, **on("ARM64")}, RunsOn("linux", "arm64"), id="fargate-on-graviton-without-a-system"),
        pytest.param({"requiresCompatibilities": ["EC2"]}, RunsOn(None, None), id="ec2-tells-nothing"),
        pytest.param({}, RunsOn(None, None), id="no-compatibilities"),
        pytest.param({"runtimePlatform": None}, RunsOn(None, None), id="runtime-platform-null"),
        pytest.param(on("ARM64", "LINUX"), RunsOn("linux", "arm64"), id="ec2-on-graviton"),
        pytest.param(on("X86_64", "LINUX"), RunsOn("linux", "amd64"), id="ec2-on-x86"),
        pytest.param(on(family="LINUX"), RunsOn("linux", None), id="ec2-linux-on-something"),
        pytest.param(on("X86_64"), RunsOn(None, "amd64"), id="ec2-x86-with-some-system"),
        pytest.param({**FARGATE, **on("X86_64", "WINDOWS_SERVER_2019_CORE")}, RunsOn("windows", "amd64", "10.0.17763"),
                     id="fargate-on-windows"),
        pytest.param(on("X86_64", "WINDOWS_SERVER_2022_FULL"), RunsOn("windows", "amd64", "10.0.20348"), id="ec2-2022"),
        pytest.param(on("X86_64", "WINDOWS_SERVER_20H2_CORE"), RunsOn("windows", "amd64", "10.0.19042"), id="ec2-20h2"),
        pytest.param(on("X86_64", "WINDOWS_SERVER_2031_CORE"), RunsOn("windows", "amd64"), id="windows-not-known-yet"),
    ],
)  # fmt: skip
def test_the_platform_of_a_task_definition(base: Any, expected: RunsOn) -> None:
    assert runs_on(base) == expected


@pytest.fixture
def ecr() -> FakeEcr:
    return FakeEcr("scr-api", "scr-web")


def nowhere(url: str) -> bytes:
    raise AssertionError(url)


@pytest.fixture
def images(ecr: FakeEcr) -> Images:
    return Images(document(), ecr, nowhere)


def test_an_image_is_named_by_its_repository_and_digest(images: Images) -> None:
    assert images.uri("api", make.digest("a")) == f"registry.example/scr-api@{make.digest('a')}"


def test_a_repository_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="scr-web"):
        Images(document(), FakeEcr("scr-api"), nowhere).uri("web", make.digest("a"))


@pytest.mark.parametrize("cpu", ["amd64", "arm64"])
def test_of_an_index_the_child_for_the_platform_is_planned(images: Images, ecr: FakeEcr, cpu: str) -> None:
    children = {name: ecr.push("scr-api", f"child-{name}", name) for name in ("amd64", "arm64")}
    index = ecr.push_index("scr-api", "abc1234", [(digest, "linux", name) for name, digest in children.items()])
    assert images.children("api", index, RunsOn("linux", cpu)) == [children[cpu]]


def test_labels_that_cannot_be_read_are_a_reason_and_no_error(images: Images) -> None:
    found = images.labels("api", make.digest("f"), RunsOn())
    assert (found.found, found.reason != "") == ({}, True)


BOTH = [("sha256:amd", "linux", "amd64"), ("sha256:arm", "linux", "arm64")]


def test_an_image_that_does_not_fit_is_not_said_to_be_gone(images: Images, ecr: FakeEcr) -> None:
    index = ecr.push_index("scr-api", "r1", BOTH[:1])
    with pytest.raises(DigestMismatch) as refused:
        images.children("api", index, RunsOn("linux", "arm64"))
    for part in ("does not fit", "no image for linux/arm64, only for linux/amd64", "build it for linux/arm64"):
        assert part in str(refused.value)
    for part in ("gone", "push it again"):
        assert part not in str(refused.value)


def test_an_image_that_is_gone_is_said_to_be_gone(images: Images) -> None:
    with pytest.raises(DigestMismatch, match=r"the image of api is gone.*push it again"):
        images.children("api", "sha256:gone", RunsOn())


def test_graviton_on_ec2_without_a_runtime_platform_keeps_each_image(images: Images, ecr: FakeEcr) -> None:
    index = ecr.push_index("scr-api", "r1", BOTH)
    assert images.children("api", index, runs_on({})) == ["sha256:amd", "sha256:arm"]  # type: ignore[typeddict-item]


def test_the_platforms_of_a_component_are_those_of_its_services(clock: FakeClock) -> None:
    ecs, environment = FakeEcs(clock), document().environment("staging")
    mine = [service for service in environment.services if service.component == "api"]
    assert platforms(environment, "api", ecs, References(None), FakeEvents(clock)) == frozenset()  # type: ignore[arg-type]
    for service in mine:
        ecs.new_service(service.name, ecs.new_definition(service.name, "x", **FARGATE, **on("ARM64", "LINUX")))
    assert platforms(environment, "api", ecs, References(None), FakeEvents(clock)) == {RunsOn("linux", "arm64")}  # type: ignore[arg-type]


def test_every_migration_of_a_component_has_a_say_about_its_platforms(clock: FakeClock) -> None:
    one = {"component": "api", "command": ["x"], "network": {"subnets": ["s"], "securityGroups": ["g"]}}
    migrations = [{**one, "name": name, "taskDefinition": f"migrate-{name}"} for name in ("orders", "stock")]
    ecs, environment = FakeEcs(clock), document(migrations=migrations).environment("staging")
    for name in [service.name for service in environment.services if service.component == "api"]:
        ecs.new_service(name, ecs.new_definition(name, "x", **FARGATE, **on("ARM64", "LINUX")))
    ecs.new_definition("migrate-orders", "x", **FARGATE, **on("ARM64", "LINUX"))
    ecs.new_definition("migrate-stock", "x", **FARGATE, **on("X86_64", "LINUX"))
    found = platforms(environment, "api", ecs, References(None), FakeEvents(clock))  # type: ignore[arg-type]
    assert found == {RunsOn("linux", "arm64"), RunsOn("linux", "amd64")}
