"""Deciding about an approval: who may, when, and what it comes to, as a table."""

from collections.abc import Callable
from typing import Any

import pytest

from ferryman.decisions.approval_rules import closed, judge_attempt
from ferryman.records import Actor, Phase
from unit.approving import (
    ABORT,
    ADA,
    ADA_ARN,
    GRACE,
    NEWER,
    OPEN,
    SHORT,
    TWO,
    VERSION,
    World,
    attempt,
    by,
    late,
)


@pytest.fixture
def world() -> World:
    return World()


NO = attempt(verdict="reject", reason="no")
REJECTED = by(verdict="reject", reason="no")


RULES: list[Any] = [
    pytest.param({}, [], attempt(), "Approved", id="approve"),
    pytest.param({}, [], NO, "Rejected", id="reject"),
    pytest.param({}, [], attempt(verdict="reject"), "NeedsReason", id="reject-without-a-reason"),
    pytest.param({}, [], attempt(verdict="reject", reason=" \n"), "NeedsReason", id="reject-with-a-blank-reason"),
    # the version
    pytest.param({}, [], attempt(version=""), "WrongVersion", id="nothing-typed"),
    pytest.param({}, [], attempt(version="yes"), "WrongVersion", id="something-typed"),
    pytest.param({}, [], attempt(version=VERSION), "WrongVersion", id="in-full-on-a-page"),
    pytest.param({}, [], attempt(version=VERSION, how="cli"), "Approved", id="in-full-by-command"),
    pytest.param({}, [], attempt(version=SHORT[:6]), "WrongVersion", id="too-short"),
    pytest.param({}, [], attempt(version=f" {SHORT.upper()} "), "Approved", id="as-a-phone-types-it"),
    pytest.param({}, [], attempt(version="", confirmed=True), "Approved", id="confirmed-in-slacks-dialog"),
    pytest.param({}, [], attempt(verdict="reject", reason="no", version="yes"), "WrongVersion", id="reject-another"),
    # who
    pytest.param({}, [], attempt("Somebody Else"), "NotAllowed", id="a-stranger"),
    pytest.param({}, [], attempt(""), "NotAllowed", id="nobody"),
    pytest.param({}, [], attempt("Joe", how="shared link"), "NotAllowed", id="shared-link-of-a-strict-policy"),
    pytest.param({}, [], attempt(ADA, how="shared link"), "NotAllowed", id="shared-link-under-an-approvers-name"),
    pytest.param(OPEN, [], attempt("Joe", how="shared link"), "Approved", id="unverified"),
    pytest.param(OPEN, [], attempt("Joe", how="mail"), "NotAllowed", id="unverified-is-for-the-shared-link-only"),
    pytest.param(OPEN, [], attempt(" ", how="shared link"), "NotAllowed", id="unverified-without-a-name"),
    # how many
    pytest.param(TWO, [], attempt(), "Recorded", id="first-of-two"),
    pytest.param(TWO, [by(GRACE)], attempt(), "Approved", id="second-of-two"),
    pytest.param(TWO, [by()], attempt(), "AlreadyYours", id="the-same-person-twice"),
    pytest.param(TWO, [by()], attempt(how="slack", confirmed=True), "AlreadyYours", id="the-same-in-another-way"),
    pytest.param(TWO, [by()], attempt(verdict="reject", reason="a bug"), "Rejected", id="approver-may-still-reject"),
    pytest.param(OPEN | TWO, [by("Joe", how="shared link")], attempt(" JOE ", how="shared link"), "AlreadyYours",
                 id="unverified-names-are-compared-loosely"),
    # afterwards
    pytest.param({}, [by()], attempt(), "AlreadyYours", id="approved-by-oneself"),
    pytest.param({}, [by()], attempt(GRACE), "AlreadyDecided", id="approved-by-another"),
    pytest.param({}, [by()], NO, "AlreadyDecided", id="approved-can-not-be-rejected"),
    pytest.param({}, [REJECTED], NO, "AlreadyYours",
                 id="rejected-by-oneself"),
    pytest.param({}, [REJECTED], attempt(), "AlreadyDecided", id="rejected-can-not-be-approved"),
    pytest.param(TWO, [by(), REJECTED], attempt(), "AlreadyDecided", id="approved-then-rejected"),
    # time
    pytest.param({}, [late(hours=24, seconds=-1)], attempt(), "Approved", id="a-second-before-it-expires"),
    pytest.param({}, [late(hours=24)], attempt(), "Expired", id="the-second-it-expires"),
    pytest.param({}, [late(hours=24)], NO, "Expired", id="reject-expired"),
    pytest.param(TWO, [by(), late(hours=24)], attempt(GRACE), "Expired", id="the-second-too-late"),
    pytest.param(TWO, [by(), late(hours=24)], attempt(), "Expired", id="again-too-late"),
    pytest.param({}, [lambda world: world.end("Expired")], attempt(), "Expired", id="ended-as-expired"),
    pytest.param({}, [lambda world: world.end()], attempt(), "Superseded", id="superseded"),
    pytest.param({}, [lambda world: world.end("Aborted")], attempt(), "Aborted", id="aborted"),
    pytest.param({}, [lambda world: world.edit(abort=ABORT)], attempt(), "Aborted", id="abort-asked-for"),
    pytest.param({}, [lambda world: world.edit(abort=ABORT)], NO, "Aborted",
                 id="reject-what-is-aborted"),
    pytest.param({}, [lambda world: world.edit(phase=Phase.ERRORED)], attempt(), "Aborted", id="its-execution-died"),
    pytest.param({}, [lambda world: world.edit(phase=Phase.EXPIRED)], attempt(), "Expired", id="the-machine-timed-out"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "before", "tried", "kind"), RULES)
def test_rules(world: World, policy: Any, before: list[Callable[[World], Any]], tried: Any, kind: str) -> None:
    world.asked(policy)
    for act in before:
        act(world)
    verdict = judge_attempt(world.approval, world.deployment, tried, world.clock())
    assert verdict.kind == kind
    assert verdict.message.endswith(".")
    assert verdict.counts == (kind in ("Approved", "Recorded", "Rejected"))


@pytest.mark.parametrize(
    ("policy", "verdict", "kind"),
    [
        pytest.param({}, "approve", "NotAllowed", id="approve"),
        pytest.param({}, "reject", "Rejected", id="reject"),
        pytest.param({"requesterMayApprove": True}, "approve", "Approved", id="approve-where-that-is-allowed"),
    ],
)
@pytest.mark.parametrize("how", ["mail", "slack", "cli"])
def test_who_asked(world: World, policy: Any, verdict: str, kind: str, how: str) -> None:
    world.edit(initiated_by=Actor(who=ADA_ARN))
    world.asked(policy)
    confirmed = {"confirmed": True, "version": ""} if how == "slack" else {}
    assert world.decide(verdict=verdict, reason="changed my mind", how=how, **confirmed).kind == kind


def test_who_asked_does_not_get_by_under_another_spelling(world: World) -> None:
    world.edit(initiated_by=Actor(who=ADA_ARN))
    world.asked({"allowUnverified": True})
    assert world.decide(" ada LOVELACE", how="shared link").kind == "NotAllowed"


def test_what_stops_the_environment_stops_a_yes_but_no_no(world: World) -> None:
    world.asked()
    assert (
        judge_attempt(world.approval, world.deployment, attempt(), world.clock(), "frozen until Monday").kind
        == "Frozen"
    )
    assert judge_attempt(world.approval, world.deployment, NO, world.clock(), "frozen until Monday").kind == "Rejected"


def test_people_are_told_who_decided_and_what_goes_instead(world: World) -> None:
    world.asked(TWO)
    world.decide()
    world.decide(GRACE)
    over = closed(world.approval, world.deployment, world.clock())
    assert over is not None
    assert (over.by, over.given, over.required) == ("Ada Lovelace and Grace Hopper", 2, 2)

    other = World().asked()
    other.end()
    over = closed(other.approval, other.deployment, other.clock())
    assert over is not None
    assert (over.by, NEWER in over.message) == (NEWER, True)


def test_while_it_stands_nothing_is_closed(world: World) -> None:
    world.asked()
    assert closed(world.approval, world.deployment, world.clock()) is None
