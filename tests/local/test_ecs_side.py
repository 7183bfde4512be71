"""The ECS side of a platform document: what Terraform makes on AWS, made twice without a change."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ferryman_local import ecs_side
from ferryman_local.emulator import Emulator

EXAMPLE = Path(__file__).parents[2] / "examples" / "scr-platform"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return ecs_side.load(EXAMPLE / "platform.yaml")


@pytest.fixture(scope="module")
def side(emulator: Emulator, document: dict[str, Any]) -> ecs_side.EcsSide:
    return ecs_side.create(emulator, document, EXAMPLE)


@pytest.mark.parametrize(
    ("component", "path"),
    [("api", "/health"), ("api", "/api/projects"), ("ai-gateway", "/health"), ("web", "/"), ("web", "/api/health")],
)
def test_each_component_answers_through_the_load_balancer(side: ecs_side.EcsSide, component: str, path: str) -> None:
    answer = httpx.get(side.urls["staging"][component] + path, trust_env=False)
    assert (answer.status_code, answer.json()["version"]) == (200, "bootstrap")


def test_every_reference_of_the_document_is_there(
    side: ecs_side.EcsSide, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    ecs_side.check_references(ecs_side_session(aws), document)
    arns = aws("ssm").get_parameter(Name="/ferryman/scr/operator/task-role-arns")["Parameter"]
    assert (arns["Type"], arns["Value"]) == ("StringList", ",".join(side.task_roles))


def test_the_second_time_changes_nothing(
    emulator: Emulator, side: ecs_side.EcsSide, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    def state() -> Any:
        services = [s["name"] for w in document["spec"]["environments"]["staging"]["waves"] for s in w["services"]]
        found = aws("ecs").describe_services(cluster="scr-staging", services=services)["services"]
        parameters = aws("ssm").get_parameters_by_path(Path="/ferryman/scr", Recursive=True)["Parameters"]
        return (
            [(s["serviceName"], s["taskDefinition"], [d["id"] for d in s["deployments"]]) for s in found],
            aws("ecs").list_task_definitions()["taskDefinitionArns"],
            sorted((p["Name"], p["Value"], p["Version"]) for p in parameters),
            len(aws("elbv2").describe_target_groups()["TargetGroups"]),
            len(aws("ec2").describe_subnets()["Subnets"]),
        )

    before = state()
    assert ecs_side.create(emulator, document, EXAMPLE) == side
    assert state() == before


def test_a_reference_to_nothing_is_told(
    side: ecs_side.EcsSide, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    changed = copy.deepcopy(document)
    changed["spec"]["environments"]["staging"]["smokeTests"][0]["url"] = "ssm:/ferryman/scr/staging/admin-url"
    with pytest.raises(ecs_side.EcsSideError, match="/ferryman/scr/staging/admin-url"):
        ecs_side.check_references(ecs_side_session(aws), changed)


def ecs_side_session(aws: Callable[[str], Any]) -> Any:
    """What has a `client` method, as a boto3 session has."""

    class Session:
        client = staticmethod(aws)

    return Session()
