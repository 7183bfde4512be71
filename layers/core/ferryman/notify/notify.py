"""Step notify: send the messages in the outbox, each at least once, and exactly once unless a Lambda crashes.

Called by functions/notify, which the table's stream invokes as soon as a message is written, and a schedule, once a
minute, for messages that failed or that their destination had no time for. All runs share the pace of a destination
(`store.paces`). A failure is counted, recorded in the message, and retried with growing pauses. It never changes a
deployment's outcome, and one destination never blocks another.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from ferryman.contracts import FailedRecord, NotifyInput, NotifyOutput, Probe, Probed
from ferryman.errors import InvalidDocument
from ferryman.ids import Clock, NewId
from ferryman.notify import pacing
from ferryman.notify.delivery import Deliver, Key, Queue, Result, Sender, Waiting, key_of
from ferryman.notify.destinations import Destination, destination_of
from ferryman.notify.errors import NoDestination
from ferryman.notify.pacing import Limit
from ferryman.records import AppliedPlatform, OutboxMessage
from ferryman.store import keys
from ferryman.store.table import Store

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

STREAM_WAIT, STREAM_TIME = timedelta(seconds=3), timedelta(seconds=10)
"""For how long a run for the stream waits for slots, and goes on without waiting. The stream's next records come after
it, so the rest is left to the schedule."""
SWEEP_TIME = timedelta(seconds=50)
"""For how long a sweep goes on; with the last delivery, that ends before the function's timeout."""
_WORKERS = 100
"""Destinations that are served concurrently."""


def run(
    event: NotifyInput,
    *,
    store: Store,
    deliver: Deliver,
    clock: Clock,
    new_id: NewId,
    log: "Logger",
    count: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    threads: Callable[[int], Executor] = ThreadPoolExecutor,
    probe: Callable[[Probe], list[Probed]] = lambda _: [],
) -> NotifyOutput:
    """Send the messages that the stream's records name, or all that are due (`sweep`); or probe channels and no more.

    A record whose message could not be read (the table did not answer) is reported back to the stream, which delivers
    it again. A message that its channel did not accept, or had no time for, is not reported: a sweep sends it later.
    """
    if event.probe is not None:
        return NotifyOutput(probed=probe(event.probe))
    start = clock()
    until, ends = (SWEEP_TIME, SWEEP_TIME) if event.sweep else (STREAM_WAIT, STREAM_TIME)
    named = [(sequence, key) for record in event.records if (key := key_in(record)) for sequence in [_sequence(record)]]
    results: dict[Key, Result] = {}
    wanted: dict[Key, OutboxMessage] = {}
    for _, key in named:
        try:
            message = store.message(*key)
        except Exception:
            # The table did not answer, or a record is malformed. The other messages are sent all the same.
            log.exception("could not read a message", extra={"message_key": "#".join(key)})
            results[key] = "unknown"
        else:
            results[key] = "skipped"
            if message is not None:
                wanted[key] = message
    if event.sweep:
        wanted |= {key_of(message): message for message in store.unsent_in_brief()}
    due = [
        message
        for message in wanted.values()
        if not message.sent_at and not message.gave_up and pacing.due_at(message) <= clock()
    ]
    sender = Sender(store, deliver, clock, new_id, log, sleep)
    queues, unreadable = _queues(due, store, log)
    results |= {key_of(message): "unknown" for message in unreadable}
    for served in _side_by_side(lambda queue: sender.send_all(queue, start + until, start + ends), queues, threads):
        results |= served
    counts = list(results.values())
    for _ in range(counts.count("gave_up")):
        count("NotificationGaveUp")
    return NotifyOutput(
        sent=counts.count("sent"),
        failed=counts.count("failed"),
        gave_up=counts.count("gave_up"),
        waiting=counts.count("waiting"),
        batch_item_failures=[
            FailedRecord(item_identifier=sequence) for sequence, key in named if results[key] == "unknown" and sequence
        ],
    )


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


def _queues(messages: Iterable[OutboxMessage], store: Store, log: "Logger") -> tuple[list[Queue], list[OutboxMessage]]:
    """Return the messages by their destinations, and those whose destination could not be read."""
    platforms: dict[str, AppliedPlatform | None] = {}
    queues: dict[str, Queue] = {}
    unreadable: list[OutboxMessage] = []
    for message in messages:
        try:
            if message.platform not in platforms:
                platforms[message.platform] = store.find_platform(message.platform)
            destination = _destination_of(message, platforms[message.platform])
        except Exception:
            log.exception("could not read where a message goes", extra={"message_key": "#".join(key_of(message))})
            unreadable.append(message)
            continue
        if isinstance(destination, NoDestination | InvalidDocument):
            limit = Limit("nowhere")
        else:
            limit = pacing.limit_of(destination)
        queue = queues.setdefault(limit.destination, Queue(limit))
        queue.waiting.append(Waiting(message, destination))
    return list(queues.values()), unreadable


def _destination_of(
    message: OutboxMessage, applied: AppliedPlatform | None
) -> Destination | NoDestination | InvalidDocument:
    try:
        found = destination_of(applied.document, message) if applied else None
    except InvalidDocument as error:
        return error
    where = f"the document of platform {message.platform!r}"
    return found or NoDestination(f"channel {message.channel!r} is not, or no longer, in {where}")


def _side_by_side(
    serve: Callable[[Queue], dict[Key, Result]], queues: Sequence[Queue], threads: Callable[[int], Executor]
) -> Iterable[dict[Key, Result]]:
    """Serve each destination in a thread of its own, so that none waits for another."""
    if len(queues) < 2:
        return [serve(queue) for queue in queues]
    with threads(_WORKERS) as pool:
        return list(pool.map(serve, queues))


def _sequence(record: dict[str, object]) -> str:
    change = record.get("dynamodb")
    return str(change.get("SequenceNumber") or "") if isinstance(change, dict) else ""


def _text(value: object) -> str:
    return str(value.get("S") or "") if isinstance(value, dict) else ""
