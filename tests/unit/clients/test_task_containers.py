"""Which containers get which component's image: one rule for plans, verify, diff, adoption and drift."""

from typing import Any

import pytest

from ferryman.clients.task_containers import Use, assign, notes, uses
from ferryman.platform import Migration, Service

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ADDRESSES = {name: f"{REGISTRY}/scr-{name}" for name in ("api", "proxy", "web")}


def definition(**images: str) -> Any:
    """Container → image; an underscore in a name stands for a hyphen."""
    containers = [{"name": name.replace("_", "-"), "image": image} for name, image in images.items()]
    return {"taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/scr:7", "containerDefinitions": containers}  # fmt: skip  # noqa: E501


def service(**fields: Any) -> list[Use]:
    return uses(Service.model_validate({"name": "scr", "component": "api", **fields}))


API, PROXY = f"{REGISTRY}/scr-api:1", f"{REGISTRY}/scr-proxy@sha256:1"
SHARED = definition(init=API, web="placeholder:1", worker=f"{REGISTRY}/scr-api@sha256:0", cache="redis:7")


def test_the_named_container_changes_and_with_it_all_of_the_same_repository_init_containers_included() -> None:
    found = assign(SHARED, service(container="web"), ADDRESSES)
    assert (found.containers, found.problems) == ({"api": ["init", "web", "worker"]}, [])


def test_listed_containers_are_exactly_those_that_change() -> None:
    found = assign(SHARED, service(container="web", containers=["worker"]), ADDRESSES)
    assert (found.containers, found.problems) == ({"api": ["worker"]}, [])


def test_the_main_container_is_the_first_listed_one_where_no_other_is_named() -> None:
    assert service(containers=["worker", "web"])[0].container == "worker"
    assert service(containers=["worker", "api"])[0].container == "api"
    assert service(containers=["worker"], container="web")[0].container == "web"


def test_a_migration_is_decided_by_the_same_rule() -> None:
    fields = {"component": "api", "taskDefinition": "x", "command": ["up"], "container": "web"}
    network = {"subnets": ["a"], "securityGroups": ["b"]}
    migration = Migration.model_validate({**fields, "network": network})
    assert assign(SHARED, uses(migration), ADDRESSES).containers == {"api": ["init", "web", "worker"]}


def test_without_an_address_only_names_count() -> None:
    assert assign(SHARED, service(container="web"), {}).containers == {"api": ["web"]}


@pytest.mark.parametrize(
    ("additional", "images", "api", "proxy"),
    [
        pytest.param({}, {"api": API, "nginx": PROXY, "worker": API}, ["api", "worker"], ["nginx"], id="by-image"),
        pytest.param({}, {"api": API, "proxy": "placeholder:1"}, ["api"], ["proxy"], id="by-name"),
        pytest.param({}, {"api": API, "proxy": API}, ["api"], ["proxy"], id="its-name-before-the-image"),
        pytest.param({"containers": ["edge"]}, {"api": API, "edge": API}, ["api"], ["edge"], id="listed"),
        pytest.param(
            {"containers": ["edge"]}, {"api": API, "edge": "x", "old": PROXY}, ["api"], ["edge"], id="exactly"
        ),
    ],
)
def test_an_additional_component_moves_in_the_same_task_definition(
    additional: dict[str, Any], images: dict[str, str], api: list[str], proxy: list[str]
) -> None:
    found = assign(
        definition(**images), service(additionalComponents=[{"component": "proxy", **additional}]), ADDRESSES
    )
    assert (found.containers, found.problems) == ({"api": api, "proxy": proxy}, [])


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        pytest.param({}, "container", "scr:7 has no container 'api'; it has: init, web", id="the-named-one"),
        pytest.param({"containers": ["web", "wrker"]}, "containers.1", "has no container 'wrker'", id="a-listed-one"),
        pytest.param({"containers": ["web"], "container": "x"}, "container", "has no container 'x'", id="the-main-one"),
        pytest.param(
            {"container": "web", "additionalComponents": [{"component": "proxy"}]},
            "additionalComponents.0",
            "no container of scr:7 uses the repository of 'proxy'; name them in `containers`",
            id="nothing-for-a-component",
        ),
        pytest.param(
            {"container": "web", "additionalComponents": [{"component": "proxy", "containers": ["nginx"]}]},
            "additionalComponents.0.containers.0",
            "has no container 'nginx'",
            id="a-listed-one-of-a-component",
        ),
        pytest.param(
            {"container": "web", "additionalComponents": [{"component": "proxy", "containers": ["web"]}]},
            "additionalComponents.0.containers.0",
            "container 'web' already gets the image of 'api'",
            id="one-for-two-components",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(fields: dict[str, Any], path: str, words: str) -> None:
    (problem,) = assign(SHARED, service(**fields), ADDRESSES).problems
    assert problem[0] == path
    assert words in problem[1]


def test_people_are_told_what_changes_besides() -> None:
    assert notes(SHARED, service(container="web"), ADDRESSES) == [
        "besides 'web', also 'init' and 'worker' change, since they use the same repository"
    ]
    assert notes(definition(api=API, worker=API), service(), ADDRESSES) == [
        "besides 'api', also 'worker' changes, since it uses the same repository"
    ]
    assert notes(definition(api=API, cache="redis:7"), service(), ADDRESSES) == []


@pytest.mark.parametrize(
    ("image", "fields", "words"),
    [
        pytest.param(
            PROXY, {}, "component 'proxy' and keeps its image, since that component is not listed", id="other"
        ),
        pytest.param(API, {"containers": ["api"]}, "since it is not listed in `containers`", id="not-listed"),
        pytest.param(
            "210987654321.dkr.ecr.eu-west-1.amazonaws.com/scr-api:1", {}, "it is of another registry", id="elsewhere"
        ),
    ],
)
def test_people_are_told_what_stays_although_it_looks_like_the_component(
    image: str, fields: dict[str, Any], words: str
) -> None:
    (note,) = notes(definition(api=API, worker=image), service(**fields), ADDRESSES)
    assert note.startswith("container 'worker'")
    assert words in note
