"""Step notify: send the messages in the outbox, each at least once, and exactly once unless a Lambda crashes.

Called by functions/notify, which the table's stream invokes as soon as a message is written, and a schedule for
messages that failed. Each attempt is claimed before it is made, so that the stream and a sweep, or two sweeps, cannot
send the same message at the same time. A failure is counted, recorded in the message, and retried with backoff. It
never changes a deployment's outcome and never blocks another message.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from ferryman.contracts import FailedRecord, NotifyInput, NotifyOutput
from ferryman.errors import InvalidDocument
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.notify.destinations import Destination, destination_of
from ferryman.notify.errors import NotNeeded
from ferryman.records import OutboxMessage
from ferryman.records.writes import Add
from ferryman.store import keys
from ferryman.store.table import Store
from ferryman.text import one_line

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

ATTEMPTS = 10
"""Failures after which a message is given up; with the backoff, that takes about four hours."""
_WORKERS = 8
"""Messages that are sent concurrently."""
_SWEEP_LIMIT = 200
"""The most messages that one sweep sends."""

Deliver = Callable[[Destination, OutboxMessage], None]
"""Sends one message to its destination. Raises NotNeeded when it is obsolete, anything else when it is not sent."""
Result = Literal["sent", "failed", "gave_up", "dropped", "skipped", "unknown"]
Key = tuple[str, str, str]
"""Owner, event and channel of a message."""


def run(
    event: NotifyInput,
    *,
    store: Store,
    deliver: Deliver,
    clock: Clock,
    new_id: NewId,
    log: "Logger",
    count: Callable[[str], None],
) -> NotifyOutput:
    """Send the messages that the stream's records name, or all that are due (`sweep`).

    A record whose message could not be read (the table did not answer) is reported back to the stream, which delivers
    it again. A message that its channel did not accept is not reported: the sweep sends it later.
    """
    named = [(sequence, key) for record in event.records if (key := key_in(record)) for sequence in [_sequence(record)]]
    wanted = [key for _, key in named]
    if event.sweep:
        wanted += [_key(message) for message in _due_first(store.unsent(limit=1_000), clock())[:_SWEEP_LIMIT]]

    def send(key: Key) -> Result:
        return _send(key, store, deliver, clock, new_id, log)

    results = dict(zip(dict.fromkeys(wanted), _side_by_side(send, dict.fromkeys(wanted)), strict=True))
    counts = list(results.values())
    for _ in range(counts.count("gave_up")):
        count("NotificationGaveUp")
    return NotifyOutput(
        sent=counts.count("sent"),
        failed=counts.count("failed"),
        gave_up=counts.count("gave_up"),
        batch_item_failures=[
            FailedRecord(item_identifier=sequence) for sequence, key in named if results[key] == "unknown" and sequence
        ],
    )


def due_at(message: OutboxMessage) -> datetime:
    """Return when a message may be sent: at once, then after 1, 2, 4 … minutes, at most an hour apart. Pure.

    The first pause is longer than one delivery can take, so that an attempt in progress is not repeated.
    """
    if message.attempts == 0 or message.tried_at is None:
        return message.created_at
    return message.tried_at + min(timedelta(minutes=2 ** min(message.attempts - 1, 10)), timedelta(hours=1))


def key_in(record: dict[str, object]) -> Key | None:
    """Return the key of the message that a stream record is about, or None for any other record. Pure."""
    change = record.get("dynamodb")
    image = change.get("Keys") if isinstance(change, dict) else None
    if not isinstance(image, dict) or record.get("eventName") == "REMOVE":
        return None
    pk, sk = (_text(image.get(name)) for name in ("pk", "sk"))
    if not pk.startswith(keys.timeline("")) or not sk.startswith(keys.OUTBOX):
        return None
    # The owner may contain #; event and channel cannot.
    event, _, channel = sk.removeprefix(keys.OUTBOX).partition("#")
    owner = pk.removeprefix(keys.timeline(""))
    return (owner, event, channel) if owner and event and channel else None


def _send(key: Key, store: Store, deliver: Deliver, clock: Clock, new_id: NewId, log: "Logger") -> Result:
    try:
        message = store.message(*key)
        if message is None or message.sent_at or message.gave_up or due_at(message) > clock():
            return "skipped"
        claimed = message.but(attempts=message.attempts + 1, tried_at=clock())
        if not store.mark(claimed, since=message.attempts):
            return "skipped"
        result, after = _try(claimed, store, deliver, clock)
        lines = [_timeline_event(after, clock(), new_id)] if result == "gave_up" else []
        store.mark(after, since=claimed.attempts, also=lines)
    except Exception:
        # The table did not answer, or a record is malformed. The other messages are sent all the same.
        log.exception("could not read a message", extra={"message_key": "#".join(key)})
        return "unknown"
    about = {"message_key": "#".join(key), "attempt": after.attempts, "why": after.last_error}
    if result == "sent":
        log.info("message sent", extra=about)
    elif result == "dropped":
        log.info("message dropped: it is no longer needed", extra=about)
    elif result == "gave_up":
        log.error("gave up on a message", extra=about)
    else:
        log.warning("message not sent; will retry", extra=about)
    return result


def _try(message: OutboxMessage, store: Store, deliver: Deliver, clock: Clock) -> tuple[Result, OutboxMessage]:
    try:
        applied = store.find_platform(message.platform)
        destination = destination_of(applied.document, message) if applied else None
    except InvalidDocument as error:
        return _failed(message, str(error))
    if destination is None:
        reason = f"channel {message.channel!r} is not, or no longer, in the document of platform {message.platform!r}"
        return "gave_up", message.but(gave_up=True, last_error=reason)
    try:
        deliver(destination, message)
    except NotNeeded as error:
        # No alarm and no line in the timeline: nobody misses this message.
        return "dropped", message.but(gave_up=True, last_error=one_line(str(error), limit=500))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a channel is a failed delivery
        return _failed(message, str(error) or type(error).__name__)
    return "sent", message.but(sent_at=clock(), last_error=None)


def _timeline_event(message: OutboxMessage, at: datetime, new_id: NewId) -> Add:
    """Make the timeline event of a message that was given up."""
    about = f"the message `{message.event}` to {message.channel}"
    text = f"gave up on {about} after {message.attempts} attempts: {message.last_error}"
    return timeline.message_event(message, text, at=at, new_id=new_id)


def _failed(message: OutboxMessage, reason: str) -> tuple[Result, OutboxMessage]:
    gave_up = message.attempts >= ATTEMPTS
    failed = message.but(gave_up=gave_up, last_error=one_line(reason, limit=500))
    return ("gave_up" if gave_up else "failed"), failed


def _due_first(messages: Iterable[OutboxMessage], now: datetime) -> list[OutboxMessage]:
    """Return the messages that are due, fewest attempts first, so that a dead channel does not block the others."""
    due = [message for message in messages if due_at(message) <= now]
    return sorted(due, key=lambda message: (message.attempts, message.created_at))


def _side_by_side(send: Callable[[Key], Result], wanted: Iterable[Key]) -> list[Result]:
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        return list(pool.map(send, wanted))


def _key(message: OutboxMessage) -> Key:
    return message.owner, message.event, message.channel


def _sequence(record: dict[str, object]) -> str:
    change = record.get("dynamodb")
    return str(change.get("SequenceNumber") or "") if isinstance(change, dict) else ""


def _text(value: object) -> str:
    return str(value.get("S") or "") if isinstance(value, dict) else ""
