"""The conditions of an environment, and how long a release has waited. Pure; part of `decisions.decide`.

A condition is an observation: it may be outdated a moment later, and no decision depends on it.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from ferryman.decisions import candidates, old_tasks, same_images
from ferryman.decisions.deployment_steps import migration_steps
from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.promotion_gate import wish_kept_back
from ferryman.decisions.snapshot import Snapshot
from ferryman.platform import Environment
from ferryman.records import (
    OLD_TASKS_REMAIN,
    Condition,
    ConditionType,
    EnvironmentState,
    Phase,
    Release,
    Step,
    StepStatus,
    Target,
    WaitingFor,
    limits,
    step_keys,
)
from ferryman.suggestions import suggest
from ferryman.text import listed, one_line, person, shortened

IMAGES_DIFFER = "ImagesDiffer"
"""Reason of `Drifted`: containers of one service run different images of one component."""

Seen = tuple[ConditionType, str, str, str]
"""Type, status, reason, message."""


def observed(view: Snapshot, now: datetime) -> list[Condition]:
    """Return the environment's conditions as seen now; a transition time changes only with its status."""
    before = {condition.type: condition for condition in view.state.conditions}
    after = dict(before)
    drifted = _drifted(view)
    for seen in (
        _ready(view, now, drifted),
        _progressing(view, now),
        *_of_latest(view),
        _held(view),
        _frozen(view, now),
        drifted,
        _old_tasks(view),
    ):
        if seen is None:
            continue
        type, status, reason, message = seen
        # As it is stored: or else it would seem to have changed with every look.
        message = shortened(message, limits.TEXTS["Condition.message"])
        known = before.get(type)
        since = known.last_transition_time if known and known.status == status else now
        after[type] = Condition.model_validate(
            {"type": type, "status": status, "reason": reason, "message": message, "last_transition_time": since}
        )
    if old_tasks.gone(view):
        # Taken away, not False: an operator of release 0.1.0 can't read a state that lists it.
        after.pop(OLD_TASKS_REMAIN, None)
    return [after[type] for type in sorted(after)]


def waiting_since(view: Snapshot, now: datetime) -> datetime | None:
    """Return since when something waits to be deployed here; None when nothing does, or when a person stopped it."""
    state = view.state
    times = []
    is_asked_for = view.deployment is not None and view.deployment.phase is Phase.AWAITING_APPROVAL
    if state.active and not is_asked_for:
        times.append(state.active.claimed_at)
    is_frozen = frozen(view.environment, state, now) is not None
    if state.requested and not is_frozen and wish_kept_back(view, now) is None:
        times.append(state.requested.at)
    ready = candidates.outlook(view, now).ready
    if ready is not None and ready.since is not None and not (is_frozen or is_asked_for or state.hold):
        times.append(ready.since)
    return min(times, default=None)


def waiting_for(view: Snapshot, now: datetime) -> WaitingFor | None:
    """Return what the newest blocked release waits for; None when the condition Ready is about something else."""
    newest, outlook = _newest(view), candidates.outlook(view, now)
    if view.state.active or outlook.ready or (newest and candidates.done_for(view, newest)):
        return None
    waits = outlook.waiting.waits if outlook.waiting else None
    if outlook.waiting is None or waits is None:
        return None
    message = shortened(waits.message, limits.TEXTS["WaitingFor.message"])
    return WaitingFor(version=outlook.waiting.release.version, reason=waits.reason, message=message)


def changed_bases(view: Snapshot) -> list[str]:
    """Return the services and jobs whose base task definition has changed since they were deployed."""
    target = view.state.last_succeeded
    if view.drift is None or target is None:
        return []
    return [
        service
        for service, base in sorted(view.drift.bases.items())
        if service in target.bases and _revision(target.bases[service]) != _revision(base)
    ]


def untried_bases(view: Snapshot) -> list[str]:
    """Return the services and jobs with a changed base that the last attempt did not plan with.

    A service that it skipped (scaled to zero, no image in the release) keeps its old base: another automatic attempt
    would skip it again, for ever.
    """
    planned = view.latest.plan.members if view.latest and view.latest.plan else {}
    bases = view.drift.bases if view.drift else {}
    return [
        service
        for service in changed_bases(view)
        if service not in planned or _revision(planned[service].base_task_definition) != _revision(bases[service])
    ]


def _ready(view: Snapshot, now: datetime, drifted: Seen | None) -> Seen:
    state, newest = view.state, _newest(view)
    running = state.current.version or "no release" if state.current else "nothing"
    if state.active and view.deployment and view.deployment.phase is Phase.AWAITING_APPROVAL:
        return (
            "Ready",
            "Unknown",
            "AwaitingApproval",
            f"{state.active.version} is waiting for approval; {running} is running.",
        )
    if state.active:
        return (
            "Ready",
            "Unknown",
            "Progressing",
            f"{state.active.version} is being deployed; {running} is running until then.",
        )
    settled = candidates.done_for(view, newest) if newest else None
    if newest and settled:
        tail = (
            f"it will be retried at {settled.retry_at:%Y-%m-%d %H:%M:%S} UTC"
            if settled.retry_at
            else f"push a new version, or run {suggest('retry', view.name, p=view.platform)}"
        )
        message = f"{newest.version} ended {settled.phase} ({settled.reason}); {running} is running; {tail}."
        return "Ready", "False", str(settled.phase), message
    twin = same_images.twin_of(view, newest) if newest else None
    if newest and twin and twin.settled:
        message = f"{same_images.words(view, newest, twin)}; {running} is running."
        return "Ready", "False", str(twin.settled.phase), message
    outlook, freeze = candidates.outlook(view, now), frozen(view.environment, view.state, now)
    ready = outlook.ready.release if outlook.ready else None
    if ready and state.hold:
        message = (
            f"{ready.version} is waiting for {suggest('resume', view.name, p=view.platform)}; {running} is running."
        )
        return "Ready", "False", "Held", message
    if ready and freeze:
        return "Ready", "False", "Frozen", f"{ready.version} is waiting: {freeze.message}; {running} is running."
    if ready:
        return "Ready", "False", "Waiting", f"{ready.version} is about to start; {running} is running."
    waits = waiting_for(view, now)
    if waits is not None:
        return "Ready", "False", waits.reason, f"{waits.message}; {running} is running."
    if state.current is None:
        return "Ready", "Unknown", "NothingDeployed", "No release has been deployed here yet; push one."
    known = view.state.condition("Drifted")
    reason, message = drifted[2:] if drifted else (known.reason, known.message) if known else ("", "")
    if reason == IMAGES_DIFFER:
        return "Ready", "False", IMAGES_DIFFER, f"{running} is running, but not in every container: {message}"
    same = f"; {_same(newest, twin)}" if newest and twin else ""
    return "Ready", "True", "UpToDate", f"{running} is running{same}."


def _same(newest: Release, twin: same_images.Twin) -> str:
    said = f"{newest.version} has the same images"
    return f"{said} as {twin.release.version}, which is older" if twin.how == "older" else said


def _newest(view: Snapshot) -> Release | None:
    """Return the newest release, among those newer than the running one, that was meant for this environment."""
    wanted = (item for item in view.releases if view.settled(item) or candidates.trigger(view, item) is not None)
    newer = (item for item in wanted if not candidates.runs_or_is_older(view, item))
    return max(newer, key=lambda release: release.order, default=None)


def _progressing(view: Snapshot, now: datetime) -> Seen:
    state, deployment = view.state, view.deployment
    if state.active:
        phase = str(deployment.phase) if deployment else str(Phase.PENDING)
        return "Progressing", "True", phase, f"deployment {state.active.deployment} of {state.active.version}"
    ready = candidates.outlook(view, now).ready
    candidate = ready.release if ready else view.errored()
    settled = view.settled(candidate) if candidate else None
    if settled and settled.retry_at and state.hold is None:
        return "Progressing", "False", "WaitingForRetry", f"next attempt at {settled.retry_at:%Y-%m-%d %H:%M:%S} UTC"
    return "Progressing", "False", "Idle", ""


def _held(view: Snapshot) -> Seen:
    hold = view.state.hold
    if hold is None:
        return "Held", "False", "NotHeld", ""
    return (
        "Held",
        "True",
        "Held",
        f"{person(hold.who)}: {hold.reason}; to lift the hold, run {suggest('resume', view.name, p=view.platform)}",
    )


def _frozen(view: Snapshot, now: datetime) -> Seen:
    freeze = frozen(view.environment, view.state, now)
    if freeze is None:
        return "Frozen", "False", "NotFrozen", ""
    return "Frozen", "True", freeze.reason, freeze.message


def _of_latest(view: Snapshot) -> list[Seen]:
    """Return how far the last deployment here got: Approved, Migrated, Available, Verified."""
    deployment = view.deployment or view.latest
    if deployment is None or deployment.plan is None or deployment.kind == "migrate":
        return []
    about = f"deployment {deployment.id} of {deployment.version}"
    migrations = migration_steps(deployment)
    found = [_step("Migrated", _slowest(migrations), about)] if migrations else []
    if deployment.plan.approval:
        found.append(_step("Approved", deployment.step(step_keys.APPROVAL), about))
    rollouts = [
        deployment.step(step_keys.rollout(name, "forward"))
        for name in (*deployment.plan.jobs, *deployment.plan.services)
    ]
    found.append(_step("Available", _slowest(rollouts), about))
    found.append(_step("Verified", deployment.step(step_keys.SMOKE_TEST), about))
    return found


def _slowest(steps: list[Step | None]) -> Step | None:
    """Return the first of the steps that has not passed, else the last one."""
    return next((step for step in steps if step is None or not step.status.passed), steps[-1] if steps else None)


def _step(type: ConditionType, step: Step | None, about: str) -> Seen:
    if step is None:
        return type, "Unknown", "NotReached", about
    if step.status is StepStatus.RUNNING:
        return type, "Unknown", "Running", about
    status = "True" if step.status.passed else "False"
    return (
        type,
        status,
        step.reason or str(step.status),
        f"{about}: {one_line(step.message)}" if step.message else about,
    )


def _drifted(view: Snapshot) -> Seen | None:
    target = view.state.last_succeeded
    if view.drift is None or view.state.active is not None:
        return None
    if target is None:
        return "Drifted", "Unknown", "NothingDeployed", ""
    strayed = strayed_from(target, view.drift.live)
    if strayed:
        message = f"{'; '.join(strayed.values())}. To restore what is recorded, {_way_on(view)}."
        if any(step_keys.job_name(name) is not None and view.drift.live.get(name) for name in strayed):
            message += " If Terraform changed a job's target, let it ignore changes of the task definition."
        return "Drifted", "True", "TaskDefinitionChanged", message
    known = view.state.condition("Drifted")
    if view.drift.images is None and known is not None and known.reason == IMAGES_DIFFER:
        return None
    differing = _differing(view)
    if differing:
        components = {component for found in (view.drift.images or {}).values() for component in found}
        message = f"{'; '.join(differing)}. To bring each of them to one image, {_way_on(view, components)}."
        return "Drifted", "True", IMAGES_DIFFER, message
    changed = changed_bases(view)
    if changed:
        apply = f"To apply it, {_way_on(view)}."
        message = f"{', '.join(changed)}: Terraform published a newer base task definition. {apply}"
        return "Drifted", "True", "BaseChanged", message
    return "Drifted", "False", "AsRecorded", ""


def strayed_from(target: Target, live: Mapping[str, str | None]) -> dict[str, str]:
    """Return what does not run as recorded, each in words; what `live` does not name was not looked at."""
    found = {}
    for service, recorded in sorted(target.task_definitions.items()):
        runs = live.get(service, recorded)
        if runs is None:
            found[service] = f"{service} does not exist"
        elif _revision(runs) != _revision(recorded):
            found[service] = f"{service} runs {_revision(runs)} instead of {_revision(recorded)}"
    return found


def _old_tasks(view: Snapshot) -> Seen | None:
    message = old_tasks.remaining(view)
    return (OLD_TASKS_REMAIN, "True", "Draining", message) if message else None


def _way_on(view: Snapshot, components: Collection[str] = ()) -> str:
    running = view.state.current.version if view.state.current else None
    found = next((item for item in view.releases if item.version == running), None)
    return way_on(view.state, view.environment, found, components)


def way_on(
    state: EnvironmentState, environment: Environment, running: Release | None, components: Collection[str]
) -> str:
    """Say what a person does so that these components run as they should: `run ...`.

    A redeploy needs a release that runs (what was adopted may be none) and changes only the components that it has.
    """
    if running is not None and all(component in running.digests for component in components):
        return f"run {suggest('redeploy', state.environment, p=state.platform)}"
    has = f" that has {listed(sorted(components))}" if running is not None else ""
    if "manual" in environment.triggers:
        return f"deploy a release{has}: run {suggest('deploy', state.environment, p=state.platform, release='VERSION')}"
    return f"push a new release{has}"


def _differing(view: Snapshot) -> list[str]:
    """Say of each service which of its containers run which image of a component."""
    images = view.drift.images if view.drift else None
    return [
        f"{service} does not run one image of {component}: "
        + ", ".join(f"{container} runs {_short(digest)}" for container, digest in containers.items())
        for service, components in sorted((images or {}).items())
        for component, containers in components.items()
    ]


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12] if digest.startswith("sha256:") else digest


def _revision(task_definition: str) -> str:
    """`family:revision`, whether the ARN or the short name was given."""
    return task_definition.rsplit("/", 1)[-1]
