"""What a document claims, from AWS's answers; and what a deployment may still touch."""

from typing import Any

import pytest

from ferryman.clients.ssm import References
from ferryman.errors import Conflict, VerificationFailed
from ferryman.platform import parse
from ferryman.records import Ownership
from ferryman.records.writes import Save
from ferryman.steps import ownership
from ferryman.store.table import Store
from unit import builders as make
from unit.begin_world import STAGING, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.planning import ACCOUNT, NAMES

ROLE = "role:execution"
BASE = f"{STAGING}/task-definitions/scr-api-staging"


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, scr_document, clock, new_id)


def claimed(world: World, document: dict[str, Any]) -> ownership.Claims:
    references = References(world.ssm)
    return ownership.read(parse(document), ecs=world.ecs, references=references, client=world.events)  # type: ignore[arg-type]


def owned(world: World, platform: str, environment: str, *things: str, generation: int = 3) -> None:
    record = Ownership(platform=platform, environment=environment, generation=generation, things=[*things], at=make.AT)
    world.store.write(Save(record))


def own(world: World, document: dict[str, Any]) -> None:
    """Have staging own what its document names."""
    things = [claim.thing for claim in claimed(world, document).environments["staging"].claims]
    owned(world, "scr", "staging", *things)


def other_platform(world: World) -> None:
    applied = world.store.platform("scr")
    world.store.write(Save(applied.but(name="shop", rev=0)))


def test_services_task_definitions_and_roles_are_named_as_aws_names_them(
    world: World, scr_document: dict[str, Any]
) -> None:
    world.ssm.values[f"{STAGING}/cluster"] = f"{ACCOUNT}:cluster/scr-staging"
    scr_document["spec"]["environments"]["staging"]["cluster"] = f"ssm:{STAGING}/cluster"
    part = claimed(world, scr_document).environments["staging"]
    assert part.complete
    assert {claim.thing for claim in part.claims} == {
        *(f"service:scr-staging/{name}" for name in NAMES),
        *(f"family:{name}" for name in NAMES),
        "family:scr-api-migrate-staging",
        ROLE,
    }


def test_what_can_t_be_read_makes_it_incomplete(world: World, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["cluster"] = f"ssm:{STAGING}/nowhere"
    part = claimed(world, scr_document).environments["staging"]
    assert not part.complete
    assert "service:?/scr-api-staging" in {claim.thing for claim in part.claims}


def test_secrets_and_topics_are_what_their_references_name(world: World, scr_document: dict[str, Any]) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:scr"
    world.ssm.values |= {
        "/ferryman/scr/key": f"{arn}/key-AbCdEf",
        "/ferryman/scr/topic": "arn:aws:sns:eu-west-1:1:team\n",
    }
    scr_document["spec"]["channels"] = {
        "team": {"type": "sns", "topicArn": "ssm:/ferryman/scr/topic"},
        "ops-mail": {"type": "mail", "from": "a@b.example", "to": ["c@d.example"]},
        "chat": {"type": "slack", "webhookSecretArn": f"{arn}/hook-AbCdEf"},
        "bot": {
            "type": "slack",
            "botTokenSecretArn": f"{arn}/bot-AbCdEf",
            "signingSecretArn": f"{arn}/sign-AbCdEf",
            "channel": "C024BE91L",
            "team": "T024BE7LD",
        },
    }
    app = {"clientId": "1", "installationId": "2", "privateKeySecretArn": "ssm:/ferryman/scr/key"}
    scr_document["spec"]["github"] = {"repository": "scr/scr", "app": app}
    whole = claimed(world, scr_document).whole
    assert whole.complete
    assert {claim.thing.rpartition(":")[2] for claim in whole.claims} == {
        "team", *(f"scr/{name}{end}" for name in ("hook", "bot", "sign", "key") for end in ("", "-abcdef"))
    }  # fmt: skip


def test_a_deployment_of_what_it_owns_begins(world: World, scr_document: dict[str, Any]) -> None:
    own(world, scr_document)
    assert world.begin().verdict == "Planned"


def test_a_reference_that_now_names_what_another_owns_ends_the_deployment(
    world: World, scr_document: dict[str, Any]
) -> None:
    own(world, scr_document)
    other_platform(world)
    owned(world, "shop", "live", "family:shop-live")
    world.ssm.values[BASE] = f"{ACCOUNT}:task-definition/shop-live:3"
    world.ecs.containers["shop-live"] = "api"

    with pytest.raises(VerificationFailed) as refused:
        world.begin()

    told = str(refused.value)
    assert told.startswith("the document names what belongs to others: spec.environments.staging.waves.0.services.0")
    assert "task definition family shop-live belongs to environment live of platform shop" in told


def test_a_reference_that_now_names_something_new_and_free_claims_it(
    world: World, scr_document: dict[str, Any]
) -> None:
    own(world, scr_document)
    world.ssm.values[BASE] = f"{ACCOUNT}:task-definition/scr-api-staging-2:1"
    world.ecs.containers["scr-api-staging-2"] = "api"
    before = world.store.ownership_register(make.AT).rev

    assert world.begin().verdict == "Planned"

    (record,) = world.store.ownerships()
    assert record.later == ["family:scr-api-staging-2"]
    assert world.store.ownership_register(make.AT).rev == before + 1


def test_what_two_share_since_before_an_update_goes_on(world: World, scr_document: dict[str, Any]) -> None:
    own(world, scr_document)
    other_platform(world)
    owned(world, "shop", "live", ROLE)
    assert world.begin().verdict == "Planned"


def test_without_records_of_this_document_nothing_is_refused(world: World) -> None:
    other_platform(world)
    owned(world, "shop", "live", ROLE)
    owned(world, "scr", "staging", generation=2)
    assert world.begin().verdict == "Planned"


@pytest.mark.parametrize("known", [True, False], ids=["recorded", "not-recorded"])
def test_a_role_below_another_s_path_ends_the_deployment(
    world: World, scr_document: dict[str, Any], known: bool
) -> None:
    """IAM lets the operator pass it: the list has the paths of all environments."""
    world.ecs.architecture = {
        "executionRoleArn": "arn:aws:iam::123456789012:role/ferryman/scr/production/api-execution"
    }
    if known:
        own(world, scr_document)
    with pytest.raises(VerificationFailed, match="IAM role api-execution of task definition"):
        world.begin()
    with pytest.raises(VerificationFailed, match="as its path /ferryman/scr/production/ tells"):
        world.begin()


def test_roles_below_one_s_own_path_are_fine(world: World, scr_document: dict[str, Any]) -> None:
    world.ecs.architecture = {"executionRoleArn": "arn:aws:iam::123456789012:role/ferryman/scr/staging/api-execution"}
    own(world, scr_document)
    assert world.begin().verdict == "Planned"


def test_a_record_of_a_platform_without_a_document_counts_for_nothing(
    world: World, scr_document: dict[str, Any]
) -> None:
    owned(world, "scr", "staging")
    owned(world, "gone", "live", ROLE)
    assert world.begin().verdict == "Planned"


def test_a_newer_document_is_read_again(world: World) -> None:
    owned(world, "scr", "staging", generation=4)
    with pytest.raises(Conflict, match="applied again"):
        world.begin()


def test_what_is_freed_between_reading_and_freezing_is_not_touched(world: World, scr_document: dict[str, Any]) -> None:
    own(world, scr_document)
    update = world.store.update_deployment

    def late(*arguments: Any, **how: Any) -> Any:
        (record,) = world.store.ownerships()
        world.store.write(Save(record.but(generation=4, things=[])))
        return update(*arguments, **how)

    world.store.update_deployment = late  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        world.begin()
    assert world.store.deployment("scr", "staging", world.event.deployment).plan is None
