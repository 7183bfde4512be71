"""Whether one item can hold a deployment to its end. Pure. Called by begin_deployment, once."""

from functools import cache

from ferryman.decisions import deployment_steps
from ferryman.records import Deployment, PlannedService, Step, step_keys
from ferryman.records.limits import ROOM
from ferryman.store import items, sizes
from ferryman.store.largest import largest

_LATER = ("abort", "approved_by", "execution_arn", "message", "publication", "reason", "superseded_by")
"""What a deployment gets after it has begun; its steps count extra."""


def fits(deployment: Deployment) -> bool:
    """Tell whether one item holds a deployment whose plan was just frozen, with the most that its steps can say."""
    now = sizes.of_item(items.item(deployment))
    later = sum(_most(key, deployment) for key in deployment_steps.possible(deployment) if key not in deployment.steps)
    return now + later + _rest() <= ROOM


def _most(key: str, deployment: Deployment) -> int:
    service = deployment_steps.service_of(key)
    planned = deployment.plan.services.get(service) if deployment.plan is not None and service is not None else None
    if planned is not None:
        return len(key) + _of_service(*_lengths(planned))
    return len(key) + _of_all(key == step_keys.SMOKE_TEST)


def _lengths(planned: PlannedService) -> tuple[int, int]:
    arns = (planned.base_task_definition, planned.rollback_task_definition or "")
    # A new revision has more digits.
    return len(planned.name), max(len(arn) for arn in arns) + 10


@cache
def _of_service(name: int, arn: int) -> int:
    known = {
        "RolloutProgress.service": name,
        "RolloutProgress.previous_task_definition": arn,
        "RolloutProgress.task_definition": arn,
    }
    return _size(largest(Step, without=("Step.logs", "Step.migration", "Step.checks"), known=known))


@cache
def _of_all(checks: bool) -> int:
    without = ("Step.logs", "Step.rollout", "Step.migration" if checks else "Step.checks")
    return _size(largest(Step, without=without))


@cache
def _rest() -> int:
    kept = {f"Deployment.{name}" for name in Deployment.model_fields if name not in _LATER}
    return sizes.of_item(items.attributes(largest(Deployment, without=kept)))


def _size(step: object) -> int:
    return 1 + sizes.of_value(items.attributes({"step": step})["step"])
