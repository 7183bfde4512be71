"""Whether a step may begin, or go on: one answer for every step and both directions. Pure.

The state machine calls each step in its turn. Whoever else may invoke the steps' functions can call them at any time,
so each asks here, in the transaction that records its beginning (`store.step_writer`), and before it changes anything.
"""

from collections.abc import Iterator

from ferryman.decisions import deployment_steps
from ferryman.decisions.deployment_steps import Occurrence
from ferryman.decisions.wave_order import proceeds, touched
from ferryman.errors import NotItsTurn
from ferryman.records import Deployment


def require(deployment: Deployment, key: str) -> None:
    """Raise NotItsTurn when a step, by its key, may not begin or go on now."""
    why = refusal(deployment, key)
    if why is not None:
        raise NotItsTurn(f"{deployment_steps.title_of(key)} of deployment {deployment.id} was refused: {why}")


def refusal(deployment: Deployment, key: str) -> str | None:
    """Return why a step may not begin or go on now, or None when it may.

    The deployment's phase has to allow it, and every step that it needs before has to have passed. On the way back a
    service or job has to have been changed by this deployment.
    """
    every = deployment_steps.occurrences(deployment)
    found = next((one for one in every if one.key == key), None)
    if found is None or not found.step.occurs(deployment):
        return "its plan has no such step"
    if deployment.phase not in found.step.phases:
        return f"the deployment is {deployment.phase}, and this step needs {' or '.join(found.step.phases)}"
    if found.step.back:
        return None if touched(deployment, str(found.service)) else "this deployment has not changed it"
    late = [one.key for one in _before(found, every, deployment) if not _done(deployment, one, found)]
    return f"{late[0]} comes first, and has not passed" if late else None


def _before(found: Occurrence, every: list[Occurrence], deployment: Deployment) -> Iterator[Occurrence]:
    waves = deployment.plan.waves if deployment.plan is not None else []
    for one in every[: every.index(found)]:
        side_by_side = one.step is found.step and any({one.service, found.service} <= {*wave} for wave in waves)
        if one.step.requires(deployment) and not side_by_side:
            yield one


def _done(deployment: Deployment, one: Occurrence, wanted: Occurrence) -> bool:
    """Whether a step is far enough for another one. A rollout may do with healthy tasks (`proceedWhen`)."""
    step = deployment.step(one.key)
    if step is not None and step.status.passed:
        return True
    return one.step is wanted.step and one.service is not None and proceeds(deployment, one.service)
