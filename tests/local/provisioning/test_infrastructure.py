"""The infrastructure of a platform document: what Terraform makes on AWS, made twice without a change."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.provisioning import infrastructure, operator_parameters, references
from ferryman_local.provisioning.backing import ProcessBacking
from ferryman_local.provisioning.infrastructure import Infrastructure, InfrastructureError

EXAMPLE = Path(__file__).parents[3] / "examples" / "scr-platform"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return infrastructure.load(EXAMPLE / "platform.yaml")


class Patient(ProcessBacking):
    """What the Docker engine's has of its own, without Docker."""

    grace_seconds = 60


@pytest.fixture(scope="module")
def created(emulator: Emulator, document: dict[str, Any]) -> Infrastructure:
    return infrastructure.create(emulator, document, EXAMPLE, backing=Patient(emulator.state_dir))


@pytest.mark.parametrize(
    ("component", "path"),
    [("api", "/health"), ("api", "/api/projects"), ("ai-gateway", "/health"), ("web", "/"), ("web", "/api/health")],
)
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_each_component_answers_through_the_load_balancer(
    created: Infrastructure, environment: str, component: str, path: str
) -> None:
    answer = httpx.get(created.urls[environment][component] + path, trust_env=False)
    assert (answer.status_code, answer.json()["version"]) == (200, "bootstrap")


def test_every_reference_of_the_document_is_there(
    created: Infrastructure, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    infrastructure.check_references(root_session(aws), document)
    arns = aws("ssm").get_parameter(Name="/ferryman/scr/operator/task-role-arns")["Parameter"]
    assert (arns["Type"], arns["Value"]) == ("StringList", ",".join(created.task_roles))


def test_services_get_the_patience_that_their_engine_needs(created: Infrastructure, aws: Callable[[str], Any]) -> None:
    found = aws("ecs").describe_services(cluster=created.clusters[0], services=["scr-web-staging"])["services"]
    assert [service["healthCheckGracePeriodSeconds"] for service in found] == [60]


def test_environments_share_nothing_but_repositories(
    created: Infrastructure, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    assert len(set(created.clusters)) == len(set(created.task_roles)) == len(set(created.execution_roles)) == 2
    assert not set(created.urls["staging"].values()) & set(created.urls["production"].values())
    balancers = aws("elbv2").describe_load_balancers()["LoadBalancers"]
    assert {"scr-staging", "scr-production"} <= {balancer["LoadBalancerName"] for balancer in balancers}
    senders = [item["IdentityName"] for item in aws("sesv2").list_email_identities()["EmailIdentities"]]
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
        infrastructure.create(emulator, changed, EXAMPLE, secrets={"github-token": value})
        arn = aws("ssm").get_parameter(Name="/ferryman/scr/channels/github-token-arn")["Parameter"]["Value"]
        assert arn.rpartition(":")[2].startswith("ferryman/scr/github-token-")
        assert aws("secretsmanager").get_secret_value(SecretId=arn)["SecretString"] == value


def test_the_operator_may_touch_exactly_what_the_document_names(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    changed["spec"]["github"] = {"tokenSecretArn": "ssm:/ferryman/scr/channels/github-token-arn"}
    lists = operator_parameters.lists_of(changed, "eu-west-1", "123456789012")
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/github-token-??????"
    assert lists["github-secret-arns"] == [arn]
    assert lists["webhook-secret-arns"] == lists["bot-token-secret-arns"] == lists["signing-secret-arns"] == []
    assert [name.rpartition("/")[2] for name in lists["cluster-arns"]] == ["scr-staging", "scr-production"]
    assert len(lists["migration-task-definition-arns"]) == 2


def test_the_second_time_changes_nothing(
    emulator: Emulator, created: Infrastructure, aws: Callable[[str], Any], document: dict[str, Any]
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
    assert infrastructure.create(emulator, document, EXAMPLE) == created
    assert state() == before


def test_a_reference_to_nothing_is_told(
    created: Infrastructure, aws: Callable[[str], Any], document: dict[str, Any]
) -> None:
    changed = copy.deepcopy(document)
    changed["spec"]["environments"]["staging"]["smokeTests"][0]["url"] = "ssm:/ferryman/scr/staging/admin-url"
    with pytest.raises(InfrastructureError, match="/ferryman/scr/staging/admin-url"):
        infrastructure.check_references(root_session(aws), changed)


def root_session(aws: Callable[[str], Any]) -> Any:
    """What has a `client` method, as a boto3 session has."""

    class Session:
        client = staticmethod(aws)

    return Session()


def test_the_operator_may_change_exactly_the_schedules_and_rules_of_the_document(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    environment = changed["spec"]["environments"]["staging"]
    environment["waves"].append(
        {
            "name": "jobs",
            "jobs": [
                {"name": "report", "component": "api", "schedule": "nightly"},
                {"name": "sums", "component": "api", "schedule": "sums", "group": "reports"},
                {"name": "upload", "component": "api", "rule": "uploads"},
                {"name": "file", "component": "api", "rule": "files", "eventBus": "partner"},
            ],
        }
    )
    lists = operator_parameters.lists_of(changed, "eu-west-1", "123456789012")
    assert [arn.removeprefix("arn:aws:") for arn in lists["job-arns"]] == [
        "scheduler:eu-west-1:123456789012:schedule/default/nightly",
        "scheduler:eu-west-1:123456789012:schedule/reports/sums",
        "events:eu-west-1:123456789012:rule/uploads",
        "events:eu-west-1:123456789012:rule/partner/files",
    ]
    assert lists["job-role-arns"] == [f"arn:aws:iam::123456789012:role/{environment['cluster']}-jobs"]


def test_base_task_definitions_have_the_containers_that_the_document_names() -> None:
    service = {"name": "x", "component": "api", "containers": ["web", "worker"]}
    proxy = {"additionalComponents": [{"component": "proxy"}, {"component": "edge", "containers": ["nginx"]}]}
    assert references.containers_of(service | proxy) == {
        "web": "api", "worker": "api", "proxy": "proxy", "nginx": "edge",
    }  # fmt: skip
    assert references.containers_of({"component": "api", "container": "app"}) == {"app": "api"}
    assert references.containers_of({"component": "api"}) == {"api": "api"}


def test_an_image_has_the_address_that_ecr_tells(created: Infrastructure, aws: Callable[[str], Any]) -> None:
    """The operator tells by it which containers share a component's image."""
    address = aws("ecr").describe_repositories(repositoryNames=["scr-api"])["repositories"][0]["repositoryUri"]
    name = "/ferryman/scr/staging/task-definitions/scr-api-staging"
    base = aws("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    found = aws("ecs").describe_task_definition(taskDefinition=base)["taskDefinition"]
    assert [item["image"] for item in found["containerDefinitions"]] == [f"{address}:bootstrap"]
