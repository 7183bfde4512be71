"""The steps of a deployment, in the order in which the state machine runs them: the one table of them. Pure.

`decisions.outcome`, `decisions.deployment_report`, the messages, the API's views, the approval page, the command and
the demo read it. What a new step needs besides its row here: docs/development/adding-a-step.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ferryman.records import Deployment, Phase, Step, step_keys

Kind = Literal["begin", "approval", "admit", "promotion", "migration", "rollout", "smokeTest", "rollback"]
"""What the API calls a step. Part of its answers, so a kind never changes."""

Machine = Literal["deploy", "migrate"]
"""The state machines, by the names of their files in statemachines/."""

_Rule = Callable[[Deployment], bool]


def _always(_: Deployment) -> bool:
    return True


def _never(_: Deployment) -> bool:
    return False


def not_yet(_: Deployment) -> bool:
    """The rule of a step that executions of an earlier version don't have: no outcome waits for it, nor do people.

    It is shown and counts once it has begun: a step that did not pass is never a success.
    """
    return False


def _asks(deployment: Deployment) -> bool:
    plan = deployment.plan
    return (plan is not None and plan.approval) or step_keys.APPROVAL in deployment.steps


def _promotes(deployment: Deployment) -> bool:
    plan = deployment.plan
    return plan is not None and (bool(plan.promotions) or plan.semver is not None)


def _migrates(deployment: Deployment) -> bool:
    return deployment.plan is not None and bool(deployment.plan.every_migration)


def _checks(deployment: Deployment) -> bool:
    return deployment.plan is not None and bool(deployment.plan.checks)


@dataclass(frozen=True)
class DeploymentStep:
    """One row of the table."""

    kind: Kind
    key: str
    """Its key in `Deployment.steps`. A step that each service or migration has: what stands before the slash."""
    functions: tuple[str, ...]
    """The folders in functions/ that run it, in order."""
    title: str
    """What it is, for everybody: the command, messages, the page; before a service's or migration's name, if any."""
    running: str | None = "running"
    """What it is doing, in a word or two, for the demo; None: it is over too soon to be told."""
    done: str = "done"
    """What it did, in a word or two, for the demo."""
    planned: _Rule = _always
    """Whether it has something to do, so that people see it before it begins."""
    required: _Rule | None = None
    """Whether a deployment succeeds only once it has passed; None: if it is planned. A new step: `not_yet`."""
    machines: tuple[Machine, ...] = ("deploy",)
    each_service: bool = False
    """Whether each service and each job has this step. `back` reverses the order of the services."""
    each_migration: bool = False
    """Whether each named migration has this step. Where none has a name, it is there once, without a slash."""
    back: bool = False
    """Whether it belongs to the way back: no plan says that it comes, it is there once it has begun."""
    phases: tuple[Phase, ...] = (Phase.RUNNING,)
    """The phases of a deployment in which it may begin and go on. Running: the last gate has admitted it."""

    def requires(self, deployment: Deployment) -> bool:
        """Whether a deployment succeeds only once this step has passed."""
        return (self.required or self.planned)(deployment)

    def occurs(self, deployment: Deployment) -> bool:
        """Whether the machine may come to it, to do something or to record that there is nothing to do."""
        return self.back or self.required is not_yet or self.planned(deployment) or self.requires(deployment)

    def shown(self, deployment: Deployment, key: str) -> bool:
        """Whether people see it: when it is planned; what no plan tells of, once it has begun."""
        if self.back or self.required is not_yet:
            return key in deployment.steps
        return self.planned(deployment)


STEPS: tuple[DeploymentStep, ...] = (
    DeploymentStep(
        kind="begin",
        key=step_keys.BEGIN,
        functions=("begin_deployment",),
        title="planning and verification",
        running=None,
        done="ready",
        machines=("deploy", "migrate"),
        phases=(Phase.PENDING,),
    ),
    DeploymentStep(
        kind="approval",
        key=step_keys.APPROVAL,
        functions=("request_approval",),
        title="approval",
        running="waiting",
        done="approved",
        planned=_asks,
        machines=("deploy", "migrate"),
        phases=(Phase.PENDING,),
    ),
    DeploymentStep(
        kind="admit",
        key=step_keys.ADMIT,
        functions=("admit_deployment",),
        title="admission",
        running=None,
        done="passed",
        machines=("deploy", "migrate"),
        phases=(Phase.PENDING, Phase.AWAITING_APPROVAL),
    ),
    DeploymentStep(
        kind="promotion",
        key=step_keys.PROMOTION,
        functions=("promote_images",),
        title="re-tagging of the images",
        running=None,
        done="re-tagged",
        planned=_promotes,
    ),
    DeploymentStep(
        kind="migration",
        key=step_keys.MIGRATION,
        functions=("run_migration", "watch_migration"),
        title="database migration",
        running="migrating",
        done="migrated",
        planned=_migrates,
        required=_always,  # Without a migration it records that it was skipped.
        machines=("deploy", "migrate"),
        each_migration=True,
    ),
    DeploymentStep(
        kind="rollout",
        key=step_keys.ROLLOUT,
        functions=("update_service", "watch_rollout"),
        title="rollout of",
        running="rolling out",
        done="rolled out",
        each_service=True,
    ),
    DeploymentStep(
        kind="smokeTest",
        key=step_keys.SMOKE_TEST,
        functions=("smoke_test",),
        title="smoke test",
        running="checking",
        done="passed",
        planned=_checks,
        required=_always,  # Without checks it records that it was skipped.
    ),
    DeploymentStep(
        kind="rollback",
        key=step_keys.ROLLBACK,
        functions=("update_service", "watch_rollout"),
        title="rollback of",
        running="rolling back",
        done="rolled back",
        planned=_never,
        each_service=True,
        back=True,
        phases=(Phase.RUNNING, Phase.ROLLING_BACK),  # The first one turns the deployment back.
    ),
)

WITHOUT_A_STEP = ("finish_deployment", "publish_release")
"""Functions of the machines that record no step: one writes the outcome, one tells GitHub of it."""


@dataclass(frozen=True)
class Occurrence:
    """A step of one deployment; of one service or migration, where each has it."""

    key: str
    step: DeploymentStep
    service: str | None = None
    migration: str | None = None
    """Of a named migration."""


def flow(deployment: Deployment) -> list[Occurrence]:
    """Return the steps that people see, in their order: those of the plan, then those of the way back that began."""
    return [found for found in occurrences(deployment) if found.step.shown(deployment, found.key)]


def required(deployment: Deployment) -> list[str]:
    """Return the keys of the steps that a deployment has passed once it has succeeded, in their order."""
    return [found.key for found in occurrences(deployment) if found.step.requires(deployment)]


def possible(deployment: Deployment) -> list[str]:
    """Return the keys of all steps that a planned deployment can get, on the way forward and on the way back."""
    return [found.key for found in occurrences(deployment)]


def occurrences(deployment: Deployment) -> list[Occurrence]:
    """Return all steps that a planned deployment can get, in the order of the machine."""
    return [found for step in _of(deployment) for found in _occurrences(step, deployment)]


def migration_steps(deployment: Deployment) -> list[Step | None]:
    """Return the steps of the planned migrations in their order; None for one that has not begun."""
    plan = deployment.plan
    names = [item.name for item in plan.every_migration] if plan is not None else []
    return [deployment.step(step_keys.migration(name)) for name in names]


def position(deployment: Deployment, key: str) -> int:
    """Return a step's place in the order of the machine; what this version does not know comes last."""
    keys = [found.key for step in STEPS for found in _occurrences(step, deployment)]
    return keys.index(key) if key in keys else len(keys)


def goes_back(key: str) -> bool:
    """Whether a step belongs to the way back."""
    step = _step_of(key)
    return step is not None and step.back


def service_of(key: str) -> str | None:
    """Return the service that a step is about; None where a step is about all of them."""
    step = _step_of(key)
    return key.partition("/")[2] if step is not None and step.each_service else None


def title_of(key: str) -> str:
    """Return in words what a step is. A key that this version does not know is its own title."""
    step = _step_of(key)
    return key.replace("_", " ") if step is None else named(step.title, key.partition("/")[2] or None)


def of_kind(kind: str) -> DeploymentStep | None:
    """Return the step that the API calls so; None for a kind that this version does not know."""
    return next((step for step in STEPS if step.kind == kind), None)


def named(words: str, name: str | None) -> str:
    """Complete the words of a step that each service or migration has; a job stands in the place of a service."""
    if name is None:
        return words
    job = step_keys.job_name(name)
    return f"{words} {name}" if job is None else f"{words} job {job}"


def _of(deployment: Deployment) -> Iterator[DeploymentStep]:
    machine: Machine = "migrate" if deployment.kind == "migrate" else "deploy"
    return (step for step in STEPS if machine in step.machines)


def _occurrences(step: DeploymentStep, deployment: Deployment) -> list[Occurrence]:
    migrations = deployment.plan.named_migrations if deployment.plan is not None else []
    if step.each_migration and migrations:
        return [Occurrence(f"{step.key}/{item.name}", step, migration=item.name) for item in migrations]
    if not step.each_service:
        return [Occurrence(step.key, step)]
    waves = deployment.plan.waves if deployment.plan is not None else []
    services = [name for wave in waves for name in wave]
    ordered = reversed(services) if step.back else services
    return [Occurrence(f"{step.key}/{name}", step, name) for name in ordered]


def _step_of(key: str) -> DeploymentStep | None:
    found, slash, _ = key.partition("/")
    fits = (step for step in STEPS if step.key == found and (step.each_migration or step.each_service == bool(slash)))
    return next(fits, None)
