"""An admin's override of an approval: who may, when, what it replaces, and who is told."""

from typing import Any

import pytest

from ferryman.records import Phase, Request
from unit import builders as make
from unit.api_world import ADMIN, JO, World
from unit.starting import (
    ENV,
    PLACE,
    A,
    B,
    C,
    ask,
    brings,
    change,
    claim,
    deployment,
    lines,
    proven,
    running,
    state,
    told,
)

WHY = "the shop is down"
APPROVERS = [
    {"name": "Ada", "email": "ada@example.com"},
    {"name": "Grace", "arn": "arn:aws:iam::123456789012:user/grace"},
]
DOWN = {"command": "down", "revision": "base"}


@pytest.fixture
def world(world: World) -> World:
    change(world, approval={"approvers": APPROVERS, "from": "ferryman@example.com"}, notify=["team"])
    world.put(running())
    return world


def mails(world: World) -> dict[str, str]:
    """Channel → text of what is queued about this."""
    return {m.channel: m.text for m in world.store.unsent() if m.event.startswith("unapproved-")}


def detail(world: World) -> dict[str, Any]:
    return next(line.detail for line in world.store.timeline(f"scr#{ENV}") if line.who == ADMIN)


class TestMigrate:
    def test_without_one_the_approvers_are_asked(self, world: World) -> None:
        status, answer = ask(world, "migrate", **DOWN)
        assert status == 200
        assert answer["message"] == f"migrate down to base in {ENV} waits for approval: Ada, Grace will be asked"
        assert mails(world) == {}

    def test_of_an_admin_starts_it_and_tells_everybody(self, world: World) -> None:
        status, answer = ask(world, "migrate", who=ADMIN, override=WHY, reason="bad rows", **DOWN)

        assert (status, answer["message"]) == (200, f"migrate down to base in {ENV} starts within seconds")
        wish = state(world).requested
        assert wish is not None
        assert (wish.override, wish.who) == (WHY, ADMIN)
        assert lines(world) == [("MigrateRequested", ADMIN)]
        assert detail(world)["override"] == WHY
        found = mails(world)
        assert set(found) == {"team", "approver/Ada"}
        for text in found.values():
            for part in (ADMIN, "migrate down to base", "without the approval that it needs", WHY, "bad rows"):
                assert part in text

    def test_shows_in_the_status(self, world: World) -> None:
        ask(world, "migrate", who=ADMIN, override=WHY, **DOWN)
        notices = world.call("GET", PLACE)[1]["notices"]
        assert [WHY in notice["message"] for notice in notices] == [True]

    def test_of_anybody_else_is_refused_and_recorded(self, world: World) -> None:
        before = state(world)
        status, answer = ask(world, "migrate", override=WHY, **DOWN)

        assert (status, answer["error"]["code"]) == (403, "NotPermitted")
        assert answer["error"]["message"].startswith(
            "only an admin of Ferryman can override an approval (`--override`)"
        )
        assert (state(world), lines(world), mails(world)) == (before, [("RequestRefused", JO)], {})

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            pytest.param({"command": "current"}, {}, id="it-only-reads"),
            pytest.param({"command": "up"}, {"approval": None}, id="nobody-has-to-approve"),
        ],
    )
    def test_where_none_is_needed_is_refused(self, world: World, body: dict[str, Any], fields: dict[str, Any]) -> None:
        change(world, **fields)
        status, answer = ask(world, "migrate", who=ADMIN, override=WHY, **body)
        assert (status, "nothing to override" in answer["error"]["message"]) == (409, True)
        assert mails(world) == {}

    def test_without_a_reason_is_refused(self, world: World) -> None:
        assert ask(world, "migrate", who=ADMIN, override="  ", **DOWN)[0] == 422
        assert state(world).requested is None

    def test_replaces_what_waits_for_approval(self, world: World) -> None:
        waiting = deployment(C, Phase.AWAITING_APPROVAL, kind="migrate", plan=make.plan(approval=True))
        world.put(running(active=claim(C)).but(rev=state(world).rev), waiting)

        assert ask(world, "migrate", **DOWN)[0] == 409
        status, answer = ask(world, "migrate", who=ADMIN, override=WHY, **DOWN)
        assert (status, "replaces what waits" in answer["message"]) == (200, True)

    def test_does_not_replace_what_runs(self, world: World) -> None:
        world.put(running(active=claim(C)).but(rev=state(world).rev), deployment(C, Phase.RUNNING, kind="migrate"))
        assert ask(world, "migrate", who=ADMIN, override=WHY, **DOWN)[0] == 409

    def test_replaces_the_same_request_that_has_not_begun(self, world: World) -> None:
        ask(world, "migrate", **DOWN)
        assert ask(world, "migrate", who=ADMIN, override=WHY, **DOWN)[1]["changed"] is True
        wish = state(world).requested
        assert wish is not None
        assert wish.override == WHY


class TestRollback:
    @pytest.fixture
    def world(self, world: World) -> World:
        proven(world, A, B)
        brings(world, a=told("0001"), b=told("0001,0002"), c=told("0001,0002,0003", "0003"))
        return world

    def test_with_a_downgrade_asks(self, world: World) -> None:
        answer = ask(world, "rollback", reason="worse", downgrade=True)[1]
        assert "Ada, Grace will be asked to approve it" in answer["message"]
        assert mails(world) == {}

    def test_with_a_downgrade_and_an_override_does_not(self, world: World) -> None:
        answer = ask(world, "rollback", who=ADMIN, reason="worse", downgrade=True, override=WHY)[1]
        assert "will be asked" not in answer["message"]
        assert "rollback to bbb1234 with a downgrade to 0002" in mails(world)["approver/Ada"]

    def test_of_anybody_else_is_refused(self, world: World) -> None:
        assert ask(world, "rollback", reason="worse", downgrade=True, override=WHY)[0] == 403
        assert state(world).hold is None

    def test_without_a_command_starts_at_once_and_approvers_hear_of_it(self, world: World) -> None:
        brings(world, a=told("0001"), b=told("0001"), c=told("0001"))
        assert ask(world, "rollback", reason="worse")[0] == 200
        assert "needs no approval" in mails(world)["approver/Ada"]

    def test_an_accepted_schema_mismatch_is_recorded_and_told(self, world: World) -> None:
        assert ask(world, "rollback", who=ADMIN, reason="worse")[0] == 409
        answer = ask(world, "rollback", who=ADMIN, reason="worse", acceptSchemaMismatch=True)
        assert answer[0] == 200
        wish = state(world).requested
        assert wish is not None
        assert "0003" in wish.schema_mismatch
        found = mails(world)
        assert set(found) == {"team", "approver/Ada"}
        assert all("Accepted schema mismatch: bbb1234 may not work" in text for text in found.values())

    def test_so_it_is_where_nobody_approves(self, world: World) -> None:
        change(world, approval=None)
        ask(world, "rollback", reason="worse", acceptSchemaMismatch=True)
        assert set(mails(world)) == {"team"}

    def test_acceptance_of_what_is_no_mismatch_is_none(self, world: World) -> None:
        change(world, approval=None)
        brings(world, a=told("0001"), b=told("0001"), c=told("0001"))
        ask(world, "rollback", reason="worse", acceptSchemaMismatch=True)
        wish = state(world).requested
        assert wish is not None
        assert (wish.schema_mismatch, mails(world)) == ("", {})

    def test_another_one_replaces_one_that_waits(self, world: World) -> None:
        waiting = deployment(
            B, Phase.AWAITING_APPROVAL, kind="rollback", command="down", revision="0002", plan=make.plan(approval=True)
        )  # fmt: skip
        world.put(running(active=claim(B)).but(rev=state(world).rev), waiting)

        assert ask(world, "rollback", reason="worse", downgrade=True)[0] == 409
        status, answer = ask(world, "rollback", reason="worse", acceptSchemaMismatch=True)
        assert (status, "is withdrawn" in answer["message"]) == (200, True)


def test_a_look_at_the_revision_is_told(world: World) -> None:
    assert ask(world, "migrate", command="current")[0] == 200
    assert "reads the revision of the database" in mails(world)["approver/Ada"]
    assert isinstance(state(world).requested, Request)
