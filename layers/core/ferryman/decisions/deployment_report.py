"""What a deployment's records tell: which step decided it, what was changed, what was taken back. Pure.

Called by `decisions.outcome`, which decides the outcome, and by what tells it: messages, the page and the API.
"""

from dataclasses import dataclass
from typing import Literal

from ferryman.decisions import deployment_steps
from ferryman.decisions.wave_order import touched
from ferryman.durations import age
from ferryman.records import (
    ENDED_WHILE_DRAINING,
    NOT_JUDGED,
    OLD_TASKS_REMAIN,
    Deployment,
    Step,
    StepStatus,
    step_keys,
)

_SEVERITY = (StepStatus.FAILED, StepStatus.ERRORED, StepStatus.RUNNING, StepStatus.ABORTED)
"""The gravest first. What was stopped comes last: it was stopped because of something else."""

_NOT_OURS = frozenset({"JobMissing", "JobChanged", "JobEnded"})
"""Why a job was not taken back: it is gone, somebody pointed it elsewhere, or it has ended."""


@dataclass(frozen=True)
class Cause:
    """The step that decided a deployment's outcome."""

    key: str
    step: Step

    @property
    def title(self) -> str:
        """The step in words."""
        return deployment_steps.title_of(self.key)

    @property
    def service(self) -> str:
        """The service that a rollout's step is about; the step's key for all others."""
        return deployment_steps.service_of(self.key) or self.key

    @property
    def judged(self) -> bool:
        """Whether the step tells what went wrong; else only the error tells that the state machine caught, if any."""
        return self.step.status is not StepStatus.RUNNING and self.step.reason != NOT_JUDGED

    @property
    def exit_code(self) -> int | None:
        """Exit code of the migration's container; a service's stands in the step's message."""
        return self.step.migration.exit_code if self.step.migration else None


def ordered(deployment: Deployment) -> list[tuple[str, Step]]:
    """Return the steps in the order in which they began: a stored map has none of its own."""
    return sorted(deployment.steps.items(), key=lambda item: (item[1].started_at, item[0]))


def cause_of(deployment: Deployment) -> Cause | None:
    """Return the step that decided a deployment's outcome: one of those on the way forward that did not pass.

    The gravest kind first (a failure tells more about the release than an error of ours), then the order of the
    machine. Never a rollout that was healthy and ended because of something else. None if no step is left. The only
    classification of it: the record and the messages both read this one.
    """
    failing = [
        Cause(key, step)
        for key, step in _forward(deployment)
        if not step.status.passed and step.reason != ENDED_WHILE_DRAINING
    ]
    order = {cause.key: deployment_steps.position(deployment, cause.key) for cause in failing}
    return min(failing, key=lambda cause: (_SEVERITY.index(cause.step.status), order[cause.key]), default=None)


def also_failed(deployment: Deployment, cause: Cause | None) -> list[Cause]:
    """Return the other forward steps that failed by themselves."""
    bad = (StepStatus.FAILED, StepStatus.ERRORED)
    return [
        Cause(key, step)
        for key, step in _forward(deployment)
        if step.status in bad and (cause is None or key != cause.key)
    ]


def _forward(deployment: Deployment) -> list[tuple[str, Step]]:
    return [(key, step) for key, step in ordered(deployment) if not deployment_steps.goes_back(key)]


def changed(deployment: Deployment) -> list[str]:
    """Return the services that got, or may have got, another task definition, in the plan's order."""
    waves = deployment.plan.waves if deployment.plan is not None else []
    planned = [name for wave in waves for name in wave]
    began = [name for key, _ in _forward(deployment) if (name := deployment_steps.service_of(key)) is not None]
    return [name for name in dict.fromkeys([*planned, *began]) if touched(deployment, name)]


def waited_no_longer(deployment: Deployment) -> list[str]:
    """Return the services that run the release while ECS still stopped old tasks when their rollout ended."""
    steps = ((name, deployment.step(step_keys.rollout(name, "forward"))) for name in changed(deployment))
    return [name for name, step in steps if step is not None and step.reason == OLD_TASKS_REMAIN]


@dataclass(frozen=True)
class Migrated:
    """What a migration of a deployment did to its database."""

    name: str
    """"" for the one without a name."""
    result: Literal["begun", "succeeded"]
    """Begun: it may have changed something before it ended, or may still do so."""


def migrations(deployment: Deployment) -> list[Migrated]:
    """Return the migrations of this deployment that changed their database, or may have, in their order."""
    found = []
    for key, step in ordered(deployment):
        name = step_keys.migration_of(key)
        if name is not None and step.migration is not None and step.migration.task is not None:
            found.append(Migrated(name, "succeeded" if step.status is StepStatus.SUCCEEDED else "begun"))
    return found


@dataclass(frozen=True)
class WayBack:
    """What became of the services that were changed, once it had been decided to go back.

    The only classification of it: the record, the messages, the page and the command all read this one.
    """

    changed: list[str]
    back: list[str]
    failed: list[Cause]
    """Their step on the way back ended badly, or is still running although the deployment has ended."""
    held: list[str]
    without_target: list[str]
    unrecorded: list[str]
    """They have no step on the way back: what should have taken them back died before it wrote anything."""

    @property
    def not_back(self) -> list[str]:
        """The services that should have gone back and for which no record says that they did."""
        failed = [cause.service for cause in self.failed]
        return [name for name in self.changed if name in failed or name in self.unrecorded]


def way_back(deployment: Deployment) -> WayBack:
    """Sort the changed services by what became of them. Meaningful only for a deployment that did not succeed."""
    found = WayBack(changed(deployment), [], [], [], [], [])
    for service in found.changed:
        key = step_keys.rollout(service, "back")
        step = deployment.step(key)
        if step is None:
            found.unrecorded.append(service)
        elif step.status is StepStatus.SKIPPED and step.reason == "HoldPolicy":
            found.held.append(service)
        elif step.status is StepStatus.SKIPPED and step.reason == "NoTarget":
            found.without_target.append(service)
        elif step.status is StepStatus.SKIPPED and step.reason in _NOT_OURS:
            continue  # It starts nothing of this deployment any more, and its own step says why.
        elif step.status.passed:
            found.back.append(service)
        else:
            found.failed.append(Cause(key, step))
    return found


def took(deployment: Deployment) -> str:
    """Return how long a deployment took, in words; empty while it has not ended."""
    if deployment.ended_at is None:
        return ""
    return age(deployment.started_at or deployment.created_at, deployment.ended_at)
