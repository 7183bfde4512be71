"""What a destination takes, what goes first, when a message is tried again."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.notify import pacing
from ferryman.notify.destinations import Mailbox
from ferryman.platform import ChatChannel, GitHub, MailChannel, TopicChannel
from unit.builders import AT
from unit.fakes.secrets import arn
from unit.notify_world import message

MINUTE = timedelta(minutes=1)


def test_pauses_grow_up_to_an_hour_and_are_no_shorter_than_a_delivery() -> None:
    pauses = [pacing.due_at(message("x", tried_at=AT, attempts=n)) - AT for n in range(1, 11)]
    assert pauses[0] == MINUTE
    assert all(45 * MINUTE <= pause <= 60 * MINUTE for pause in pauses[6:])
    assert pauses[:7] == sorted(pauses[:7])


def test_messages_that_failed_together_are_not_tried_together() -> None:
    failed = [message("x", owner=f"D{n}", tried_at=AT, attempts=5) for n in range(100)]
    assert len({pacing.due_at(one) for one in failed}) == 100


def test_a_request_to_slow_down_is_no_failure() -> None:
    postponed = message("x", tried_at=AT, attempts=7, postponed=7)
    assert pacing.failures_of(postponed) == 0
    assert pacing.due_at(postponed) == AT
    in_progress = postponed.but(attempts=8)
    assert pacing.due_at(in_progress) == AT + MINUTE


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(0.0, 1, 2), (1.0, 1, 2), (30.0, 30, 38), (300.0, 300, 330), (86_400.0, 300, 330), (None, 1, 2)],
)
def test_a_destination_is_left_alone_as_long_as_it_asks_within_bounds(
    asked: float | None, least: float, most: float
) -> None:
    assert least <= pacing.hold_of(message("x", attempts=1), asked).total_seconds() <= most


def test_without_a_word_of_how_long_the_pauses_grow() -> None:
    holds = [pacing.hold_of(message("x", attempts=n + 1, postponed=n), None).total_seconds() for n in range(12)]
    assert holds[:8] == sorted(holds[:8])
    assert 200 < holds[-1] <= 330


@pytest.mark.parametrize(
    "changes",
    [
        {"event": "approval"},
        {"event": "approval-reminder"},
        {"event": "approval-ended"},
        {"event": "outcome", "detail": {"phase": "Failed"}},
        {"event": "outcome", "detail": {"phase": "RolledBack"}},
        {"event": "outcome", "detail": {"phase": "Errored"}},
        {"event": "outcome"},
        {"event": "hold-1"},
        {"event": "refused-api-1"},
        {"event": "from-the-future"},
        {"event": "freeze-1", "attempts": 1},
        {"event": "freeze-1", "channel": "approver/Ada"},
    ],
    ids=str,
)
def test_what_is_not_known_to_be_routine_is_urgent(changes: dict[str, Any]) -> None:
    assert not pacing.is_routine(message("x", **changes))


@pytest.mark.parametrize("event", ["outcome", "freeze-1", "waiting-1-Soaking", "incomplete"])
def test_success_and_news_are_routine(event: str) -> None:
    assert pacing.is_routine(message("x", event=event, detail={"phase": "Succeeded"}))


def test_urgent_first_then_what_was_tried_least_then_the_oldest() -> None:
    routine = message("x", event="freeze-1")
    failed = message("x", created_at=AT + MINUTE)
    older = message("x")
    tried = message("x", attempts=2)
    assert sorted([routine, tried, failed, older], key=pacing.order) == [older, failed, tried, routine]


def test_destinations_that_share_a_rate_share_a_pace() -> None:
    hook = ChatChannel(type="slack", webhook_secret_arn=arn("hook"))
    bot = {"type": "slack", "bot_token_secret_arn": arn("bot")}
    one, other = (ChatChannel.model_validate({**bot, "channel": name}) for name in ("C0ONE", "C0OTHER"))
    buttons = one.model_copy(update={"signing_secret_arn": arn("signing"), "team": "T0"})
    mail = MailChannel.model_validate({"type": "mail", "from": "a@example.com", "to": ["b@example.com"]})
    limits = [pacing.limit_of(place) for place in (hook, one, other, mail)]
    assert len({limit.destination for limit in limits}) == 4
    assert [limit.interval.total_seconds() for limit in limits] == [1.2, 1.2, 1.2, 0]
    assert pacing.limit_of(buttons) == pacing.limit_of(one)
    assert pacing.limit_of(Mailbox("Ada", "ferryman@example.com")) == pacing.limit_of(mail)
    assert not pacing.limit_of(TopicChannel(type="sns", topic_arn="arn:aws:sns:eu-west-1:1:x")).digests
    assert not pacing.limit_of(GitHub(repository="scr-platform/scr", token_secret_arn=arn("token"))).digests
