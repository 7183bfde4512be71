"""One message after another to one destination, in its pace.

Called by `notify.notify`, once for each destination that messages wait for. Each attempt is claimed before it is made,
so that no two runs send the same message.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ferryman.errors import InvalidDocument, Throttled
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.notify import digest, pacing
from ferryman.notify.destinations import Destination
from ferryman.notify.errors import NoDestination, NotNeeded
from ferryman.notify.pacing import Limit
from ferryman.records import OutboxMessage
from ferryman.store import paces
from ferryman.store.table import Store
from ferryman.text import one_line

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

Deliver = Callable[[Destination, OutboxMessage], None]
"""Sends one message to its destination. Raises NotNeeded when it is obsolete, Throttled when the destination asks to
slow down, anything else when it is not sent."""
Result = Literal["sent", "failed", "gave_up", "dropped", "skipped", "waiting", "unknown"]
Key = tuple[str, str, str]
"""Owner, event and channel of a message."""


@dataclass(frozen=True)
class Waiting:
    """A message that waits, as it was read, and where it goes."""

    message: OutboxMessage
    destination: Destination | NoDestination | InvalidDocument
    """An error says why there is none."""


@dataclass
class Queue:
    """Messages whose destinations share one pace."""

    limit: Limit
    waiting: list[Waiting] = field(default_factory=list)


@dataclass(frozen=True)
class Sender:
    """Sends messages, with what it needs for that."""

    store: Store
    deliver: Deliver
    clock: Clock
    new_id: NewId
    log: "Logger"
    sleep: Callable[[float], None] = time.sleep

    def send_all(self, queue: Queue, until: datetime, ends: datetime) -> dict[Key, Result]:
        """Send what waits for a destination, and return what became of each.

        Slots are waited for up to `until`; those that are free at once are used up to `ends`.
        """
        results: dict[Key, Result] = {key_of(one.message): "waiting" for one in queue.waiting}
        waiting = sorted(queue.waiting, key=_order)
        try:
            while waiting and self.clock() <= ends and self._has_slot(queue.limit, max(until, self.clock())):
                for one, result in self._use_slot(queue.limit, waiting):
                    results[key_of(one.message)] = result
                    if result == "waiting":
                        waiting.append(one)
                waiting.sort(key=_order)
        except Exception:
            # The table did not answer. Other destinations have their turn all the same.
            self.log.exception("could not take a slot", extra={"destination": queue.limit.destination})
            results |= {key_of(one.message): "unknown" for one in waiting}
        return results

    def _has_slot(self, limit: Limit, until: datetime) -> bool:
        """Take the destination's next slot and wait for it; False when there is none in time."""
        while True:
            slot = paces.reserve(self.store, limit.destination, limit.interval, clock=self.clock, until=until)
            if slot is None:
                return False
            pause = (slot - self.clock()).total_seconds()
            if pause <= 0:
                return True
            self.sleep(pause)
            # Meanwhile the destination may have asked another run to slow down.
            if not paces.is_held(self.store, limit.destination, slot):
                return True

    def _use_slot(self, limit: Limit, waiting: list[Waiting]) -> list[tuple[Waiting, Result]]:
        """Send the first message that no other run has, or many in a digest. What was looked at leaves `waiting`."""
        found: list[tuple[Waiting, Result]] = []
        claimed: list[Waiting] = []
        while waiting and not claimed:
            # Those that are not routine come first, so all that follow are routine, too.
            many = limit.digests and len(waiting) > pacing.DIGEST_FROM and pacing.is_routine(waiting[0].message)
            taken = waiting[: digest.LONGEST if many else 1]
            del waiting[: len(taken)]
            result: Result = "skipped"
            try:
                claimed = self._claim_all(taken) if many else self._claim(taken[0])
            except Exception:
                # The table did not answer, or a record is malformed. What was claimed is due again in a minute.
                self.log.exception("could not read messages", extra={"message_key": "#".join(key_of(taken[0].message))})
                result = "unknown"
            mine = {key_of(one.message) for one in claimed}
            found += [(one, result) for one in taken if key_of(one.message) not in mine]
        if not claimed:
            return found
        try:
            return found + self._send(limit, claimed)
        except Exception:
            self.log.exception("could not store what became of messages", extra={"count": len(claimed)})
            return found + [(one, "unknown") for one in claimed]

    def _claim(self, read: Waiting) -> list[Waiting]:
        message = self.store.message(*key_of(read.message))
        if message is None or message.sent_at or message.gave_up or pacing.due_at(message) > self.clock():
            return []
        claimed = message.but(attempts=message.attempts + 1, tried_at=self.clock())
        return [replace(read, message=claimed)] if self.store.mark(claimed, since=message.attempts) else []

    def _claim_all(self, read: Sequence[Waiting]) -> list[Waiting]:
        """Claim messages for a digest, which needs no texts, so they are not read again: each claim counts attempts."""
        wanted = {key_of(one.message): one for one in read}
        claims = [
            (one.message.but(attempts=one.message.attempts + 1, tried_at=self.clock()), one.message.attempts)
            for one in read
        ]
        return [replace(wanted[key_of(message)], message=message) for message in self.store.mark_all(claims)]

    def _send(self, limit: Limit, claimed: Sequence[Waiting]) -> list[tuple[Waiting, Result]]:
        """Deliver one message, or several in a digest, and store what became of them."""
        messages = [one.message for one in claimed]
        destination = claimed[0].destination
        after: list[tuple[OutboxMessage, Result]]
        try:
            if isinstance(destination, NoDestination | InvalidDocument):
                raise destination
            self.deliver(destination, messages[0] if len(messages) == 1 else digest.digest_of(messages))
        except Throttled as error:
            hold = pacing.hold_of(messages[0], error.retry_after)
            paces.hold(self.store, limit.destination, self.clock() + hold)
            after = [self._postponed(message, _reason(error)) for message in messages]
        except NotNeeded as error:
            # No alarm and no line in the timeline: nobody misses this message.
            after = [(message.but(gave_up=True, last_error=_reason(error)), "dropped") for message in messages]
        except NoDestination as error:
            after = [(message.but(gave_up=True, last_error=_reason(error)), "gave_up") for message in messages]
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a channel is a failed delivery
            after = [_failed(message, _reason(error)) for message in messages]
        else:
            sent = {"sent_at": self.clock(), "digested": len(messages) > 1, "last_error": None}
            after = [(message.but(**sent), "sent") for message in messages]
        self._record(after)
        return [(replace(one, message=message), result) for one, (message, result) in zip(claimed, after, strict=True)]

    def _postponed(self, message: OutboxMessage, reason: str) -> tuple[OutboxMessage, Result]:
        gave_up = self.clock() - message.created_at >= pacing.PATIENCE
        after = message.but(postponed=message.postponed + 1, gave_up=gave_up, last_error=reason)
        return after, "gave_up" if gave_up else "waiting"

    def _record(self, after: Sequence[tuple[OutboxMessage, Result]]) -> None:
        together = [message for message, result in after if result != "gave_up"]
        if len(together) > 1:
            self.store.mark_all([(message, message.attempts) for message in together])
        elif together:
            self.store.mark(together[0], since=together[0].attempts)
        for message, result in after:
            if result == "gave_up":
                line = timeline.message_event(message, _why_given_up(message), at=self.clock(), new_id=self.new_id)
                self.store.mark(message, since=message.attempts, also=[line])
            self._log(message, result)

    def _log(self, message: OutboxMessage, result: Result) -> None:
        about = {
            "message_key": "#".join(key_of(message)),
            "attempt": message.attempts,
            "digested": message.digested,
            "why": message.last_error,
        }
        if result == "sent":
            self.log.info("message sent", extra=about)
        elif result == "dropped":
            self.log.info("message dropped: it is no longer needed", extra=about)
        elif result == "gave_up":
            self.log.error("gave up on a message", extra=about)
        else:
            self.log.warning("message not sent; will retry", extra=about)


def key_of(message: OutboxMessage) -> Key:
    """Return what identifies a message."""
    return message.owner, message.event, message.channel


def _order(one: Waiting) -> tuple[bool, int, datetime]:
    return pacing.order(one.message)


def _failed(message: OutboxMessage, reason: str) -> tuple[OutboxMessage, Result]:
    gave_up = pacing.failures_of(message) >= pacing.ATTEMPTS
    return message.but(gave_up=gave_up, last_error=reason), "gave_up" if gave_up else "failed"


def _why_given_up(message: OutboxMessage) -> str:
    about = f"the message `{message.event}` to {message.channel}"
    return f"gave up on {about} after {message.attempts} attempts: {message.last_error}"


def _reason(error: Exception) -> str:
    return one_line(str(error) or type(error).__name__, limit=500)
