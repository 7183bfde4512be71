"""Smaller and smaller forms of a transaction that DynamoDB refuses as invalid: whatever is lost, it gets written. Pure.

Called by `store.table` when a write was refused, which the limits of `records.limits` prevent for all that this version
writes. What an earlier version stored has no such limits: log lines inside steps, texts of any length.

First, log lines get items of their own; then they go, and then the middle of texts and what only people read. Last, a
deployment that ends loses its plan and its steps, so that at least its outcome is recorded, its messages are sent and
its claim is free.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ferryman.records import (
    Approval,
    Deployment,
    EnvironmentState,
    MigrationClaim,
    OutboxMessage,
    SplitStep,
    StepLog,
    TimelineEvent,
)
from ferryman.records.limits import ACTIONS, DETAILS, TEXTS
from ferryman.records.writes import Add, Fenced, Once, Save, Write
from ferryman.store.bounds import Edit, detail, edited
from ferryman.store.logs import add_log
from ferryman.text import shortened

_SHORT = 200
_MESSAGE = 2_000
"""Bytes of a message to a channel: enough to say what happened and what to do next."""
_SETTLED = 20
_WHO = ("Decision.name", "Decision.identity")
"""Approvals are counted by these."""
_TOLD = (TimelineEvent, OutboxMessage)


def smaller(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Return the forms of a transaction, one after the other, each smaller than the one before."""
    last = list(writes)
    for reduce in (_logs_apart, _without_logs, _shortened, _bare):
        reduced = reduce(last)
        if reduced != last:
            last = reduced
            yield last


def _logs_apart(writes: list[Write]) -> list[Write]:
    room = ACTIONS - len(writes)
    moved: list[Write] = []
    for deployment in (write.record for write in writes if isinstance(write, Save)):
        if isinstance(deployment, Deployment):
            moved += [
                add_log(deployment.id, key, step.logs, step.ended_at or step.started_at)
                for key, step in deployment.steps.items()
                if step.logs
            ]
    return [*(_edit(write, _no_logs) for write in writes), *moved[: max(0, room)]]


def _without_logs(writes: list[Write]) -> list[Write]:
    return [_edit(write, _no_logs) for write in writes if not _is_log(write)]


def _is_log(write: Write) -> bool:
    return isinstance(write, Add) and isinstance(write.record, StepLog)


def _no_logs(place: str, value: Any) -> Any:
    return [] if place == "Step.logs" and value else value


def _shortened(writes: list[Write]) -> list[Write]:
    return [_edit(write, _short) for write in writes]


def _short(place: str, value: Any) -> Any:
    if place == "OutboxMessage.text":
        return shortened(value, _MESSAGE)
    if place in TEXTS and place not in _WHO and isinstance(value, str):
        return shortened(value, _SHORT)
    return detail(value, _SHORT) if place in DETAILS else value


def _bare(writes: list[Write]) -> list[Write]:
    """Return the records without what they can do without, and as many messages as there is room for.

    Of the end of a deployment, only what ends it: that a release is proven is not worth a claim that is held for ever.
    """
    ends = any(_ends(write.record) for write in writes if isinstance(write, Save))
    kept = (Deployment, SplitStep, EnvironmentState, MigrationClaim, Approval)
    told = [write for write in writes if isinstance(write, Add) and isinstance(write.record, _TOLD)]
    core = [_stripped(write) for write in writes if not isinstance(write, Add) or not isinstance(write.record, _TOLD)]
    if ends:
        core = [write for write in core if isinstance(write, Fenced | Once) or isinstance(write.record, kept)]
    return [*core, *told[: max(0, ACTIONS - len(core))]]


def _ends(record: object) -> bool:
    return isinstance(record, Deployment) and record.phase.terminal


def _stripped(write: Write) -> Write:
    record = write.record if isinstance(write, Save) else None
    if isinstance(record, Deployment) and _ends(record):
        return Save(record.but(plan=None, steps={}))
    if isinstance(record, EnvironmentState):
        newest = sorted(record.settled.items(), key=lambda item: item[1].at)[-_SETTLED:]
        target = record.last_succeeded
        return Save(
            record.but(
                settled=dict(newest),
                reported={},
                conditions=[],
                previous=record.previous.but(task_definitions={}, bases={}) if record.previous else None,
                last_succeeded=target.but(bases={}) if target else None,
            )
        )
    if isinstance(record, Approval) and record.status != "Pending":
        return Save(record.but(nonces=[], links_asked={}, links_sent={}))
    return write


def _edit(write: Write, edit: Edit) -> Write:
    if isinstance(write, Save):
        return replace(write, record=edited(write.record, edit))
    if isinstance(write, Add):
        return replace(write, record=edited(write.record, edit))
    return write
