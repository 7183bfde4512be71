"""What AWS lacks of what the document names: every problem with its path and, where Terraform helps, the parameter."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.clients.ssm import References
from ferryman.errors import ReferenceUnresolved, VerificationFailed
from ferryman.platform import parse
from ferryman.steps.verify import examine, verify
from ferryman.store.table import Store
from unit.begin_world import World, plan_of
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.planning import StagingEcs


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, scr_document, clock, new_id)


def broken_service(ecs: StagingEcs, **changes: Any) -> None:
    ecs.live["scr-api-staging"].update(changes)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(
            lambda ecs: ecs.live.pop("scr-api-staging"), "no active service 'scr-api-staging'", id="no-service"
        ),
        pytest.param(
            lambda ecs: broken_service(ecs, deploymentController={"type": "CODE_DEPLOY"}),
            "CODE_DEPLOY",
            id="code-deploy",
        ),
        pytest.param(
            lambda ecs: broken_service(ecs, deploymentConfiguration={"strategy": "BLUE_GREEN"}),
            "BLUE_GREEN",
            id="blue-green",
        ),
        pytest.param(
            lambda ecs: broken_service(ecs, deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True}}),
            "deploymentCircuitBreaker",
            id="no-rollback",
        ),
        pytest.param(
            lambda ecs: ecs.containers.update({"scr-api-staging": "app"}),
            "no container 'api'; it has: app",
            id="container",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(world: World, spoil: Any, words: str) -> None:
    spoil(world.ecs)
    with pytest.raises(VerificationFailed, match=r"spec\.environments\.staging\.waves\.0\.services\.0") as raised:
        world.begin()
    assert words in str(raised.value)
    assert plan_of(world) is None


class Denied(StagingEcs):
    """An operator whose policies do not name a resource."""

    def describe_services(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeServices")

    def describe_repositories(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeRepositories")


def test_what_the_policies_do_not_name_is_told_with_the_parameter(world: World, scr_document: dict[str, Any]) -> None:
    references = References(world.ssm)
    problems = verify(
        parse(scr_document),
        ecs=Denied(),
        ecr=Denied(),
        references=references,
        client=world.events,
        account="123456789012",
        region="eu-west-1",
    )
    told = dict(problems)
    assert "/ferryman/operator/repository-arns" in told["spec.components.api.repository"]
    assert "/ferryman/operator/cluster-arns" in told["spec.environments.staging.cluster"]


def test_a_missing_parameter_is_named(world: World) -> None:
    del world.ssm.values["/ferryman/scr/staging/web-url"]
    with pytest.raises((VerificationFailed, ReferenceUnresolved), match="/ferryman/scr/staging/web-url"):
        world.begin()


def examined(world: World, document: dict[str, Any]) -> Any:
    references = References(world.ssm)
    return examine(
        parse(document),
        ecs=world.ecs,
        ecr=world.ecr,
        references=references,
        client=world.events,
        account="123456789012",
        region="eu-west-1",
    )


def test_containers_that_change_besides_the_named_one_are_told(world: World, scr_document: dict[str, Any]) -> None:
    del scr_document["spec"]["environments"]["production"]
    world.ecs.also["scr-api-staging"] = {"init": "registry.example/scr-api:1", "worker": "registry.example/scr-api:1"}
    world.ecs.also["scr-api-migrate-staging"] = {"wait": "registry.example/scr-api:1"}
    found = examined(world, scr_document)
    at = "spec.environments.staging"
    assert found.problems == []
    assert found.notes == [
        (
            f"{at}.waves.0.services.0",
            "besides 'api', also 'init' and 'worker' change, since they use the same repository",
        ),
        (f"{at}.migration", "besides 'api', also 'wait' changes, since it uses the same repository"),
    ]


def test_a_container_that_the_migration_lists_and_lacks_is_a_problem(
    world: World, scr_document: dict[str, Any]
) -> None:
    del scr_document["spec"]["environments"]["production"]
    scr_document["spec"]["environments"]["staging"]["migration"]["containers"] = ["api", "wait"]
    (problem,) = examined(world, scr_document).problems
    assert problem[0] == "spec.environments.staging.migration.containers.1"
    assert "has no container 'wait'; it has: api" in problem[1]


def test_each_of_several_migrations_is_checked_with_its_own_path(world: World, scr_document: dict[str, Any]) -> None:
    staging = scr_document["spec"]["environments"]["staging"]
    one = staging.pop("migration")
    wrong = {**one, "name": "stock", "container": "gone", "network": {"subnets": "ssm:/none", "securityGroups": ["sg"]}}
    staging["migrations"] = [{**one, "name": "orders"}, wrong]
    scr_document["spec"]["environments"] = {"staging": staging}
    found = dict(
        verify(
            parse(scr_document), ecs=world.ecs, ecr=world.ecr, references=References(world.ssm),
            client=world.events, account="123456789012", region="eu-west-1",
        )
    )  # fmt: skip
    at = "spec.environments.staging.migrations.1"
    assert {path for path in found if "migrations" in path} == {f"{at}.taskDefinition", f"{at}.network.subnets"}
    assert "no container 'gone'" in found[f"{at}.taskDefinition"]
