"""What is read of ECS and ECR, and what is told where it may not be."""

from collections.abc import Callable

import pytest

from ferryman_cli.exits import Stop
from ferryman_cli.init.look import Look
from ferryman_cli.init.seen import Container, Registry, SeenService
from unit.fakes.account import ACCOUNT, REGION, FakeEyes

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@pytest.fixture
def eyes() -> FakeEyes:
    return FakeEyes()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def look(eyes: FakeEyes, told: list[str]) -> Look:
    return Look(eyes, told.append)


def test_all_pages_are_read(eyes: FakeEyes, look: Look, told: list[str]) -> None:
    for n in range(25):
        eyes.service("shop", f"s{n:02}", {"app": f"r{n:02}"})
    for name in "abcd":
        eyes.clusters.setdefault(name, {})
    found = look.services("shop", None)
    assert list(found or {}) == [f"s{n:02}" for n in range(25)]
    assert look.clusters() == ["a", "b", "c", "d", "shop"]
    assert look.registry().repositories == {f"r{n:02}" for n in range(25)}
    assert told == []


def test_a_service_with_its_containers(eyes: FakeEyes, look: Look) -> None:
    eyes.service("shop", "web", {"app": "shop-web:1", "log": "fluent.io/bit"}, loadBalancers=[{"containerName": "app"}])
    containers = (Container("app", f"{HOST}/shop-web:1"), Container("log", "fluent.io/bit"))
    expected = SeenService("web", ACCOUNT, REGION, "web-family", containers, ("app",))
    assert look.services("shop", ["web"]) == {"web": expected}


def test_nothing_is_asked_twice(eyes: FakeEyes, look: Look) -> None:
    eyes.service("shop", "web", {"app": "shop-web"})
    assert look.services("shop", None) == look.services("shop", None) == look.services("shop", ["web"])
    assert eyes.calls == ["ListServices", "DescribeServices", "DescribeTaskDefinition"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "is deployed by CODE_DEPLOY/ROLLING, not by ECS/ROLLING"),
        ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, "is deployed by ECS/BLUE_GREEN, not by ECS/ROLLING"),
    ],
)
def test_what_ferryman_does_not_operate(eyes: FakeEyes, look: Look, more: dict[str, object], why: str) -> None:
    eyes.service("shop", "web", {"app": "shop-web"}, **more)
    found = look.services("shop", None)
    assert found is not None
    assert found["web"].unfit == why


def test_what_does_not_exist_ends_the_command(eyes: FakeEyes, look: Look) -> None:
    eyes.service("shop", "web", {"app": "shop-web"})
    eyes.service("shop", "gone", {"app": "shop-web"}, status="INACTIVE")
    with pytest.raises(Stop, match="there is no cluster shpo in eu-west-1; there are: shop"):
        look.services("shpo", None)
    with pytest.raises(Stop, match="cluster shop has no active service api, gone"):
        look.services("shop", ["web", "api", "gone"])


REFUSALS: dict[str, tuple[str, Callable[[Look], object], object]] = {
    "ecs:ListClusters": ("the clusters", lambda look: look.clusters(), []),
    "ecs:ListServices": ("the services of cluster shop", lambda look: look.services("shop", None), None),
    "ecs:DescribeServices": (
        "the services of cluster shop in detail", lambda look: look.services("shop", None),
        {"api": SeenService("api"), "web": SeenService("web")},
    ),
    "ecs:DescribeTaskDefinition": (
        "task definition api-family:7", lambda look: look.services("shop", None),
        {name: SeenService(name, ACCOUNT, REGION, f"{name}-family") for name in ("api", "web")},
    ),
    "ecr:DescribeRepositories": ("the repositories of ECR", lambda look: look.registry(), Registry()),
    "ecr:DescribePullThroughCacheRules": (
        "which repositories are pull-through caches", lambda look: look.registry(), Registry(frozenset({"r"})),
    ),
}  # fmt: skip


@pytest.mark.parametrize("permission", REFUSALS)
def test_each_missing_permission_is_told_once_and_the_rest_is_read(
    permission: str, eyes: FakeEyes, look: Look, told: list[str]
) -> None:
    eyes.service("shop", "api", {"app": "r"})
    eyes.service("shop", "web", {"app": "r"})
    eyes.refused = {permission}
    what, read, expected = REFUSALS[permission]
    assert (read(look), read(look)) == (expected, expected)
    assert told == [f"cannot read {what}: your identity lacks the permission {permission}"]


def test_without_credentials_nothing_is_asked(told: list[str]) -> None:
    look = Look("there are no AWS credentials", told.append)
    assert (look.clusters(), look.services("shop", None), look.services("shop", ["web"])) == ([], None, None)
    assert (look.registry(), look.region) == (Registry(), "")
    assert told == ["AWS was not asked: there are no AWS credentials"]


def test_a_parameter_is_not_read(eyes: FakeEyes, look: Look, told: list[str]) -> None:
    assert look.services("ssm:/shop/cluster", None) is look.services("ssm:/shop/cluster", ["web"]) is None
    assert (eyes.calls, len(told)) == ([], 1)
