"""Step notify: send what the outbox holds, each message at least once and, but for crashes, just once.

Called by functions/notify: woken by the table's stream as soon as a message was written, and by a schedule that sweeps
up what failed. A try is claimed before it is made, so stream and sweep, or two sweeps, don't send the same message side
by side. A failure is counted, recorded in the message, and tried again with growing pauses; it never changes a
deployment's outcome, and never stops another message.
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
"""After so many failures a message is given up: with the pauses between them, about four hours."""
_WORKERS = 8
"""Messages that are sent side by side."""
_SWEEP_LIMIT = 200
"""Messages that one sweep sends."""

Deliver = Callable[[Destination, OutboxMessage], None]
"""Send one message to where it goes. NotNeeded: it has become pointless; any other exception: not delivered."""
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

    A record whose message could not even be looked at (the table does not answer) is reported back to the stream, which
    delivers it again. A message that its channel did not take is not: the sweep sends it later.
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
    """Return when a message may be tried: at once, then after 1, 2, 4 … minutes, at most an hour apart. Pure.

    The first pause is longer than one delivery can take: a try that is still going on isn't made twice.
    """
    if message.attempts == 0 or message.tried_at is None:
        return message.created_at
    return message.tried_at + min(timedelta(minutes=2 ** min(message.attempts - 1, 10)), timedelta(hours=1))


def key_in(record: dict[str, object]) -> Key | None:
    """Return the message that a stream record is about, or None when it is about something else. Pure."""
    change = record.get("dynamodb")
    image = change.get("Keys") if isinstance(change, dict) else None
    if not isinstance(image, dict) or record.get("eventName") == "REMOVE":
        return None
    pk, sk = (_text(image.get(name)) for name in ("pk", "sk"))
    if not pk.startswith(keys.timeline("")) or not sk.startswith(keys.OUTBOX):
        return None
    # The owner may contain #, event and channel don't.
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
        # The table did not answer, or a record is not what it should be: never a reason to leave the others unsent.
        log.exception("a message could not be looked at", extra={"message_key": "#".join(key)})
        return "unknown"
    about = {"message_key": "#".join(key), "attempt": after.attempts, "why": after.last_error}
    if result == "sent":
        log.info("message sent", extra=about)
    elif result == "dropped":
        log.info("message dropped: nobody needs it any more", extra=about)
    elif result == "gave_up":
        log.error("message given up", extra=about)
    else:
        log.warning("message not sent; tried again later", extra=about)
    return result


def _try(message: OutboxMessage, store: Store, deliver: Deliver, clock: Clock) -> tuple[Result, OutboxMessage]:
    try:
        applied = store.find_platform(message.platform)
        destination = destination_of(applied.document, message) if applied else None
    except InvalidDocument as error:
        return _failed(message, str(error))
    if destination is None:
        reason = f"channel {message.channel!r} is not in the document of platform {message.platform!r} (any more)"
        return "gave_up", message.but(gave_up=True, last_error=reason)
    try:
        deliver(destination, message)
    except NotNeeded as error:
        # Not an alarm, nor a line in the timeline: nothing is missing anywhere.
        return "dropped", message.but(gave_up=True, last_error=one_line(str(error), limit=500))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a channel is a failed delivery
        return _failed(message, str(error) or type(error).__name__)
    return "sent", message.but(sent_at=clock(), last_error=None)


def _timeline_event(message: OutboxMessage, at: datetime, new_id: NewId) -> Add:
    """Make the line of the timeline about a message that was given up."""
    about = f"the message `{message.event}` to {message.channel}"
    text = f"{about} was given up after {message.attempts} attempts: {message.last_error}"
    return timeline.message_event(message, text, at=at, new_id=new_id)


def _failed(message: OutboxMessage, reason: str) -> tuple[Result, OutboxMessage]:
    gave_up = message.attempts >= ATTEMPTS
    failed = message.but(gave_up=gave_up, last_error=one_line(reason, limit=500))
    return ("gave_up" if gave_up else "failed"), failed


def _due_first(messages: Iterable[OutboxMessage], now: datetime) -> list[OutboxMessage]:
    """Return what is due; what was tried least comes first, so that a dead channel can't starve the others."""
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
