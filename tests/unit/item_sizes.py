"""The most bytes that an item of each kind of record can have."""

from typing import Any, get_args, get_type_hints

from ferryman.decisions import deployment_steps
from ferryman.records import Deployment, EnvironmentState, Record, Step, Target, step_keys
from ferryman.records.writes import Add, Once, Save
from ferryman.store import items, sizes
from ferryman.store.largest import largest

KEYS = 1_000
"""Bytes of an item's key attributes and of its expiry, at most."""
HINTS = [get_type_hints(write)["record"] for write in (Save, Add, Once)]
KINDS = [kind for hint in HINTS for kind in get_args(hint) or (hint,)]


def size(data: dict[str, Any]) -> int:
    return KEYS + sizes.of_item(items.attributes(data))


def head() -> dict[str, Any]:
    """A deployment that is split, with every step that stays in its own item."""
    step = largest(Step, without=("Step.logs", "Step.rollout", "Step.checks"))
    steps = {row.key: step for row in deployment_steps.STEPS if not row.each_service}
    steps[step_keys.SMOKE_TEST] = largest(Step, without=("Step.logs", "Step.rollout", "Step.migration"))
    return {**largest(Deployment, without=("Deployment.plan", "Deployment.steps")), "steps": steps}


def of(kind: type[Record]) -> int:
    """The most bytes of an item of this kind, in the form in which it is stored."""
    if kind is Deployment:
        return size(head())
    if kind is EnvironmentState:
        previous = largest(Target, without=("Target.task_definitions", "Target.bases"))
        return size({**largest(EnvironmentState, without=("EnvironmentState.previous",)), "previous": previous})
    return size(largest(kind))
