"""A hundred messages to one webhook that takes one a second: all arrive within ten minutes, and none twice."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import httpx
import pytest
from aws_lambda_powertools import Logger

from ferryman.clients.github.client import Network
from ferryman.contracts import NotifyInput
from ferryman.notify import notify
from ferryman.notify.context import Context
from ferryman.notify.dispatch import deliver
from ferryman.records import AppliedPlatform, OutboxMessage
from ferryman.records.writes import Add, Save
from ferryman.store import keys
from ferryman.store.table import Store
from unit.builders import AT
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import FakeDynamoDb
from unit.fakes.github import streamed
from unit.fakes.secrets import arn
from unit.fakes.services import FakeServices
from unit.fakes.simulation import Killed, Simulation, SlowTable
from unit.notify_world import BASE, SWEEP, message

NAMED = re.compile(r"number-\d+")
TEN_MINUTES = timedelta(minutes=10)


class StrictSlack:
    """Takes one message a second. Whoever is faster has to wait, and each call meanwhile is refused, too."""

    def __init__(self, clock: FakeClock, *, penalty: float = 30, as_date: bool = False) -> None:
        self.clock, self.penalty, self.as_date = clock, penalty, as_date
        self.taken: list[tuple[datetime, dict[str, Any]]] = []
        self.refused: list[datetime] = []
        self.free_at = clock()
        self.after: Callable[[dict[str, Any]], None] = lambda body: None
        """Happens when a message was taken, before its sender knows."""

    def busy_for(self, seconds: float) -> None:
        """Somebody else used up the rate."""
        self.free_at = self.clock() + timedelta(seconds=seconds)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        now = self.clock()
        if now < self.free_at:
            self.refused.append(now)
            self.free_at = max(self.free_at, now + timedelta(seconds=self.penalty))
            wait = str(round(self.penalty)) if not self.as_date else format_datetime(self.free_at, usegmt=True)
            headers = {"retry-after": wait, "date": format_datetime(now, usegmt=True)}
            return streamed(httpx.Response(429, headers=headers, text="rate_limited"))
        body = json.loads(request.content)
        self.taken.append((now, body))
        self.free_at = now + timedelta(seconds=1)
        self.after(body)
        return streamed(httpx.Response(200, text="ok"))

    def named(self) -> Counter[str]:
        """How often each message was told, by itself or in a digest."""
        return Counter(found for _, body in self.taken for found in set(NAMED.findall(json.dumps(body))))


class Burst:
    """Messages to one webhook, and the runs of notify that the stream and the schedules start."""

    def __init__(self, clock: FakeClock, seed: int, document: dict[str, Any], **slack: Any) -> None:
        self.clock = clock
        self.simulation = Simulation(clock, seed)
        self.table = FakeDynamoDb()
        self.slack = StrictSlack(clock, **slack)
        self.calm = Store(self.table, "ferryman")
        """The table without the pauses of the simulation."""
        document["spec"]["channels"]["team"] = {"type": "slack", "webhookSecretArn": arn("hook")}
        platform = AppliedPlatform(name="scr", generation=1, document=document, applied_by="ada", applied_at=AT)
        self.calm.write(Save(platform))
        self.new_id = FakeIds()

    def write(self, *messages: OutboxMessage) -> None:
        for one in messages:
            self.calm.write(Add(one))

    def run(self, event: NotifyInput) -> None:
        network = Network(httpx.MockTransport(self.slack))
        store = Store(SlowTable(self.table, self.simulation), "ferryman")  # type: ignore[arg-type]
        context = Context(FakeServices(), store, self.clock, BASE, network)
        notify.run(
            event,
            store=store,
            deliver=partial(deliver, context=context),
            clock=self.clock,
            new_id=self.new_id,
            log=Logger(service="test", level="CRITICAL"),
            count=lambda name: None,
            sleep=self.simulation.sleep,
        )

    def stream(self, messages: list[OutboxMessage]) -> None:
        """One shard: batches of ten, one after another."""
        for start in range(0, len(messages), 10):
            records = [{"dynamodb": {"Keys": _keys(one)}} for one in messages[start : start + 10]]
            self.run(NotifyInput(records=records))

    def play(self, messages: list[OutboxMessage]) -> None:
        """Start the stream's run at once, notify's schedule each minute, and reconcile's sweep every five."""
        start = self.clock()
        self.simulation.start(start, lambda: self.stream(messages))
        for minute in range(10):
            self.simulation.start(start + timedelta(minutes=minute, seconds=17), lambda: self.run(SWEEP))
        for minute in (0, 5):
            self.simulation.start(start + timedelta(minutes=minute, seconds=17), lambda: self.run(SWEEP))
        self.simulation.run()

    def row(self, one: OutboxMessage) -> OutboxMessage:
        found = self.calm.message(one.owner, one.event, one.channel)
        assert found is not None
        return found


def _keys(one: OutboxMessage) -> dict[str, Any]:
    return {part: {"S": value} for part, value in keys.outbox(one.owner, one.event, one.channel).items()}


def routine(number: int, **changes: Any) -> OutboxMessage:
    subject = f"[Succeeded] scr/staging: number-{number} is deployed"
    return message("deployed", subject, owner=f"D{number}", detail={"phase": "Succeeded"}, **changes)


def failure(number: int) -> OutboxMessage:
    return message("broken", f"[Failed] scr/staging: number-{number}", owner=f"D{number}", detail={"phase": "Failed"})


Make = Callable[..., Burst]


@pytest.fixture
def burst(clock: FakeClock, scr_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Make:
    clock.at = AT

    def make(seed: int = 0, **slack: Any) -> Burst:
        made = Burst(clock, seed, scr_document, **slack)
        # Conflicts are waited for as everything else is.
        monkeypatch.setattr("ferryman.store.table.time.sleep", made.simulation.sleep)
        monkeypatch.setattr("ferryman.store.table.random.uniform", made.simulation.random.uniform)
        return made

    return make


@pytest.mark.parametrize("seed", range(2))
def test_a_hundred_messages_at_once(burst: Make, seed: int) -> None:
    world = burst(seed)
    messages = [routine(n) for n in range(100)]
    world.write(*messages)
    world.play(messages)
    assert all(count == 1 for count in world.slack.named().values())
    assert len(world.slack.named()) == 100
    rows = [world.row(one) for one in messages]
    assert all(row.sent_at and row.sent_at - AT <= TEN_MINUTES for row in rows)
    assert any(row.digested for row in rows)
    assert world.slack.refused == []
    assert len(world.slack.taken) < 60


def test_a_hundred_failures_are_told_one_by_one(burst: Make) -> None:
    world = burst()
    messages = [failure(n) for n in range(100)]
    world.write(*messages)
    world.play(messages)
    assert len(world.slack.taken) == 100
    assert all(count == 1 for count in world.slack.named().values())
    rows = [world.row(one) for one in messages]
    assert all(row.sent_at and row.sent_at - AT <= TEN_MINUTES and not row.digested for row in rows)


def test_failures_first(burst: Make) -> None:
    world = burst()
    messages = [*(routine(n) for n in range(80)), *(failure(n) for n in range(80, 100))]
    world.write(*messages)
    start = world.clock()
    world.simulation.start(start, lambda: world.run(SWEEP))
    world.simulation.run()
    bodies = [body["text"] for _, body in world.slack.taken]
    assert all("[Failed]" in text for text in bodies[:20])
    assert bodies[20:] == ["50 more: scr/staging", "30 more: scr/staging"]


@pytest.mark.parametrize("as_date", [False, True])
def test_slack_is_left_alone_as_long_as_it_asks(burst: Make, as_date: bool) -> None:
    world = burst(as_date=as_date)
    world.slack.busy_for(45)
    messages = [failure(n) for n in range(100)]
    world.write(*messages)
    world.play(messages)
    assert len(world.slack.named()) == 100
    assert all(count == 1 for count in world.slack.named().values())
    assert all((row := world.row(one)).sent_at and row.sent_at - AT <= TEN_MINUTES for one in messages)
    # One call tells that it is busy, perhaps another whose slot was taken at the same moment; the others wait.
    assert len(world.slack.refused) <= 3


def test_runs_that_die_after_a_digest_lose_nothing(burst: Make) -> None:
    world = burst()
    messages = [routine(n) for n in range(100)]
    world.write(*messages)
    deaths: list[str] = []

    def die(body: dict[str, Any]) -> None:
        if "more: " in body["text"] and len(deaths) < 1:
            deaths.append(body["text"])
            raise Killed

    world.slack.after = die
    world.play(messages)
    assert len(deaths) == 1
    assert all((row := world.row(one)).sent_at and row.sent_at - AT <= TEN_MINUTES for one in messages)
    again = [name for name, count in world.slack.named().items() if count > 1]
    assert len(world.slack.named()) == 100
    assert len(again) == int(deaths[0].split()[0])


def test_approvals_do_not_queue_behind_a_burst(burst: Make) -> None:
    """What the stream brings while a sweep is busy takes the next slot."""
    world = burst()
    messages = [failure(n) for n in range(40)]
    late = failure(99)
    world.write(*messages)
    world.simulation.start(world.clock(), lambda: world.run(SWEEP))

    def come() -> None:
        world.write(late)
        world.stream([late])

    world.simulation.start(world.clock() + timedelta(seconds=10), come)
    world.simulation.run()
    sent_at = world.row(late).sent_at
    assert sent_at is not None
    assert sent_at - AT < timedelta(seconds=13.1)
