"""The log lines of a step, as a record of their own. Pure.

Called by `store.step_writer`, and by `store.reduction` for those that version 0.1.0 kept inside the step.
"""

from datetime import datetime, timedelta

from ferryman.records import StepLog
from ferryman.records.limits import LOG
from ferryman.records.writes import Add
from ferryman.text import byte_length

_RETENTION = timedelta(days=400)
"""As long as the timeline beside them is kept."""


def add_log(deployment: str, step: str, lines: list[str], at: datetime) -> Add:
    """Make the write of a step's log lines: the last ones, as many as have room."""
    kept: list[str] = []
    left = LOG
    for line in reversed(lines):
        left -= byte_length(line) + 1
        if left < 0:
            break
        kept.append(line)
    record = StepLog(deployment=deployment, step=step, lines=kept[::-1], at=at)
    return Add(record, expires_at=int((at + _RETENTION).timestamp()))
