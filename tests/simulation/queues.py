"""SQS: queues that invoke functions, and the table's stream, which does so in shards.

A batch can come twice, late, or in another order; of a batch that failed in part, only that part comes again.
"""

import json
from collections.abc import Callable
from typing import Any
from zlib import crc32

from simulation import stack
from simulation.choices import Choices
from simulation.scheduler import Future, Scheduler

Item = dict[str, Any]
Invoke = Callable[[str, Any], Future]
Dead = list[tuple[str, Any]]
SHARDS = 3
"""Of the stream: changes of one partition come in their order, those of two shards in any."""
LAG = 30.0
"""Seconds by which a shard can be behind."""


class Queues:
    """The queues of the template. One message: (id, body, how often it was received)."""

    def __init__(self, scheduler: Scheduler, choices: Choices, invoke: Invoke, chance: float, dead: Dead) -> None:
        self._scheduler, self._choices, self._invoke, self._chance = scheduler, choices, invoke, chance
        self._dead = dead
        self._visible: dict[str, list[tuple[str, str, int]]] = {name: [] for name in stack.queues()}
        self._polling: set[str] = set()
        self._running = dict.fromkeys(self._visible, 0)
        self._messages = 0

    def send_message(self, request: Item) -> Item:
        """SendMessage."""
        self.send(_named(request), request["MessageBody"], float(request.get("DelaySeconds", 0)))
        return {"MessageId": f"message-{self._messages}"}

    def send_message_batch(self, request: Item, *, partly: bool = False) -> Item:
        """SendMessageBatch; `partly`: SQS does not take the last message."""
        entries = request["Entries"]
        assert 1 <= len(entries) <= 10, "a batch has 1 to 10 messages"
        taken = entries[:-1] if partly else entries
        for entry in taken:
            self.send(_named(request), entry["MessageBody"], float(entry.get("DelaySeconds", 0)))
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in entries[len(taken) :]]
        return {"Successful": [{"Id": entry["Id"]} for entry in taken], **({"Failed": failed} if failed else {})}

    def send(self, queue: str, body: str, delay: float) -> None:
        """Put a message into a queue."""
        self._messages += 1
        name = f"message-{self._messages}"
        how = self._choices.pick(f"message of {queue}", ("once", "twice", "late"), self._chance)
        for more in {"once": [0.0], "twice": [0.0, 0.1], "late": [60.0]}[how]:
            self._scheduler.after(delay + more + 0.1, lambda: self._show(queue, name, body, 0))

    def _show(self, queue: str, name: str, body: str, received: int) -> None:
        self._visible[queue].append((name, body, received))
        self._poll(queue)

    def _poll(self, queue: str) -> None:
        if queue not in self._polling:
            self._polling.add(queue)
            self._scheduler.after(0.05, lambda: self._receive(queue))

    def _receive(self, queue: str) -> None:
        self._polling.discard(queue)
        about, visible = stack.queues()[queue], self._visible[queue]
        if about.at_once is not None and self._running[queue] >= about.at_once:
            return
        most = about.batch
        batch, self._visible[queue] = visible[:most], visible[most:]
        if self._visible[queue]:
            self._poll(queue)
        if batch:
            self._running[queue] += 1
            self._scheduler.spawn(lambda: self._batch(queue, batch))

    def _batch(self, queue: str, batch: list[tuple[str, str, int]]) -> None:
        about = stack.queues()[queue]
        how = self._choices.pick(f"batch of {queue}", ("deleted", "not deleted", "the last one first"), self._chance)
        ordered = batch[::-1] if how == "the last one first" else batch
        records = [{"messageId": name, "body": body} for name, body, _ in ordered]
        future = self._invoke(about.function, {"Records": records})
        self._scheduler.wait(future)
        self._running[queue] -= 1
        if self._visible[queue]:
            self._poll(queue)
        failed = {item["itemIdentifier"] for item in (future.value or {}).get("batchItemFailures", [])}
        for name, body, received in batch:
            if future.error is None and name not in failed and how != "not deleted":
                continue
            if received + 1 >= about.receives:
                self._dead.append((about.function, body))
            else:
                self._again(queue, name, body, received + 1)

    def _again(self, queue: str, name: str, body: str, received: int) -> None:
        after = stack.queues()[queue].visibility
        self._scheduler.after(after, lambda: self._show(queue, name, body, received))


class Shards:
    """The table's stream. A shard waits for its batch; what the function did not take of it comes again."""

    def __init__(self, scheduler: Scheduler, choices: Choices, invoke: Invoke, chance: float, dead: Dead) -> None:
        self._scheduler, self._choices, self._invoke, self._chance = scheduler, choices, invoke, chance
        self._dead = dead
        self._waiting: dict[int, list[Item]] = {}
        """Shard → its records, while it is at work."""
        self._count = 0

    def written(self, before: Item | None, after: Item | None) -> None:
        """Take a change of the table, if it is one that the template's filter lets through."""
        prefix = stack.stream().prefix
        if before is not None or after is None or not after["sk"]["S"].startswith(prefix) or "pending" not in after:
            return
        self._count += 1
        keys = {name: after[name] for name in ("pk", "sk")}
        change = {"Keys": keys, "NewImage": after, "SequenceNumber": str(self._count)}
        shard = crc32(after["pk"]["S"].encode()) % SHARDS
        at_work = shard in self._waiting
        self._waiting.setdefault(shard, []).append({"eventName": "INSERT", "dynamodb": change})
        if not at_work:
            late = self._choices.pick("shard", ("in time", "late"), self._chance) == "late"
            self._scheduler.spawn(lambda: self._shard(shard), delay=LAG if late else 0.2)

    def _shard(self, shard: int) -> None:
        most = stack.stream().batch
        while self._waiting[shard]:
            batch, self._waiting[shard] = self._waiting[shard][:most], self._waiting[shard][most:]
            if self._choices.pick("stream", ("once", "twice"), self._chance) == "twice":
                self._deliver(batch, 1, told=False)
            self._deliver(batch, stack.stream().tries)
        del self._waiting[shard]

    def _deliver(self, batch: list[Item], tries: int, *, told: bool = True) -> None:
        function = stack.stream().function
        for _ in range(tries):
            future = self._invoke(function, {"Records": batch})
            self._scheduler.wait(future)
            tries -= 1
            if future.error is not None and len(batch) > 1 and tries:
                # BisectBatchOnFunctionError: each half by itself.
                half = len(batch) // 2
                self._deliver(batch[:half], tries, told=told)
                self._deliver(batch[half:], tries, told=told)
                return
            if future.error is None:
                failed = {item["itemIdentifier"] for item in future.value.get("batchItemFailures", [])}
                numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
                first = next((at for at, number in enumerate(numbers) if number in failed), len(batch))
                batch = batch[first:]
            if not batch:
                return
            self._scheduler.sleep(1.0)
        if told:
            self._dead += [(function, json.dumps(record["dynamodb"]["Keys"])) for record in batch]


def _named(request: Item) -> str:
    return str(request["QueueUrl"]).removeprefix(stack.QUEUES)
