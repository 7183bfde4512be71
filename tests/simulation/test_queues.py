"""Queues and the stream: what a batch that failed, or failed in part, does next."""

from collections.abc import Callable
from typing import Any

import pytest

from simulation import stack
from simulation.choices import Choice, Choices
from simulation.queues import Queues, Shards
from simulation.scheduler import Future, Scheduler


class Function:
    """A function that notes what it was given, and answers what the test says."""

    def __init__(self, answer: Callable[[list[Any]], Any]) -> None:
        self.batches: list[list[str]] = []
        self._answer = answer

    def __call__(self, function: str, payload: Any) -> Future:
        records = payload["Records"]
        names = [one["body"] if "body" in one else one["dynamodb"]["Keys"]["sk"]["S"] for one in records]
        self.batches.append([name.removeprefix("OUTBOX#") for name in names])
        future = Future()
        try:
            failed = self._answer(records)
        except ValueError as error:
            future.set(error=error)
        else:
            future.set({"batchItemFailures": [{"itemIdentifier": item} for item in failed]})
        return future


def item(partition: str, name: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": f"OUTBOX#{name}"}, "pending": {"S": "OUTBOX"}}


def stream(function: Function, *items: dict[str, Any]) -> list[tuple[str, Any]]:
    scheduler, dead = Scheduler(), list[tuple[str, Any]]()
    shards = Shards(scheduler, Choices(), function, 0.0, dead)
    for one in items:
        shards.written(None, one)
    while scheduler.step():
        pass
    return dead


def test_changes_of_one_partition_come_in_order_and_together() -> None:
    function = Function(lambda records: [])
    assert stream(function, item("a", "1"), item("a", "2"), {**item("a", "3"), "sk": {"S": "EVENT#3"}}) == []
    assert function.batches == [["1", "2"]]


def test_what_a_function_did_not_take_comes_again_with_all_that_follows() -> None:
    left = [2]

    def fails_at_first(records: list[Any]) -> list[str]:
        left[0] -= 1
        return [records[1]["dynamodb"]["SequenceNumber"]] if left[0] == 1 else []

    function = Function(fails_at_first)
    assert stream(function, item("a", "1"), item("a", "2"), item("a", "3")) == []
    assert function.batches == [["1", "2", "3"], ["2", "3"]]


def test_a_batch_that_fails_is_halved_until_one_is_left_that_is_given_up() -> None:
    def fails(records: list[Any]) -> list[str]:
        if any(one["dynamodb"]["Keys"]["sk"]["S"] == "OUTBOX#3" for one in records):
            raise ValueError
        return []

    function = Function(fails)
    dead = stream(function, *(item("a", str(number)) for number in range(1, 5)))
    assert function.batches[:4] == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"], ["3"]]
    assert function.batches[-1] == ["4"]
    assert [function for function, _ in dead] == [stack.stream().function]
    assert "OUTBOX#3" in dead[0][1]


@pytest.mark.parametrize(
    ("how", "batches"),
    [("not deleted", [["a", "b"], ["a", "b"]]), ("the last one first", [["b", "a"]])],
    ids=["again", "reversed"],
)
def test_a_batch_can_come_twice_or_in_another_order(how: str, batches: list[list[str]]) -> None:
    function, scheduler = Function(lambda records: []), Scheduler()
    queues = Queues(scheduler, Choices(story=[Choice("batch of Nudges", 1, how)]), function, 1.0, [])
    for body in "ab":
        queues.send_message({"QueueUrl": f"{stack.QUEUES}Nudges", "MessageBody": body})
    while scheduler.step():
        pass
    assert function.batches == batches


def test_of_a_batch_that_is_sent_a_part_can_be_refused() -> None:
    function, scheduler = Function(lambda records: []), Scheduler()
    queues = Queues(scheduler, Choices(), function, 0.0, [])
    entries = [{"Id": name, "MessageBody": name} for name in "ab"]
    answer = queues.send_message_batch({"QueueUrl": f"{stack.QUEUES}Nudges", "Entries": entries}, partly=True)
    while scheduler.step():
        pass
    assert [one["Id"] for one in answer["Failed"]] == ["b"]
    assert function.batches == [["a"]]


def test_the_template_says_what_queues_there_are() -> None:
    nudges = stack.queues()["Nudges"]
    assert (nudges.function, nudges.batch, nudges.visibility, nudges.receives) == ("Reconcile", 10, 360.0, 5)
    assert stack.setting("Reconcile", "NUDGES_URL") == f"{stack.QUEUES}Nudges"
    assert (stack.stream().function, stack.stream().batch, stack.stream().tries) == ("Notify", 10, 4)
