"""Lifecycle hooks at one stage of a deployment. Pure.

Source: ECS Developer Guide, "Lifecycle hooks for Amazon ECS service deployments"; API reference of
ContinueServiceDeployment.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from ferryman_local.service_deployments.configuration import Refused, Stage
from ferryman_local.service_deployments.model import Act, Ask, HookRun, ServiceDeployment, Tell

CALLBACK = timedelta(seconds=30)
"""After how long a function that answered IN_PROGRESS is asked again, unless it says otherwise."""
OPEN = frozenset({"AWAITING_ACTION", "IN_PROGRESS"})


def opened(
    deployment: ServiceDeployment, stage: Stage, now: datetime, new_id: Callable[[], str]
) -> tuple[ServiceDeployment, list[Act]]:
    """Begin the hooks of a stage; at each step of LINEAR and CANARY they begin anew, with new ids."""
    runs = [
        HookRun(
            new_id(), hook, stage, "AWAITING_ACTION" if hook.kind == "PAUSE" else "IN_PROGRESS", now + hook.timeout,
            None if hook.kind == "PAUSE" else now,
        )
        for hook in deployment.configuration.hooks
        if stage in hook.stages
    ]  # fmt: skip
    after = deployment.but(hooks=(*deployment.hooks, *runs))
    return after, [Tell(f"HOOK_{run.status}", after, run) for run in runs]


def of_stage(deployment: ServiceDeployment) -> list[HookRun]:
    """Return the hooks that were begun at the present stage, at this step of the traffic."""
    since = deployment.stage_since
    return [run for run in deployment.hooks if run.stage is deployment.stage and since and _begun(run) >= since]


def due(deployment: ServiceDeployment, now: datetime) -> tuple[ServiceDeployment, list[Act]]:
    """Ask the functions whose time has come, and end what has run out of time."""
    acts: list[Act] = []
    for run in of_stage(deployment):
        if run.status not in OPEN:
            continue
        if now >= run.expires_at:
            ended = replace(run, status="TIMED_OUT", ask_at=None)
            deployment = _with(deployment, ended)
            acts.append(Tell("HOOK_TIMED_OUT", deployment, ended))
        elif run.ask_at is not None and now >= run.ask_at:
            asked = replace(run, ask_at=None)
            deployment = _with(deployment, asked)
            acts.append(Ask(asked, deployment))
    return deployment, acts


def verdict(deployment: ServiceDeployment) -> str:
    """Return `waits`, `on`, or why the deployment goes back."""
    runs = of_stage(deployment)
    for run in runs:
        if run.status == "FAILED":
            return f"lifecycle hook failed at {run.stage}"
        if run.status == "TIMED_OUT" and not run.hook.goes_on:
            return f"lifecycle hook timed out at {run.stage}"
    return "waits" if any(run.status in OPEN for run in runs) else "on"


def answered(
    deployment: ServiceDeployment, hook_id: str, status: str, callback: float, now: datetime
) -> ServiceDeployment:
    """Take in the answer of a function: what is neither SUCCEEDED nor IN_PROGRESS counts as FAILED."""
    run = next((run for run in deployment.hooks if run.id == hook_id), None)
    if run is None or run.status not in OPEN:
        return deployment
    if status == "IN_PROGRESS":
        return _with(deployment, replace(run, ask_at=now + (timedelta(seconds=callback) if callback else CALLBACK)))
    return _with(deployment, replace(run, status="SUCCEEDED" if status == "SUCCEEDED" else "FAILED", ask_at=None))


def released(deployment: ServiceDeployment, hook_id: str, action: str, now: datetime) -> ServiceDeployment:
    """Take in ContinueServiceDeployment: CONTINUE or ROLLBACK. Raise Refused."""
    run = next((run for run in deployment.hooks if run.id == hook_id), None)
    if run is None or run.status != "AWAITING_ACTION" or now >= run.expires_at:
        raise Refused(f"no hook waits for an action under the id {hook_id}")
    if action not in ("CONTINUE", "ROLLBACK"):
        raise Refused("action must be CONTINUE or ROLLBACK")
    return _with(deployment, replace(run, status="SUCCEEDED" if action == "CONTINUE" else "FAILED"))


def _begun(run: HookRun) -> datetime:
    return run.expires_at - run.hook.timeout


def _with(deployment: ServiceDeployment, run: HookRun) -> ServiceDeployment:
    return deployment.but(hooks=tuple(run if known.id == run.id else known for known in deployment.hooks))
