"""What ECS answers about service deployments and revisions, from the machine's state. Pure.

Source: API reference of ECS, ServiceDeployment, ServiceDeploymentBrief and ServiceRevision.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ferryman_local.service_deployments.configuration import Strategy
from ferryman_local.service_deployments.model import (
    BACK,
    Condition,
    HookRun,
    Service,
    ServiceDeployment,
    Status,
    Task,
)

Raw = dict[str, Any]


def arn(service_arn: str, kind: str, id: str) -> str:
    """Return the ARN of a `service-deployment` or a `service-revision`."""
    prefix, _, rest = service_arn.partition(":service/")
    return f"{prefix}:{kind}/{rest}/{id.rpartition('/')[2]}"


def brief(service: Mapping[str, Any], deployment: ServiceDeployment) -> Raw:
    """Return an entry of ListServiceDeployments."""
    here = str(service["serviceArn"])
    return _without_nothing(
        serviceDeploymentArn=arn(here, "service-deployment", deployment.id),
        serviceArn=here,
        clusterArn=service["clusterArn"],
        createdAt=_seconds(deployment.created_at),
        startedAt=_seconds(deployment.started_at),
        finishedAt=_seconds(deployment.finished_at),
        targetServiceRevisionArn=arn(here, "service-revision", deployment.target),
        status=str(deployment.status),
        statusReason=deployment.reason or None,
    )


def whole(service: Mapping[str, Any], state: Service, deployment: ServiceDeployment, tasks: Sequence[Task]) -> Raw:
    """Return an entry of DescribeServiceDeployments. A rolling deployment has no stage and no weights."""
    answer = brief(service, deployment)
    revision_arn = answer.pop("targetServiceRevisionArn")
    native = deployment.configuration.strategy is not Strategy.ROLLING
    counted = (service, state, tasks, native and deployment is state.deployments[0])
    stage = deployment.stage if native else None
    return answer | _without_nothing(
        updatedAt=_seconds(deployment.finished_at or deployment.stage_since or deployment.started_at),
        stoppedAt=_seconds(deployment.finished_at) if deployment.status is Status.STOPPED else None,
        targetServiceRevision=_revision(*counted, deployment.target) | {"arn": revision_arn},
        sourceServiceRevisions=[_revision(*counted, deployment.source)] if deployment.source else [],
        lifecycleStage=str(stage) if stage else None,
        lifecycleHookDetails=[_hook(run) for run in deployment.hooks] or None,
        deploymentConfiguration=service.get("deploymentConfiguration") or {},
        rollback=_rollback(service, deployment),
        deploymentCircuitBreaker=_breaker(state, deployment),
        alarms=_alarms(deployment),
    )


def revision(service: Mapping[str, Any], id: str, definition: str, made: datetime, images: Sequence[Raw]) -> Raw:
    """Return an entry of DescribeServiceRevisions; `images` as `containerImages` has them."""
    here = str(service["serviceArn"])
    return _without_nothing(
        serviceRevisionArn=arn(here, "service-revision", id),
        serviceArn=here,
        clusterArn=service["clusterArn"],
        taskDefinition=definition,
        launchType=service.get("launchType"),
        loadBalancers=service.get("loadBalancers") or [],
        networkConfiguration=service.get("networkConfiguration") or None,
        containerImages=list(images),
        createdAt=_seconds(made),
    )


def _revision(service: Mapping[str, Any], state: Service, tasks: Sequence[Task], weighted: bool, id: str) -> Raw:
    here = [task for task in tasks if task.revision == id and task.condition is not Condition.STOPPING]
    healthy = sum(task.condition is Condition.HEALTHY for task in here)
    answer: Raw = {
        "arn": arn(str(service["serviceArn"]), "service-revision", id),
        "requestedTaskCount": state.desired,
        "runningTaskCount": healthy,
        "pendingTaskCount": len(here) - healthy,
    }
    if weighted:
        answer["requestedProductionTrafficWeight"] = state.production.get(id, 0.0)
        answer["requestedTestTrafficWeight"] = state.test.get(id, 0.0)
    return answer


def _hook(run: HookRun) -> Raw:
    return _without_nothing(
        hookId=run.id,
        targetType=run.hook.kind,
        targetArn=run.hook.function or None,
        status=run.status,
        expiresAt=_seconds(run.expires_at),
        timeoutAction="CONTINUE" if run.hook.goes_on else "ROLLBACK",
    )


def _rollback(service: Mapping[str, Any], deployment: ServiceDeployment) -> Raw | None:
    if deployment.rollback_since is None or deployment.source is None:
        return None
    return {
        "reason": deployment.rollback_reason,
        "startedAt": _seconds(deployment.rollback_since),
        "serviceRevisionArn": arn(str(service["serviceArn"]), "service-revision", deployment.source),
    }


def _breaker(state: Service, deployment: ServiceDeployment) -> Raw:
    breaker = deployment.configuration.breaker
    if not breaker.enabled:
        return {"status": "DISABLED", "failureCount": 0, "threshold": 0}
    over = deployment.final or deployment.status in BACK
    status = "TRIGGERED" if deployment.tripped else "MONITORING_COMPLETE" if over else "MONITORING"
    return {
        "status": status,
        "failureCount": deployment.failed_tasks,
        "threshold": breaker.threshold(state.desired),
    }


def _alarms(deployment: ServiceDeployment) -> Raw | None:
    names = list(deployment.configuration.alarms)
    if not names:
        return None
    watching = "MONITORING" if deployment.watches_alarms else "DISABLED"
    over = watching == "MONITORING" and (deployment.final or deployment.status in BACK)
    status = "TRIGGERED" if deployment.rang else "MONITORING_COMPLETE" if over else watching
    return {"status": status, "alarmNames": names, "triggeredAlarmNames": list(deployment.rang)}


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None


def _without_nothing(**members: Any) -> Raw:
    return {name: value for name, value in members.items() if value is not None}
