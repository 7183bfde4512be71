"""The ECS side of a platform document: what Terraform makes on AWS, made twice without a change."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ferryman_local import ecs_side, operator_side
from ferryman_local.backing import ProcessBacking
from ferryman_local.emulator import Emulator

EXAMPLE = Path(__file__).parents[2] / "examples" / "scr-platform"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return ecs_side.load(EXAMPLE / "platform.yaml")


class Patient(ProcessBacking):
    """What the Docker engine's has of its own, without Docker."""

    grace_seconds = 60


@pytest.fixture(scope="module")
def side(emulator: Emulator, document: dict[str, Any]) -> ecs_side.EcsSide:
    return ecs_side.create(emulator, document, EXAMPLE, backing=Patient(emulator.state_dir))


@pytest.mark.parametrize(
    ("component", "path"),
    [("api", "/health"), ("api", "/api/projects"), ("ai-gateway", "/health"), ("web", "/"), ("web", "/api/health")],
)
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_each_component_answers_through_the_load_balancer(
    side: ecs_side.EcsSide, environment: str, component: str, path: str
) -> None:
    answer = httpx.get(side.urls[environment][component] + path, trust_env=False)
    assert (answer.status_code, answer.json()["version"]) == (200, "bootstrap")


def test_every_reference_of_the_document_is_there(
    side: ecs_side.EcsSide, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    ecs_side.check_references(ecs_side_session(aws), document)
    arns = aws("ssm").get_parameter(Name="/ferryman/scr/operator/task-role-arns")["Parameter"]
    assert (arns["Type"], arns["Value"]) == ("StringList", ",".join(side.task_roles))


def test_services_get_the_patience_that_their_engine_needs(side: ecs_side.EcsSide, aws: Callable[[str], Any]) -> None:
    found = aws("ecs").describe_services(cluster=side.clusters[0], services=["scr-web-staging"])["services"]
    assert [service["healthCheckGracePeriodSeconds"] for service in found] == [60]


def test_environments_share_nothing_but_repositories(
    side: ecs_side.EcsSide, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    assert len(set(side.clusters)) == len(set(side.task_roles)) == len(set(side.execution_roles)) == 2
    assert not set(side.urls["staging"].values()) & set(side.urls["production"].values())
    balancers = aws("elbv2").describe_load_balancers()["LoadBalancers"]
    assert {"scr-staging", "scr-production"} <= {balancer["LoadBalancerName"] for balancer in balancers}
    senders = aws("ses").list_identities()["Identities"]
    assert document["spec"]["environments"]["production"]["approval"]["from"] in senders


def test_secrets_are_made_where_a_document_names_them(
    emulator: Emulator, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    changed = copy.deepcopy(document)
    changed["spec"]["github"] = {
        "repository": "scr-platform/scr",
        "tokenSecretArn": "ssm:/ferryman/scr/channels/github-token-arn",
    }
    for value in ("one", "two", "two"):
        ecs_side.create(emulator, changed, EXAMPLE, secrets={"github-token": value})
        arn = aws("ssm").get_parameter(Name="/ferryman/scr/channels/github-token-arn")["Parameter"]["Value"]
        assert arn.rpartition(":")[2].startswith("ferryman/scr/github-token-")
        assert aws("secretsmanager").get_secret_value(SecretId=arn)["SecretString"] == value


def test_the_operator_may_touch_exactly_what_the_document_names(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    changed["spec"]["github"] = {"tokenSecretArn": "ssm:/ferryman/scr/channels/github-token-arn"}
    lists = operator_side.lists_of(changed, "eu-west-1", "123456789012")
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/github-token-??????"
    assert lists["secret-arns"] == [arn]
    assert [name.rpartition("/")[2] for name in lists["cluster-arns"]] == ["scr-staging", "scr-production"]
    assert len(lists["migration-task-definition-arns"]) == 2


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
