"""One destination's queue: it waits for its slots, leaves what has none, and stands in no other's way."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import NotifyInput, NotifyOutput
from ferryman.errors import Throttled
from ferryman.records import EventType, OutboxMessage
from ferryman.records.writes import Add
from ferryman.store import keys, paces
from unit import asked
from unit.builders import AT
from unit.fakes.clock import FakeClock
from unit.fakes.secrets import arn
from unit.fakes.services import FakeServices
from unit.fakes.slack import FakeSlack
from unit.notify_world import SWEEP, World, message

HOOK = f"slack#{arn('hook')}"


def put(world: World, *messages: OutboxMessage) -> NotifyInput:
    """Write messages; return the stream's event about them."""
    world.ask()
    for one in messages:
        world.store.write(Add(one))
    records = [keys.outbox(one.owner, one.event, one.channel) for one in messages]
    return NotifyInput(
        records=[{"dynamodb": {"Keys": {part: {"S": text} for part, text in key.items()}}} for key in records]
    )


def some(count: int, channel: str = "hook", **changes: Any) -> list[OutboxMessage]:
    return [message("x", f"[Failed] {n}", owner=f"D{n}", channel=channel, **changes) for n in range(count)]


def test_the_stream_does_not_wait_long_and_the_schedule_sends_the_rest(
    world: World, run: Any, slack: FakeSlack, clock: FakeClock
) -> None:
    event, start = put(world, *some(10)), clock()
    assert run(event) == NotifyOutput(sent=3, waiting=7)
    assert clock() - start <= timedelta(seconds=3)
    assert run(SWEEP) == NotifyOutput(sent=7)
    assert len(slack.posted) == 10


def test_what_needs_no_slot_is_all_sent_for_the_stream_while_there_is_time(
    world: World, run: Any, clock: FakeClock, services: FakeServices
) -> None:
    event = put(world, *some(10, "ops"))
    services.before_mail = lambda mail: clock.forward(seconds=2)
    assert run(event) == NotifyOutput(sent=6, waiting=4)


def test_a_sweep_ends_in_time(world: World, run: Any, clock: FakeClock) -> None:
    put(world, *some(100))
    start = clock()
    output = run(SWEEP)
    assert output == NotifyOutput(sent=42, waiting=58)
    assert clock() - start <= timedelta(seconds=50)


def test_a_channel_that_is_held_holds_up_no_other(
    world: World, run: Any, clock: FakeClock, services: FakeServices
) -> None:
    event = put(world, *some(3), *some(3, "team"))
    paces.hold(world.store, HOOK, clock() + timedelta(minutes=4))
    start = clock()
    assert run(event) == NotifyOutput(sent=3, waiting=3)
    assert clock() == start
    assert len(services.notes) == 3
    assert world.store.message("D0", "outcome", "hook").attempts == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("channel", ["team", "ops"])
def test_what_aws_throttles_is_sent_later_and_counts_as_no_failure(
    world: World, run: Any, clock: FakeClock, services: FakeServices, monkeypatch: pytest.MonkeyPatch, channel: str
) -> None:
    faults = [Throttled("slow down")] * 4

    def refuse(**what: Any) -> None:
        if faults:
            raise faults.pop()
        services.notes.append(what)

    monkeypatch.setattr(services, "publish", refuse)
    monkeypatch.setattr(services, "send_email", refuse)
    put(world, *some(2, channel))
    start = clock()
    assert run(SWEEP) == NotifyOutput(sent=2)
    # Pauses of 1, 1, 2 and 2 seconds, and a little more: they grow with the attempts at each message.
    assert timedelta(seconds=6) < clock() - start < timedelta(seconds=9)
    for name in ("D0", "D1"):
        row = world.store.message(name, "outcome", channel)
        assert row is not None
        assert (row.attempts, row.postponed) == (3, 2)


def test_a_destination_that_only_asks_to_wait_is_given_up_after_a_day(
    world: World, run: Any, clock: FakeClock, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise Throttled("slow down")

    monkeypatch.setattr(services, "publish", refuse)
    put(world, message("x", owner=asked.ID, channel="team"))
    clock.at = AT + timedelta(hours=23)
    assert run(SWEEP).gave_up == 0
    clock.at = AT + timedelta(hours=24)
    assert run(SWEEP).gave_up == 1
    (line,) = world.store.timeline(asked.ID)
    assert line.type is EventType.NOTIFICATION_FAILED
    assert world.counted == ["NotificationGaveUp"]


def test_a_digest_that_fails_is_tried_again_message_by_message(
    world: World, run: Any, clock: FakeClock, services: FakeServices, slack: FakeSlack
) -> None:
    put(world, *some(12, event="freeze-1"))
    services.secrets["hook"] = "no address"
    assert run(SWEEP) == NotifyOutput(failed=12)
    services.secrets["hook"] = "https://hooks.slack.com/services/T000/B000/hunter2"
    clock.forward(minutes=1)
    assert run(SWEEP) == NotifyOutput(sent=12)
    assert len(slack.posted) == 12


def test_ten_routine_messages_are_sent_one_by_one(world: World, run: Any, slack: FakeSlack) -> None:
    put(world, *some(10, event="freeze-1"))
    assert run(SWEEP).sent == 10
    assert len(slack.posted) == 10


def test_what_another_run_sent_meanwhile_is_not_in_the_digest(
    world: World, run: Any, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.store.table.time.sleep", lambda seconds: None)
    messages = some(30, event="freeze-1")
    put(world, *messages)
    listed = world.store.unsent_in_brief()
    for one in messages[:7]:
        assert world.store.mark(one.but(attempts=1, sent_at=AT), since=0)
    monkeypatch.setattr(world.store, "unsent_in_brief", lambda: listed)
    assert run(SWEEP).sent == 23
    ((_, body),) = slack.posted
    assert body["text"] == "23 more: scr/staging"
