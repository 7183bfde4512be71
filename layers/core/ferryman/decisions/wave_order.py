"""What a deployment's record says about whether a step may run. Pure."""

from ferryman.errors import InvalidInput
from ferryman.records import Deployment, Plan, PlannedService, step_keys


def plan_of(deployment: Deployment) -> Plan:
    """Return the frozen plan; raise InvalidInput when begin_deployment has not made it."""
    if deployment.plan is None:
        raise InvalidInput(f"deployment {deployment.id} has no plan: begin_deployment comes first")
    return deployment.plan


def service_of(deployment: Deployment, name: str) -> PlannedService:
    """Return one planned service; raise InvalidInput when the plan has none of that name."""
    planned = plan_of(deployment).services.get(name)
    if planned is None:
        raise InvalidInput(f"the plan of deployment {deployment.id} has no service {name!r}")
    return planned


def stops(deployment: Deployment, service: str) -> str | None:
    """Why a service may not go forward (`AbortRequested`, `EarlierWaveFailed`), or None when it may."""
    if deployment.abort is not None:
        return "AbortRequested"
    for wave in plan_of(deployment).waves:
        if service in wave:
            return None
        for earlier in wave:
            step = deployment.step(step_keys.rollout(earlier, "forward"))
            if step is None or not step.status.passed:
                return "EarlierWaveFailed"
    return None


def touched(deployment: Deployment, service: str) -> bool:
    """Whether this deployment pointed a service at a task definition, or may have."""
    step = deployment.step(step_keys.rollout(service, "forward"))
    return step is not None and step.rollout is not None and step.rollout.task_definition is not None
