"""What AWS lacks of what the document names: every problem with its path and, where Terraform helps, the parameter."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.clients.ssm import References
from ferryman.errors import ReferenceUnresolved, VerificationFailed
from ferryman.platform import parse
from ferryman.steps.verify import verify
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
