"""The outbox: each message out once, whatever fails; nothing stops the others, nothing secret is told."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import httpx
import pytest
from aws_lambda_powertools import Logger

from ferryman.clients.github.client import Network
from ferryman.contracts import NotifyInput, NotifyOutput
from ferryman.errors import Unavailable
from ferryman.notify import notify
from ferryman.notify.context import Context
from ferryman.notify.dispatch import deliver
from ferryman.notify.errors import NotDelivered, NotNeeded
from ferryman.records import AppliedPlatform, EventType, OutboxMessage
from ferryman.records.writes import Add, Save
from ferryman.store import keys
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE, FakeDynamoDb
from unit.fakes.github import streamed
from unit.fakes.slack import FakeSlack

SWEEP = NotifyInput(sweep=True)
WEBHOOK = "https://hooks.slack.com/services/T000/B000/hunter2"


def message(channel: str = "team", **changes: Any) -> OutboxMessage:
    made = OutboxMessage(
        owner="01DEP",
        event="outcome",
        channel=channel,
        platform="scr",
        environment="staging",
        subject="[Failed] scr/staging: abc failed",
        text="abc failed.\n\n  | FATAL <no> & config\n\nWhat to do next: push.",
        detail={"phase": "Failed", "version": "abc"},
        created_at=make.AT,
    )
    return made.but(**changes)


def record(message: OutboxMessage, name: str = "INSERT") -> dict[str, Any]:
    """A record of the table's stream, as Lambda gives it."""
    key = keys.outbox(message.owner, message.event, message.channel)
    return {
        "eventID": "1",
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {part: {"S": value} for part, value in key.items()},
            "SequenceNumber": f"seq-{message.channel}",
        },
    }


def stream(*messages: OutboxMessage, name: str = "INSERT") -> NotifyInput:
    return NotifyInput.model_validate({"Records": [record(one, name) for one in messages]})


class Sink:
    """Takes messages, or refuses them."""

    def __init__(self, **failing: Exception) -> None:
        self.failing = failing
        self.got: list[str] = []

    def __call__(self, channel: Any, message: OutboxMessage) -> None:
        if message.channel in self.failing:
            raise self.failing[message.channel]
        self.got.append(message.channel)


class Counter:
    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        self.names.append(name)


Run = Callable[..., NotifyOutput]


@pytest.fixture
def dynamodb(aws: None) -> FakeDynamoDb:
    return FakeDynamoDb()


@pytest.fixture
def store(dynamodb: FakeDynamoDb) -> Store:
    return Store(dynamodb, TABLE)


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def run(store: Store, clock: FakeClock, counter: Counter, new_id: FakeIds) -> Run:
    log = Logger(service="test", level="CRITICAL")

    def once(event: NotifyInput, deliver: notify.Deliver) -> NotifyOutput:
        return notify.run(
            event, store=store, deliver=deliver, clock=clock, new_id=new_id, log=log, count=counter, sleep=clock.sleep
        )

    return once


@pytest.fixture(autouse=True)
def applied(store: Store) -> None:
    document = {
        "spec": {
            "channels": {
                "team": {"type": "sns", "topicArn": "ssm:/topic"},
                "chat": {"type": "slack", "webhookSecretArn": "ssm:/webhook"},
                "ops": {"type": "mail", "from": "ferryman@example.com", "to": ["a@example.com", "b@example.com"]},
                "broken": {"type": "pigeon"},
            }
        }
    }
    store.write(
        Save(AppliedPlatform(name="scr", generation=1, document=document, applied_by="anna", applied_at=make.AT))
    )  # fmt: skip


def put(store: Store, *messages: OutboxMessage) -> None:
    store.write(*(Add(one, expires_at=1_900_000_000) for one in messages))


def stored(store: Store, channel: str = "team") -> OutboxMessage:
    found = store.message("01DEP", "outcome", channel)
    assert found is not None
    return found


def test_stream_sends_once(store: Store, run: Run, clock: FakeClock, dynamodb: Any) -> None:
    put(store, message())
    sink = Sink()
    assert run(stream(message()), sink) == NotifyOutput(sent=1)
    assert stored(store).sent_at == clock()
    assert stored(store).attempts == 1
    for event in (stream(message()), stream(message(), name="MODIFY"), SWEEP):
        clock.forward(hours=5)
        assert run(event, sink) == NotifyOutput()
    assert sink.got == ["team"]
    key = {"pk": {"S": "DEPLOYMENT#01DEP"}, "sk": {"S": "OUTBOX#outcome#team"}}
    item = dynamodb.get_item(TableName="ferryman", Key=key, ConsistentRead=True)
    assert item["Item"]["expiresAt"] == {"N": "1900000000"}
    assert "pending" not in item["Item"]


def test_sweep_sends_what_the_stream_lost(store: Store, run: Run) -> None:
    put(store, message("team"), message("ops"))
    sink = Sink()
    assert run(SWEEP, sink).sent == 2
    assert store.unsent() == []


def test_twice_in_one_batch_is_sent_once(store: Store, run: Run) -> None:
    put(store, message())
    sink = Sink()
    assert run(stream(message(), message()), sink).sent == 1


def test_a_failure_is_counted_told_and_stops_nothing(store: Store, run: Run, clock: FakeClock) -> None:
    put(store, message("team"), message("ops"))
    sink = Sink(team=NotDelivered("the topic is gone"))
    assert run(stream(message("team"), message("ops")), sink) == NotifyOutput(sent=1, failed=1)
    assert sink.got == ["ops"]
    failed = stored(store)
    assert (failed.attempts, failed.last_error, failed.sent_at) == (1, "the topic is gone", None)
    # Not before the pause is over, neither by the stream's echo of our own write nor by a sweep.
    assert run(stream(message(), name="MODIFY"), Sink()) == NotifyOutput()
    assert run(SWEEP, Sink()) == NotifyOutput()
    clock.forward(seconds=61)
    assert run(SWEEP, Sink()).sent == 1
    assert stored(store).last_error is None


def test_gives_up_after_ten_attempts_with_a_metric(store: Store, run: Run, clock: FakeClock, counter: Counter) -> None:
    put(store, message())
    sink = Sink(team=NotDelivered("no"))
    results = []
    for _ in range(15):
        results.append(run(SWEEP, sink))
        clock.forward(hours=1, seconds=1)
    assert [result.failed for result in results[:9]] == [1] * 9
    assert results[9] == NotifyOutput(gave_up=1)
    assert results[10:] == [NotifyOutput()] * 5
    assert stored(store).gave_up
    assert stored(store).attempts == 10
    assert counter.names == ["NotificationGaveUp"]
    (told,) = store.timeline("01DEP")
    assert told.type is EventType.NOTIFICATION_FAILED
    assert told.message == "gave up on the message `outcome` to team after 10 attempts: no"


def test_giving_up_is_told_once_even_when_the_answer_was_lost(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, message("gone"))
    real = store.mark

    def lost(message: OutboxMessage, *, since: int, also: Any = ()) -> bool:
        stored = real(message, since=since, also=also)
        if also:
            raise Unavailable("no answer")
        return stored

    monkeypatch.setattr(store, "mark", lost)
    assert run(stream(message("gone")), Sink()).batch_item_failures != []
    assert run(stream(message("gone")), Sink()) == run(SWEEP, Sink()) == NotifyOutput()
    assert len(store.timeline("01DEP")) == 1


def test_a_crash_before_giving_up_was_written_tells_it_later_once(
    store: Store, run: Run, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, message("gone"))
    real = store.mark

    def broken(message: OutboxMessage, *, since: int, also: Any = ()) -> bool:
        if also:
            raise Unavailable("never arrived")
        return real(message, since=since)

    monkeypatch.setattr(store, "mark", broken)
    run(SWEEP, Sink())
    assert store.timeline("01DEP") == []
    monkeypatch.setattr(store, "mark", real)
    clock.forward(hours=1)
    assert run(SWEEP, Sink()).gave_up == 1
    assert len(store.timeline("01DEP")) == 1


def test_what_nobody_needs_any_more_is_dropped_quietly(store: Store, run: Run, counter: Counter) -> None:
    put(store, message())
    assert run(SWEEP, Sink(team=NotNeeded("it was decided"))) == NotifyOutput()
    assert (stored(store).gave_up, stored(store).last_error) == (True, "it was decided")
    assert store.unsent() == []
    assert (store.timeline("01DEP"), counter.names) == ([], [])


def test_what_was_about_no_deployment_is_told_where_it_belongs(store: Store, run: Run) -> None:
    lost = message("gone", owner="scr#staging", event="hold-1")
    put(store, lost)
    assert run(stream(lost), Sink()).gave_up == 1
    (told,) = store.timeline("scr#staging")
    assert told.deployment is None


@pytest.mark.parametrize("channel", ["gone", "broken"])
def test_a_channel_that_is_gone_is_given_up_one_that_is_broken_is_tried_again(
    store: Store, run: Run, channel: str, counter: Counter
) -> None:
    put(store, message(channel), message("ops"))
    output = run(SWEEP, Sink())
    assert output.sent == 1
    assert (output.gave_up, output.failed) == ((1, 0) if channel == "gone" else (0, 1))
    told = stored(store, channel)
    assert told.gave_up is (channel == "gone")
    assert channel in str(told.last_error)


def test_a_platform_that_is_gone_is_given_up(store: Store, run: Run) -> None:
    put(store, message(platform="other"))
    assert run(SWEEP, Sink()).gave_up == 1


def test_a_crash_after_the_delivery_sends_again_a_crash_before_sends_later(
    store: Store, run: Run, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, message())
    sink = Sink()
    real, calls = store.mark, []

    def lost(message: OutboxMessage, *, since: int, also: Any = ()) -> bool:
        calls.append(message)
        if len(calls) == 2:
            raise Unavailable("the table does not answer")
        return real(message, since=since, also=also)

    monkeypatch.setattr(store, "mark", lost)
    assert [one.item_identifier for one in run(stream(message()), sink).batch_item_failures] == ["seq-team"]
    assert run(stream(message()), sink) == NotifyOutput()
    clock.forward(minutes=2)
    assert run(SWEEP, sink).sent == 1
    assert sink.got == ["team", "team"]


def test_two_senders_at_the_same_time_send_once(store: Store, run: Run) -> None:
    put(store, message())
    sink = Sink()

    def slow(channel: Any, one: OutboxMessage) -> None:
        assert run(SWEEP, sink) == NotifyOutput()
        sink(channel, one)

    assert run(stream(message()), slow).sent == 1
    assert sink.got == ["team"]


def test_a_try_is_claimed_by_one_of_two_that_read_the_same(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, message())
    untried = stored(store)
    monkeypatch.setattr(store, "message", lambda *key: untried)
    sink = Sink()
    assert [run(stream(message()), sink).sent for _ in range(2)] == [1, 0]
    assert sink.got == ["team"]


def test_somebody_faster_wins(store: Store, clock: FakeClock) -> None:
    put(store, message())
    assert store.mark(message(attempts=1, tried_at=clock()), since=0)
    assert not store.mark(message(attempts=1, tried_at=clock()), since=0)
    assert not store.mark(message("never-written"), since=0)


def test_a_table_that_does_not_answer_is_reported_back_for_that_message_only(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, message("team"), message("ops"))
    real = store.message

    def read(owner: str, event: str, channel: str) -> OutboxMessage | None:
        if channel == "team":
            raise Unavailable("DynamoDB")
        return real(owner, event, channel)

    monkeypatch.setattr(store, "message", read)
    output = run(stream(message("team"), message("ops")), Sink())
    # What Lambda reads of the answer.
    assert output.model_dump(mode="json", by_alias=True)["batchItemFailures"] == [{"itemIdentifier": "seq-team"}]
    assert output.sent == 1


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"dynamodb": None},
        {"dynamodb": {"Keys": {"pk": {"S": "DEPLOYMENT#x"}, "sk": {"S": "EVENT#1"}}}},
        {"dynamodb": {"Keys": {"pk": {"S": "ENV#scr#staging"}, "sk": {"S": "OUTBOX#a#b"}}}},
        {"dynamodb": {"Keys": {"pk": {"S": "DEPLOYMENT#x"}, "sk": {"S": "OUTBOX#a"}}}},
        {"eventName": "REMOVE", "dynamodb": record(message())["dynamodb"]},
    ],
    ids=["empty", "nothing", "timeline", "other-record", "no-channel", "removed"],
)
def test_other_records_are_left_alone(run: Run, other: dict[str, Any]) -> None:
    assert run(NotifyInput(records=[other]), Sink()) == NotifyOutput()


def test_an_owner_may_contain_a_hash() -> None:
    assert notify.key_in(record(message(owner="scr#abc"))) == ("scr#abc", "outcome", "team")


# ── through the channels, to moto ──


@pytest.fixture
def clients(store: Store) -> dict[str, Any]:
    made = {
        name: boto3.client(name, region_name="eu-west-1") for name in ("ssm", "secretsmanager", "sns", "sesv2", "sqs")
    }
    topic = made["sns"].create_topic(Name="team")["TopicArn"]
    queue = made["sqs"].create_queue(QueueName="inbox")["QueueUrl"]
    made["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:inbox")
    secret = made["secretsmanager"].create_secret(Name="ferryman/scr/slack", SecretString=WEBHOOK)["ARN"]
    made["ssm"].put_parameter(Name="/topic", Value=topic, Type="String")
    made["ssm"].put_parameter(Name="/webhook", Value=secret, Type="String")
    made["sesv2"].create_email_identity(EmailIdentity="ferryman@example.com")
    made["queue"] = queue
    return made


Answering = Callable[[httpx.Request], httpx.Response]


def through(clients: dict[str, Any], store: Store, clock: FakeClock, answer: Answering | None = None) -> notify.Deliver:
    network = Network(httpx.MockTransport(answer or FakeSlack()))
    return partial(deliver, context=Context(clients.__getitem__, store, clock, "https://approve.example/", network))


def test_every_channel_gets_it(store: Store, run: Run, clients: dict[str, Any], clock: FakeClock) -> None:
    put(store, message("team"), message("chat"), message("ops"))
    slack = FakeSlack()
    assert run(SWEEP, through(clients, store, clock, slack)).sent == 3
    note = json.loads(clients["sqs"].receive_message(QueueUrl=clients["queue"])["Messages"][0]["Body"])
    assert note["Subject"] == message().subject
    assert note["Message"] == message().text
    assert {name: value["Value"] for name, value in note["MessageAttributes"].items()} == {
        "platform": "scr", "environment": "staging", "event": "outcome", "phase": "Failed", "version": "abc",
    }  # fmt: skip
    ((url, body),) = slack.posted
    assert url == WEBHOOK
    assert body["unfurl_links"] is False


def test_no_secret_in_what_is_remembered_of_a_failure(
    store: Store, run: Run, clients: dict[str, Any], clock: FakeClock
) -> None:
    put(store, message("chat"))

    def refuse(request: httpx.Request) -> httpx.Response:
        return streamed(httpx.Response(404, text=f"no_service at {request.url}"))

    assert run(SWEEP, through(clients, store, clock, refuse)).failed == 1
    assert "Slack answered 404: no_service" in str(stored(store, "chat").last_error)
    assert "hunter2" not in str(stored(store, "chat").last_error)


def test_a_reference_that_is_missing_is_a_failure_that_says_so(
    store: Store, run: Run, clients: dict[str, Any], clock: FakeClock
) -> None:
    clients["ssm"].delete_parameter(Name="/topic")
    put(store, message("team"))
    assert run(SWEEP, through(clients, store, clock)).failed == 1
    assert "SSM parameter /topic does not exist" in str(stored(store).last_error)
