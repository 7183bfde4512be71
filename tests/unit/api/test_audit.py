"""`GET …/audit`: acts of people and decisions, newest first, with their source; nothing secret, nothing unbounded."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ferryman.api import audit
from ferryman.messages import timeline
from ferryman.records import AUDITED, EventType, Phase
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import JO, KIM, World
from unit.fakes.clock import FakeClock, FakeIds

AUDIT = "/v1/platforms/scr/audit"
ID = "01K00000000000000000000DEP"
DIGESTS = {"api": make.digest("a"), "web": make.digest("a")}


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    return world


def about_environment(
    world: World,
    type: EventType,
    seconds: int = 0,
    environment: str | None = "production",
    who: str = JO,
    **detail: Any,
) -> None:
    at = make.AT + timedelta(seconds=seconds)
    world.store.write(
        timeline.environment_event(
            "scr", environment, type, f"{type}!", at=at, new_id=world.new_id, who=who, detail=detail
        )
    )


def about_deployment(
    world: World, type: EventType, seconds: int = 0, deployment: str = ID, who: str = JO, **detail: Any
) -> None:
    at = make.AT + timedelta(seconds=seconds)
    found = world.store.deployment("scr", "production", deployment)
    world.store.write(timeline.event(found, type, f"{type}!", at=at, new_id=world.new_id, who=who, detail=detail))


def deployed(world: World, **changes: Any) -> None:
    given = {"environment": "production", "phase": Phase.SUCCEEDED, "execution_arn": "arn:x", **changes}
    world.put(make.deployment(**given))


def acts(world: World, **query: str) -> list[dict[str, Any]]:
    status, body = world.call("GET", AUDIT, **query)
    assert status == 200, body
    return list(body["acts"])


def test_who_did_what_how_from_where_on_which_digests(world: World) -> None:
    deployed(world)
    about_deployment(
        world,
        EventType.APPROVED,
        who="Ada Lovelace",
        how="mail",
        identity="ada@x.example",
        source="203.0.113.7, Firefox",
    )

    assert acts(world) == [
        {
            "at": "2026-01-02T03:04:05Z",
            "act": "Approved",
            "who": "Ada Lovelace",
            "how": "mail",
            "identity": "ada@x.example",
            "source": "203.0.113.7, Firefox",
            "environment": "production",
            "deployment": ID,
            "version": "abc1234",
            "message": "Approved!",
            "digests": DIGESTS,
        }
    ]


def test_an_act_without_a_deployment_takes_its_digests_from_the_release(world: World) -> None:
    world.put(make.release("abc1234"))
    about_environment(world, EventType.WAIVED, version="abc1234", how="cli")

    (act,) = acts(world)
    assert (act["version"], act["digests"], act["deployment"]) == ("abc1234", DIGESTS, None)


def test_of_all_timelines_newest_first(world: World) -> None:
    deployed(world)
    about_environment(world, EventType.APPLIED, 1, environment=None)
    about_environment(world, EventType.HELD, 3, environment="staging")
    about_environment(world, EventType.FROZEN, 2)
    about_deployment(world, EventType.REJECTED, 4)

    assert [act["act"] for act in acts(world)] == ["Rejected", "Held", "Frozen", "Applied"]
    assert [act["act"] for act in acts(world, environment="production")] == ["Rejected", "Frozen", "Applied"]
    assert [act["act"] for act in acts(world, environment="staging")] == ["Held", "Applied"]


@pytest.mark.parametrize("type", [EventType.DECISION_REFUSED, EventType.APPROVAL_ENDED, EventType.TAG_REFUSED])
def test_what_was_refused_and_what_expired_is_there(world: World, type: EventType) -> None:
    deployed(world)
    about_deployment(world, type, who="unknown")

    assert [act["act"] for act in acts(world)] == [str(type)]


def test_how_it_went_is_no_act(world: World) -> None:
    deployed(world)
    for type in EventType:
        about_deployment(world, type)

    assert {act["act"] for act in acts(world)} == {str(type) for type in AUDITED}
    quiet = {"Started", "StepStarted", "StepEnded", "RollingBack", "ReDriven", "ApprovalReminded", "NotificationFailed"}
    assert quiet.isdisjoint(act["act"] for act in acts(world))


def test_an_attempt_on_an_old_approval_is_found(world: World) -> None:
    """A link that somebody tries days after the deployment ended writes to that deployment's timeline."""
    deployed(world, ended_at=make.AT)
    about_deployment(world, EventType.DECISION_REFUSED, seconds=86_400 * 30)

    assert len(acts(world, since="2026-01-20T00:00:00+00:00")) == 1


def test_nothing_of_an_event_leaves_but_what_an_audit_shows(world: World) -> None:
    deployed(world)
    secrets: dict[str, Any] = {
        "token": "AQC-token",
        "nonce": "n0nce",
        "hash": "5e884898",
        "how": {"nested": "AQC-token"},
    }
    about_deployment(world, EventType.APPROVED, **secrets)

    text = json.dumps(acts(world))
    assert not any(secret in text for secret in ("AQC-token", "n0nce", "5e884898"))


def test_since_and_limit(world: World) -> None:
    for second in range(5):
        about_environment(world, EventType.HELD, second)

    _, body = world.call("GET", AUDIT, limit="2")
    assert ([act["at"][-3:-1] for act in body["acts"]], body["complete"]) == (["09", "08"], False)
    _, body = world.call("GET", AUDIT, since="2026-01-02T03:04:08Z")
    assert ([act["at"][-3:-1] for act in body["acts"]], body["complete"]) == (["09", "08"], True)
    assert len(acts(world, since="2026-01-02T03:04:08")) == 2


def test_says_when_older_deployments_were_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_DEEP", 2)
    for number in range(3):
        deployed(world, id=f"01K{number}", created_at=make.AT + timedelta(seconds=number))
        about_deployment(world, EventType.APPROVED, number, deployment=f"01K{number}")

    _, body = world.call("GET", AUDIT)
    assert ([act["deployment"] for act in body["acts"]], body["complete"]) == (["01K2", "01K1"], False)
    assert world.call("GET", AUDIT, since="2026-01-02T03:04:06Z")[1]["complete"]


def test_releases_that_were_merely_passed_over_are_not_read(world: World) -> None:
    deployed(world, phase=Phase.SUPERSEDED, execution_arn=None)
    about_deployment(world, EventType.ENDED)

    assert acts(world) == []


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        pytest.param({"environment": "prod"}, 404, "known environments: staging, production", id="environment"),
        pytest.param({"since": "yesterday"}, 400, "2026-12-24T18:00:00Z", id="since"),
        pytest.param({"limit": "0"}, 400, "limit", id="limit"),
    ],
)
def test_bad_input(world: World, query: dict[str, str], status: int, words: str) -> None:
    code, body = world.call("GET", AUDIT, **query)

    assert (code, words in body["error"]["message"]) == (status, True)


def test_what_people_ask_through_the_api_is_audited_with_its_source(world: World) -> None:
    world.call("POST", "/v1/platforms/scr/environments/production/hold", {"reason": "fair"}, who=KIM)

    (act,) = acts(world)
    assert (act["act"], act["who"], act["how"], act["source"]) == ("Held", KIM, "cli", "203.0.113.7, ferryman/1")
