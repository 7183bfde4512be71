"""What belongs to whom: who may claim what, at the same time and after an update, and how an admin frees it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.errors import Unavailable
from ferryman.platform import parse
from ferryman.records import AppliedPlatform, things
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import ADMIN, JO, KIM, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE

SCR, SHOP = "/v1/platforms/scr", "/v1/platforms/shop"
PRODUCTION = {"name": "api", "services": [{"name": "scr-api-production", "component": "api"}]}


@pytest.fixture
def world(dynamodb: Any, clock: FakeClock, new_id: FakeIds) -> World:
    return World(Store(dynamodb, TABLE, pause=lambda seconds: None), clock, new_id)


def shop(**environment: Any) -> dict[str, Any]:
    """A platform of its own."""
    return {
        "apiVersion": "ferryman/v1",
        "kind": "Platform",
        "metadata": {"name": "shop"},
        "spec": {
            "components": {"api": {"repository": "shop-api"}},
            "environments": {
                "live": {
                    "cluster": "shop",
                    "triggers": ["push"],
                    "waves": [{"name": "api", "services": [{"name": "shop-api", "component": "api"}]}],
                    **environment,
                }
            },
        },
    }


def attack(cluster: str = "scr-production") -> dict[str, Any]:
    """A second platform whose environment is the first one's production, without approval."""
    return shop(cluster=cluster, waves=[PRODUCTION])


def problems(answer: tuple[int, dict[str, Any]]) -> list[str]:
    status, body = answer
    assert (status, body["error"]["code"]) == (409, "OwnedElsewhere"), body
    return [problem["message"] for problem in body["error"]["problems"]]


@pytest.mark.parametrize("dry_run", ["true", "false"])
@pytest.mark.parametrize(
    "cluster",
    [
        "scr-production",
        "arn:aws:ecs:eu-west-1:123456789012:cluster/scr-production",
        "Scr-Production",
        "scr-production ",
    ],
)
def test_a_second_platform_can_t_take_production(
    world: World, scr_document: dict[str, Any], cluster: str, dry_run: str
) -> None:
    world.call("PUT", SCR, scr_document)

    answer = world.call("PUT", SHOP, attack(cluster), who=KIM, dryRun=dry_run)

    (told,) = problems(answer)
    assert told == (
        "service scr-api-production of cluster scr-production belongs to environment production of platform scr. A "
        "service is deployed by one environment. Take it out of one of the two; if scr is abandoned, an admin frees "
        "what it owns with `ferryman delete platform scr --reason REASON`"
    )
    assert world.store.find_platform("shop") is None
    assert {item.platform for item in world.store.ownerships()} == {"scr"}


def test_nor_a_production_that_was_applied_before_there_were_records(
    world: World, scr_document: dict[str, Any]
) -> None:
    world.applied(parse(scr_document).dump())
    assert world.store.ownerships() == []

    assert "belongs to environment production of platform scr" in problems(world.call("PUT", SHOP, attack()))[0]


def test_nor_one_whose_document_today_s_models_refuse(world: World, scr_document: dict[str, Any]) -> None:
    stored = parse(scr_document).dump()
    stored["spec"]["environments"]["production"]["color"] = "red"
    world.applied(stored)

    assert "belongs to environment production of platform scr" in problems(world.call("PUT", SHOP, attack()))[0]


def test_what_references_name_counts(world: World, scr_document: dict[str, Any]) -> None:
    named = [things.family("scr-api-production"), things.role("scr-api-production-task")]
    world.outside.named = {("scr", "production"): named, ("shop", "live"): named}
    world.call("PUT", SCR, scr_document)

    told = problems(world.call("PUT", SHOP, shop()))

    assert [text.split(" belongs")[0] for text in told] == [
        "task definition family scr-api-production",
        "IAM role scr-api-production-task",
    ]


def test_staging_can_t_run_on_production_s_task_definition(world: World, scr_document: dict[str, Any]) -> None:
    family = [things.family("scr-api-production")]
    world.outside.named = {("scr", "production"): family, ("scr", "staging"): family}

    told = problems(world.call("PUT", SCR, scr_document))

    assert told[0].startswith(
        "task definition family scr-api-production belongs to environment staging of this platform. Name a task"
    )


def test_secrets_and_topics_belong_to_one_platform(world: World, scr_document: dict[str, Any]) -> None:
    named = [
        things.topic("arn:aws:sns:eu-west-1:123456789012:team"),
        "secret:arn:aws:secretsmanager:eu-west-1:1:secret:s",
    ]
    world.outside.named = {("scr", ""): named, ("shop", ""): named}
    world.call("PUT", SCR, scr_document)

    told = problems(world.call("PUT", SHOP, shop()))

    assert told[0].startswith("SNS topic team belongs to platform scr. Make a topic of its own for each platform.")
    assert told[1].startswith("secret s belongs to platform scr. Store a secret of its own for each platform.")


def test_a_repository_is_shared_but_not_its_moving_tag(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)
    reader = shop()
    reader["spec"]["components"]["api"]["repository"] = "scr-api"
    assert world.call("PUT", SHOP, reader)[0] == 200

    reader["spec"]["environments"]["live"]["movingTags"] = ["production-latest"]
    (told,) = problems(world.call("PUT", SHOP, reader))

    assert told == (
        "tag production-latest of repository scr-api belongs to environment production of platform scr. Two platforms "
        "can read one repository, but only one can move a tag in it: use another tag here; if scr is abandoned, an "
        "admin frees what it owns with `ferryman delete platform scr --reason REASON`"
    )


def test_an_environment_of_the_same_name_would_move_the_same_tags(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)
    reader = shop()
    reader["spec"]["components"]["api"]["repository"] = "scr-api"
    reader["spec"]["environments"] = {"staging": reader["spec"]["environments"]["live"]}

    assert "rename this environment, whose name it has" in problems(world.call("PUT", SHOP, reader))[0]


@pytest.mark.parametrize(
    ("owner", "whose"), [("scr", "platform scr"), ("operator", "the operator")]
)  # fmt: skip
def test_parameters_belong_to_the_platform_in_their_path(
    world: World, scr_document: dict[str, Any], owner: str, whose: str
) -> None:
    world.call("PUT", SCR, scr_document)
    reader = shop(smokeTests=[{"name": "api", "url": f"ssm:/ferryman/{owner}/production/api-url"}])

    assert problems(world.call("PUT", SHOP, reader)) == [
        f"names a parameter of {whose}: /ferryman/{owner}/ belongs to it. Write the value to /ferryman/shop/…"
    ]


def test_parameters_that_belong_to_nobody_can_be_shared(world: World) -> None:
    reader = shop(smokeTests=[{"name": "api", "url": "ssm:/ferryman/common/api-url"}])
    assert world.call("PUT", SHOP, reader)[0] == 200


def test_what_a_document_no_longer_names_is_free(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)
    without = copy.deepcopy(scr_document)
    del without["spec"]["environments"]["production"]
    # Its approvers would be asked.
    assert (
        world.call("PUT", SCR, without, who=ADMIN, override="it moves to shop", prune="true")[1]["result"]
        == "configured"
    )

    assert world.call("PUT", SHOP, attack())[0] == 200
    back = world.call("PUT", SCR, scr_document, who=ADMIN, override="it comes back")
    assert problems(back)[0].count("belongs to environment live of platform shop") == 1


# ── at the same time ──


def racing(world: World, other: Callable[[], Any]) -> None:
    """Have somebody else write between what the next apply reads and what it writes, once."""
    write, done = world.store.write, []

    def slow(*writes: Any) -> None:
        if not done and any(isinstance(one, Save) and isinstance(one.record, AppliedPlatform) for one in writes):
            done.append(True)
            other()
        write(*writes)

    world.store.write = slow  # type: ignore[method-assign]


def test_of_two_platforms_that_claim_it_at_once_one_gets_it(world: World, scr_document: dict[str, Any]) -> None:
    answers: list[Any] = []
    racing(world, lambda: answers.append(world.call("PUT", SHOP, attack())))

    second = world.call("PUT", SCR, scr_document)

    assert answers[0][0] == 200
    assert "belongs to environment live of platform shop" in problems(second)[0]
    assert [applied.name for applied in world.store.platforms()] == ["shop"]


def test_two_platforms_with_nothing_in_common_both_get_theirs(world: World, scr_document: dict[str, Any]) -> None:
    answers: list[Any] = []
    racing(world, lambda: answers.append(world.call("PUT", SHOP, shop())))

    assert world.call("PUT", SCR, scr_document)[0] == 200
    assert answers[0][0] == 200
    assert {item.platform for item in world.store.ownerships()} == {"scr", "shop"}


def test_the_same_platform_twice_at_the_same_time_is_still_told(world: World, scr_document: dict[str, Any]) -> None:
    other = copy.deepcopy(scr_document)
    other["spec"]["assemblyTimeout"] = "45m"
    racing(world, lambda: world.call("PUT", SCR, other, who=KIM))

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["error"]["code"]) == (409, "Refused")
    assert "somebody else applied platform scr at the same time" in body["error"]["message"]


def test_a_crash_at_the_write_leaves_nothing_claimed(
    world: World, scr_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(world.store, "_transact", lambda writes: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            world.call("PUT", SCR, scr_document)
    assert world.store.ownerships() == []
    assert world.call("PUT", SHOP, attack())[0] == 200


def test_a_lost_answer_of_the_write_claims_once(world: World, scr_document: dict[str, Any], dynamodb: Any) -> None:
    call = dynamodb.transact_write_items

    def lost(**arguments: Any) -> Any:
        call(**arguments)
        dynamodb.transact_write_items = call
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "?"}}, "TransactWriteItems")

    dynamodb.transact_write_items = lost
    assert world.call("PUT", SCR, scr_document)[0] in (500, 503)
    status, body = world.call("PUT", SCR, scr_document)
    assert (status, body["result"]) == (200, "unchanged")
    assert problems(world.call("PUT", SHOP, attack()))


def test_a_hundred_services_in_each_of_three_environments_are_claimed_in_one_transaction(world: World) -> None:
    large = shop()
    waves = [
        {"name": f"w{w}", "services": [{"name": f"service-{w}-{s}", "component": "api"} for s in range(25)]}
        for w in range(4)
    ]
    large["spec"]["environments"] = {
        name: {"cluster": f"shop-{name}", "triggers": ["manual"], "waves": waves} for name in ("dev", "staging", "live")
    }
    for name in ("dev", "staging", "live"):
        world.outside.named["shop", name] = [
            thing
            for number in range(100)
            for thing in (
                things.family(f"{name}-{number}"),
                things.role(f"{name}-{number}"),
                things.role(f"{name}-{number}-x"),
            )
        ]
    assert world.call("PUT", SHOP, large)[0] == 200
    owned = {item.environment: len(item.things) for item in world.store.ownerships()}
    assert owned == {"dev": 400, "staging": 400, "live": 400, "": 0}

    thief = attack("shop-live")
    thief["metadata"]["name"] = "thief"
    thief["spec"]["components"]["api"]["repository"] = "thief-api"
    thief["spec"]["environments"]["live"]["waves"] = [waves[3]]
    assert len(problems(world.call("PUT", "/v1/platforms/thief", thief))) == 25


# ── after an update ──


@pytest.fixture
def overlapping(world: World, scr_document: dict[str, Any]) -> World:
    """Two documents that were applied before there were records, and that share production."""
    world.applied(parse(scr_document).dump())
    thief = parse(attack()).dump()
    world.put(AppliedPlatform(name="shop", generation=1, document=thief, applied_by=KIM, applied_at=make.AT))
    return world


def test_what_overlapped_before_is_told_and_refused_only_where_it_changes(
    overlapping: World, scr_document: dict[str, Any]
) -> None:
    world = overlapping
    scr_document["spec"]["environments"]["staging"]["notify"] = ["team"]

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["result"]) == (200, "configured")
    told = [item["message"] for item in body["warnings"] if "belongs to" in item["message"]]
    assert told
    assert told[0].startswith("service scr-api-production of cluster scr-production belongs to environment live of")
    assert told[0].endswith("It was so before; a change of this part is refused")
    scr_document["spec"]["environments"]["production"]["tagWait"] = "12h"
    assert "belongs to environment live of platform shop" in problems(world.call("PUT", SCR, scr_document))[0]


def test_the_same_document_again_tells_it_too(overlapping: World, scr_document: dict[str, Any]) -> None:
    overlapping.call("PUT", SCR, {**scr_document, "spec": {**scr_document["spec"], "assemblyTimeout": "45m"}})
    status, body = overlapping.call("PUT", SHOP, attack())
    assert (status, body["result"]) == (200, "unchanged")
    assert any("environment production of platform scr" in item["message"] for item in body["warnings"])


def test_status_tells_it(overlapping: World, scr_document: dict[str, Any]) -> None:
    overlapping.call("PUT", SCR, {**scr_document, "spec": {**scr_document["spec"], "assemblyTimeout": "45m"}})
    _, view = overlapping.call("GET", f"{SCR}/environments/production")
    assert view["shared"] == [
        "service scr-api-production of cluster scr-production belongs to environment live of platform shop"
    ]
    assert overlapping.call("GET", f"{SCR}/environments/staging")[1]["shared"] == []


def test_verify_tells_it_where_the_own_records_don_t_have_it(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)
    world.call("PUT", SHOP, shop())
    world.outside.named["shop", "live"] = [things.service("scr-production", "scr-api-production")]

    _, body = world.call("POST", f"{SHOP}/environments/live/verify", {})

    assert not body["ok"]
    assert "belongs to environment production of platform scr" in body["problems"][0]["message"]


def test_more_platforms_than_one_call_can_read_are_read_by_the_next(world: World) -> None:
    for number in range(25):
        document = shop(cluster=f"c{number}")
        document["metadata"]["name"] = f"p{number}"
        document["spec"]["components"]["api"]["repository"] = f"r{number}"
        stored = parse(document).dump()
        world.put(AppliedPlatform(name=f"p{number}", generation=1, document=stored, applied_by=JO, applied_at=make.AT))

    answers = [world.call("PUT", SHOP, shop()) for _ in range(3)]

    assert [status for status, _ in answers] == [503, 503, 200]
    assert answers[0][1]["error"]["message"].startswith("what 15 other platforms own is still being read")


def test_while_aws_can_t_be_asked_about_others_nothing_is_claimed(overlapping: World) -> None:
    def fail(document: Any) -> Any:
        raise Unavailable("ECS does not answer")

    overlapping.outside.claims = fail  # type: ignore[method-assign]
    assert overlapping.call("PUT", "/v1/platforms/shop", shop())[0] == 503


# ── retire ──


def test_an_admin_frees_what_an_abandoned_platform_owns(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)

    status, body = world.call("POST", f"{SCR}/retire", {"reason": "moved to shop"}, who=ADMIN)

    assert status == 200
    assert body == {
        "platform": "scr",
        "changed": True,
        "message": (
            "platform scr is deleted: Ferryman deploys nothing of it, and what it owned is free. Nothing changed in "
            "ECS; its releases and records stay, and a platform of this name begins a new history"
        ),
    }
    assert (world.store.find_platform("scr"), world.store.ownerships()) == (None, [])
    assert world.timeline("scr")[-1] == ("Retired", ADMIN)
    assert world.call("PUT", SHOP, attack())[0] == 200


def test_nobody_else_retires_a_platform(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)

    status, body = world.call("POST", f"{SCR}/retire", {"reason": "mine"}, who=JO)

    assert (status, body["error"]["code"]) == (403, "NotPermitted")
    assert body["error"]["message"].startswith(
        f"only an admin of Ferryman can retire platform scr, and {JO} is not one"
    )
    assert world.store.find_platform("scr") is not None


def test_a_platform_that_deploys_is_not_retired(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)
    world.put(make.state())

    status, body = world.call("POST", f"{SCR}/retire", {"reason": "moved"}, who=ADMIN)

    assert (status, body["error"]["code"]) == (409, "Refused")
    assert "is in progress in scr/staging" in body["error"]["message"]
    assert world.store.find_platform("scr") is not None


def test_retiring_needs_a_reason_and_a_platform(world: World) -> None:
    assert world.call("POST", f"{SCR}/retire", {}, who=ADMIN)[0] in (404, 422)
    assert world.call("POST", f"{SCR}/retire", {"reason": "gone"}, who=ADMIN)[0] == 404
