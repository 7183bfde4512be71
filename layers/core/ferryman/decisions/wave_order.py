"""What a deployment's record says about whether a step may run. Pure."""

from ferryman.records import Deployment, StepStatus, step_keys


def stops(deployment: Deployment, service: str) -> str | None:
    """Why a service may not go forward (`AbortRequested`, `EarlierWaveFailed`), or None when it may."""
    if deployment.abort is not None:
        return "AbortRequested"
    for wave in deployment.require_plan().waves:
        if service in wave:
            return None
        for earlier in wave:
            step = deployment.step(step_keys.rollout(earlier, "forward"))
            if step is None or not (step.status.passed or proceeds(deployment, earlier)):
                return "EarlierWaveFailed"
    return None


def proceeds(deployment: Deployment, service: str) -> bool:
    """Whether the next wave may begin although this rollout goes on: its tasks were healthy, old ones drain."""
    step = deployment.step(step_keys.rollout(service, "forward"))
    planned = deployment.require_plan().services.get(service)
    if step is None or step.rollout is None or planned is None:
        return False
    was_healthy = step.rollout.healthy_at or step.rollout.lost_at
    return step.status is StepStatus.RUNNING and planned.proceed_when == "healthy" and was_healthy is not None


def touched(deployment: Deployment, service: str) -> bool:
    """Whether a way back has to cover a service: this deployment pointed it at a task definition, or may have.

    Once it changed anything, the way back covers what earlier deployments left astray, too: all goes back together.
    """
    if _pointed(deployment, service):
        return True
    members = deployment.plan.members if deployment.plan is not None else {}
    return service in members and members[service].stray and any(_pointed(deployment, name) for name in members)


def _pointed(deployment: Deployment, service: str) -> bool:
    step = deployment.step(step_keys.rollout(service, "forward"))
    return step is not None and step.rollout is not None and step.rollout.task_definition is not None
