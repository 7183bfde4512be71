"""What a deployment's records tell: which step decided it, what was changed, what was taken back. Pure.

Called by `decisions.outcome`, which decides the outcome, and by what tells it: messages, the page and the API.
"""

from dataclasses import dataclass
from typing import Literal

from ferryman.decisions.wave_order import touched
from ferryman.durations import age
from ferryman.records import Deployment, Step, StepStatus, step_keys

_FORWARD, _BACK = "rollout/", "rollback/"
_SEVERITY = (StepStatus.FAILED, StepStatus.ERRORED, StepStatus.ABORTED, StepStatus.RUNNING)


@dataclass(frozen=True)
class Cause:
    """The step that decided a deployment's outcome."""

    key: str
    step: Step

    @property
    def title(self) -> str:
        """The step in words."""
        return title_of(self.key)

    @property
    def service(self) -> str:
        """The service that a rollout's step is about; the step's key for all others."""
        return self.key.removeprefix(_FORWARD).removeprefix(_BACK)

    @property
    def exit_code(self) -> int | None:
        """Exit code of the migration's container; a service's stands in the step's message."""
        return self.step.migration.exit_code if self.step.migration else None


def title_of(key: str) -> str:
    """Return a step's key in words."""
    if key.startswith(_FORWARD):
        return f"rollout of {key.removeprefix(_FORWARD)}"
    if key.startswith(_BACK):
        return f"rollback of {key.removeprefix(_BACK)}"
    return {
        step_keys.BEGIN: "planning and verification",
        step_keys.APPROVAL: "approval",
        step_keys.ADMIT: "admission",
        step_keys.PROMOTION: "re-tagging of the images",
        step_keys.MIGRATION: "database migration",
        step_keys.SMOKE_TEST: "smoke test",
    }.get(key, key.replace("_", " "))


def flow(deployment: Deployment) -> list[str]:
    """Return the keys of all steps in their order: those of the plan, then those of the way back that began."""
    plan, done = deployment.plan, deployment.steps
    asked = (plan is not None and plan.approval) or step_keys.APPROVAL in done
    keys = [step_keys.BEGIN, *([step_keys.APPROVAL] if asked else []), step_keys.ADMIT]
    if plan is None:
        return keys
    if plan.promotions or plan.semver:
        keys.append(step_keys.PROMOTION)
    if plan.migration is not None:
        keys.append(step_keys.MIGRATION)
    if deployment.kind == "migrate":
        return keys
    services = [name for wave in plan.waves for name in wave]
    keys += [step_keys.rollout(name, "forward") for name in services]
    if plan.checks:
        keys.append(step_keys.SMOKE_TEST)
    back = [step_keys.rollout(name, "back") for name in reversed(services)]
    return keys + [key for key in back if key in done]


def ordered(deployment: Deployment) -> list[tuple[str, Step]]:
    """Return the steps in the order in which they began: a stored map has none of its own."""
    return sorted(deployment.steps.items(), key=lambda item: (item[1].started_at, item[0]))


def cause_of(deployment: Deployment) -> Cause | None:
    """Return the forward step that did not pass: the gravest kind first, then the earliest; None if all passed."""
    failing = [(key, step) for key, step in ordered(deployment) if not key.startswith(_BACK) and not step.status.passed]
    if not failing:
        return None
    key, step = min(failing, key=lambda item: _SEVERITY.index(item[1].status))
    return Cause(key, step)


def also_failed(deployment: Deployment, cause: Cause | None) -> list[Cause]:
    """Return the other forward steps that failed by themselves."""
    bad = (StepStatus.FAILED, StepStatus.ERRORED)
    return [
        Cause(key, step)
        for key, step in ordered(deployment)
        if step.status in bad and not key.startswith(_BACK) and (cause is None or key != cause.key)
    ]


def changed(deployment: Deployment) -> list[str]:
    """Return the services that got, or may have got, another task definition, in the plan's order."""
    waves = deployment.plan.waves if deployment.plan is not None else []
    planned = [name for wave in waves for name in wave]
    began = [key.removeprefix(_FORWARD) for key, _ in ordered(deployment) if key.startswith(_FORWARD)]
    return [name for name in dict.fromkeys([*planned, *began]) if touched(deployment, name)]


def migration(deployment: Deployment) -> Literal["none", "begun", "succeeded"]:
    """Tell whether a migration of this deployment changed the database, or may have."""
    step = deployment.step(step_keys.MIGRATION)
    if step is None or step.migration is None or step.migration.task is None:
        return "none"
    return "succeeded" if step.status is StepStatus.SUCCEEDED else "begun"


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
