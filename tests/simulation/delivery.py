"""How events reach functions: rules, the schedule, asynchronous invocations, the queues, the table's stream.

Each delivery can be lost, doubled or late, and each failure comes again as AWS would have it come again.
"""

import json
from collections.abc import Callable
from typing import Any

from simulation.choices import Choices
from simulation.scheduler import Future, Scheduler

Item = dict[str, Any]
Invoke = Callable[[str, Any], Future]

ASYNC_PAUSES = (60.0, 120.0)
"""Seconds before Lambda tries a failed asynchronous invocation again: twice."""
VISIBILITY = 360.0
MOST_RECEIVES = 5
BATCH = 10
LOOKS_AT_ONCE = 2
"""`MaximumConcurrency` of the queue of looks, by default."""
STREAM_TRIES = 4
"""One, and `MaximumRetryAttempts: 3` of the template."""
DELIVERIES = ("once", "lost", "twice", "late")


class Delivery:
    """Everything between AWS's services and the functions."""

    def __init__(self, scheduler: Scheduler, choices: Choices, invoke: Invoke, chance: float) -> None:
        self._scheduler, self._choices, self._invoke, self._chance = scheduler, choices, invoke, chance
        self.dead: list[tuple[str, Any]] = []
        """What was given up: (function, payload)."""
        self._queue: list[tuple[str, str, int]] = []
        """Visible messages: id, body, how often received."""
        self._polling = False
        self._looks: list[tuple[str, str, int]] = []
        """Visible looks, as in `_queue`."""
        self._looking = 0
        self._messages = 0

    # ── events and asynchronous invocations ──

    def event(self, function: str, payload: Any, about: str) -> None:
        """Have a rule invoke a function. At least once where it is not lost, in any order."""
        how = self._choices.pick(f"event {about} to {function}", DELIVERIES, self._chance)
        for delay in {"once": [0.5], "lost": [], "twice": [0.5, 0.6], "late": [90.0]}[how]:
            self._scheduler.after(delay, lambda: self.asynchronously(function, payload))

    def asynchronously(self, function: str, payload: Any) -> None:
        """Invoke a function asynchronously; a failure is tried again twice."""
        self._scheduler.spawn(lambda: self._tries(function, payload))

    def _tries(self, function: str, payload: Any) -> None:
        for pause in (*ASYNC_PAUSES, None):
            future = self._invoke(function, payload)
            self._scheduler.wait(future)
            if future.error is None:
                return
            if pause is not None:
                self._scheduler.sleep(pause)
        self.dead.append((function, payload))

    # ── the nudges' queue ──

    def send(self, body: str, delay: float) -> None:
        """Put a message into the queue."""
        self._messages += 1
        name = f"message-{self._messages}"
        how = self._choices.pick("nudge", ("once", "twice", "late"), self._chance)
        for more in {"once": [0.0], "twice": [0.0, 0.1], "late": [60.0]}[how]:
            self._scheduler.after(delay + more + 0.1, lambda: self._visible(name, body, 0))

    def _visible(self, name: str, body: str, received: int) -> None:
        self._queue.append((name, body, received))
        if not self._polling:
            self._polling = True
            self._scheduler.after(0.05, self._receive)

    def _receive(self) -> None:
        self._polling = False
        batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
        if self._queue:
            self._polling = True
            self._scheduler.after(0.05, self._receive)
        if batch:
            self._scheduler.spawn(lambda: self._batch(batch))

    def _batch(self, batch: list[tuple[str, str, int]]) -> None:
        records = [{"messageId": name, "body": body} for name, body, _ in batch]
        future = self._invoke("Reconcile", {"Records": records})
        self._scheduler.wait(future)
        failed = {item["itemIdentifier"] for item in (future.value or {}).get("batchItemFailures", [])}
        for name, body, received in batch:
            if future.error is None and name not in failed:
                continue
            if received + 1 >= MOST_RECEIVES:
                self.dead.append(("Reconcile", body))
            else:
                self._again(name, body, received + 1)

    # ── the queue of looks: one message at a time, in a few invocations ──

    def look(self, body: str) -> None:
        """Put a look into its queue."""
        self._messages += 1
        name = f"message-{self._messages}"
        how = self._choices.pick("look", ("once", "twice", "late"), self._chance)
        for more in {"once": [0.1], "twice": [0.1, 0.2], "late": [60.0]}[how]:
            self._scheduler.after(more, lambda: self._look_visible(name, body, 0))

    def _look_visible(self, name: str, body: str, received: int) -> None:
        self._looks.append((name, body, received))
        self._next_look()

    def _next_look(self) -> None:
        if self._looks and self._looking < LOOKS_AT_ONCE:
            self._looking += 1
            message = self._looks.pop(0)
            self._scheduler.spawn(lambda: self._carry_out(*message))

    def _carry_out(self, name: str, body: str, received: int) -> None:
        future = self._invoke("Reconcile", {"Records": [{"messageId": name, "body": body}]})
        self._scheduler.wait(future)
        self._looking -= 1
        if future.error is not None or future.value["batchItemFailures"]:
            if received + 1 >= MOST_RECEIVES:
                self.dead.append(("Reconcile", body))
            else:
                self._scheduler.after(VISIBILITY, lambda: self._look_visible(name, body, received + 1))
        self._next_look()

    def _again(self, name: str, body: str, received: int) -> None:
        self._scheduler.after(VISIBILITY, lambda: self._visible(name, body, received))

    # ── the table's stream ──

    def written(self, before: Item | None, after: Item | None) -> None:
        """Take a change of the table; new messages of the outbox wake notify, as the template's filter says."""
        if before is not None or after is None or not after["sk"]["S"].startswith("OUTBOX#") or "pending" not in after:
            return
        self._messages += 1
        keys = {name: after[name] for name in ("pk", "sk")}
        record = {
            "eventName": "INSERT",
            "dynamodb": {"Keys": keys, "NewImage": after, "SequenceNumber": str(self._messages)},
        }
        how = self._choices.pick("stream", ("once", "twice"), self._chance)
        for _ in range(2 if how == "twice" else 1):
            self._scheduler.spawn(lambda: self._stream(record), delay=0.2)

    def _stream(self, record: Item) -> None:
        for _ in range(STREAM_TRIES):
            future = self._invoke("Notify", {"Records": [record]})
            self._scheduler.wait(future)
            if future.error is None and not future.value.get("batchItemFailures"):
                return
            self._scheduler.sleep(1.0)
        self.dead.append(("Notify", json.dumps(record["dynamodb"]["Keys"])))
