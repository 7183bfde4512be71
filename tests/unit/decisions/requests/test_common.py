"""What all requests of people share: which release they mean, what they typed, and one wish at a time."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.requests.common import asked, confirmed, find, refuse_active, what
from ferryman.errors import NotFound, Refused
from ferryman.records import Hold, Request
from unit import builders as make
from unit.api_world import idle

KIM = "arn:aws:iam::123456789012:user/kim"
ONE, TWO, OTHER = "abc1234def", "abc1234fff", "fff0000aaa"
RELEASES = [make.release(ONE, names=["v1.0.0"]), make.release(TWO), make.release(OTHER)]


def wish(version: str = ONE, kind: Any = "deploy", minutes: int = 0, **changes: Any) -> Request:
    at = make.AT + timedelta(minutes=minutes)
    return Request(version=version, kind=kind, reason="x", who=KIM, at=at).but(**changes)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param(ONE, ONE, id="in-full"),
        pytest.param("v1.0.0", ONE, id="semver-name"),
        pytest.param("abc1234d", ONE, id="the-beginning"),
        pytest.param("fff0000", OTHER, id="seven-characters"),
    ],
)
def test_find(text: str, version: str) -> None:
    assert find(RELEASES, text).version == version


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        pytest.param("abc1234", Refused, f"it matches {ONE}, {TWO}", id="two-begin-with-it"),
        pytest.param("fff000", NotFound, "the latest are: ", id="too-short"),
        pytest.param("", NotFound, "no release ''", id="empty"),
        pytest.param("v1.0", NotFound, "no release 'v1.0'", id="part-of-a-name"),
    ],
)
def test_what_is_not_found(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        find(RELEASES, text)
    assert words in str(caught.value)


def test_a_whole_version_is_no_beginning_of_another() -> None:
    longer = make.release(f"{OTHER}bb")
    assert find([*RELEASES, longer], OTHER).version == OTHER


@pytest.mark.parametrize("typed", ["", "production ", "PRODUCTION", "staging"])
def test_what_has_to_be_confirmed_is_typed_exactly(typed: str) -> None:
    with pytest.raises(Refused, match="--confirm production"):
        confirmed(typed, "production", "a rollback")
    confirmed("production", "production", "a rollback")


def test_what_is_being_brought_need_not_be_asked_for() -> None:
    active = make.state().active
    assert active is not None
    with pytest.raises(Refused, match="ferryman watch staging"):
        refuse_active(idle(active=active), active.version)
    refuse_active(idle(active=active), OTHER)
    refuse_active(idle(), ONE)


def test_the_same_wish_is_the_same_whoever_asks() -> None:
    assert what(wish()) == what(wish(minutes=5, who="somebody", reason="y"))
    others = [wish(OTHER), wish(kind="redeploy"), wish(command="up"), wish(revision="1")]
    assert all(what(other) != what(wish()) for other in others)


def test_a_wish_takes_the_place_of_another_one_and_says_so() -> None:
    outcome = asked(idle(requested=wish(OTHER)), wish())
    assert outcome.state is not None
    assert (outcome.state.requested, outcome.version) == (wish(), ONE)
    assert f"instead of {OTHER}, which {KIM} requested" in outcome.message


def test_the_same_again_changes_nothing() -> None:
    outcome = asked(idle(requested=wish()), wish(minutes=5, who="somebody"))
    assert (outcome.state, outcome.version) == (None, ONE)


def test_the_same_after_a_hold_counts_as_new_so_that_it_passes_it() -> None:
    hold = Hold(reason="load test", who=KIM, at=make.AT + timedelta(minutes=1))
    after = asked(idle(requested=wish(), hold=hold), wish(minutes=5)).state
    assert after is not None
    assert (after.requested, after.hold) == (wish(minutes=5), hold)


def test_the_same_that_lifts_the_hold_keeps_the_first_wish() -> None:
    hold = Hold(reason="load test", who=KIM, at=make.AT)
    outcome = asked(idle(requested=wish(), hold=hold), wish(minutes=5), lift_hold=True)
    assert outcome.state is not None
    assert (outcome.state.requested, outcome.state.hold, outcome.lifted_hold) == (wish(), None, True)


def test_nothing_takes_the_place_of_a_rollback_but_another_one() -> None:
    before = idle(requested=wish(OTHER, "rollback"))
    with pytest.raises(Refused, match=f"requested a rollback of staging to {OTHER}"):
        asked(before, wish())
    after = asked(before, wish(ONE, "rollback")).state
    assert after is not None
    assert after.requested == wish(ONE, "rollback")


def test_it_is_said_when_it_starts() -> None:
    active = make.state().active
    assert "within seconds" in asked(idle(), wish()).message
    assert "has ended" in asked(idle(active=active), wish()).message
