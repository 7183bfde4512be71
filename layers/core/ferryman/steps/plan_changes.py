"""The words that a plan has for the people who approve it. Called by `steps.begin_deployment`, once.

What runs is read here, once; afterwards page, mail, Slack and command show what the plan says.
"""

from collections.abc import Callable, Mapping
from functools import cache

from ferryman.clients import ecs as ecs_edge
from ferryman.clients import task_definitions
from ferryman.clients.aws_types import ECSClient, TaskDefinition
from ferryman.decisions import not_frozen, plan_difference, what_changes
from ferryman.errors import NotFound
from ferryman.records import Deployment, EnvironmentState, Plan, PlannedMigration, step_keys
from ferryman.steps.verify import Survey
from ferryman.store.table import Store
from ferryman.text import sentence

_CHARACTERS = 24_000
"""The most characters of all sentences together: a plan is stored in one item where it can be."""

Find = Callable[[str], TaskDefinition | None]


def explained(
    plan: Plan, deployment: Deployment, seen: Survey, state: EnvironmentState, *, ecs: ECSClient, store: Store
) -> Plan:
    """Return the plan with what it changes against what runs, what it can't freeze, and what differs from before."""

    @cache
    def find(arn: str) -> TaskDefinition | None:
        return ecs_edge.find_task_definition(ecs, arn)

    running = _earlier(state.current.deployment if state.current else None, deployment, store)
    new = _definitions(plan, seen)
    words = {name: _of(now, _runs(name, seen, find)) for name, now in new.items() if name in plan.members}
    # A way down, or a question, is no later form of the last way up.
    before = running if deployment.command in (None, "up") else None
    for task in plan.every_migration:
        words[_title(task)] = _of_migration(task, before, seen, find)
    if running is not None and running.plan is not None and deployment.kind != "migrate":
        words |= plan_difference.of_policy(running.plan, plan, versions=(running.version, deployment.version))
    canonical = {name: task_definitions.canonical(now) for name, now in new.items()}
    bases = [item for item in [*seen.bases.values(), *_bases(seen)] if item.get("status", "ACTIVE") != "ACTIVE"]
    made = plan.but(
        changes=_bounded(words),
        not_frozen=not_frozen.sentences(canonical),
        deregistered=[arn for arn in plan.revisions if arn in {item["taskDefinitionArn"] for item in bases}],
    )
    voided = _earlier(deployment.renews, deployment, store)
    if voided is None or voided.plan is None:
        return made
    refused = voided.step(step_keys.ADMIT)
    why = sentence(refused.message if refused is not None else voided.message, capital=True)
    versions = (voided.version, deployment.version)
    return made.but(since_approved=plan_difference.since_approved(voided.plan, made, why, versions=versions))


def _definitions(plan: Plan, seen: Survey) -> dict[str, task_definitions.Definition]:
    """Return service, job or migration → the definition that is going to run there."""
    found: dict[str, task_definitions.Definition] = {}
    for name, planned in plan.members.items():
        job = step_keys.job_name(name)
        base = seen.bases.get(name) if job is None else seen.jobs[job].base
        if base is not None and planned.skip != "NotInRelease":
            found[name] = task_definitions.with_images(base, planned.images)
    for task in plan.every_migration:
        base = seen.migrations[task.name].base
        if base is not None:
            found[_title(task)] = task_definitions.with_images(base, task.images)
    return found


def _runs(name: str, seen: Survey, find: Find) -> TaskDefinition | None:
    """Return the definition that a service or job runs now; None when it was deleted."""
    job = step_keys.job_name(name)
    if job is not None:
        return seen.jobs[job].live
    arn, base = seen.services[name]["taskDefinition"], seen.bases[name]
    return base if base["taskDefinitionArn"] == arn else find(arn)


def _of(now: task_definitions.Definition, before: TaskDefinition | None) -> list[str]:
    old = task_definitions.canonical(before) if before is not None else None
    return what_changes.of_definition(old, task_definitions.canonical(now))


def _of_migration(task: PlannedMigration, running: Deployment | None, seen: Survey, find: Find) -> list[str]:
    """Compare with the last deployment's migration of that name, whose base may be another revision."""
    plans = running.plan.every_migration if running is not None and running.plan is not None else []
    before = next((item for item in plans if item.name == task.name), None)
    lines = what_changes.of_migration(before, task)
    base = seen.migrations[task.name].base
    if before is None or base is None or before.base_task_definition == task.base_task_definition:
        return lines
    return [*lines, *_of(base, find(before.base_task_definition))]


def _title(task: PlannedMigration) -> str:
    return f"migration {task.name}".strip()


def _bases(seen: Survey) -> list[TaskDefinition]:
    read = [*(item.base for item in seen.jobs.values()), *(item.base for item in seen.migrations.values())]
    return [item for item in read if item is not None]


def _earlier(id: str | None, deployment: Deployment, store: Store) -> Deployment | None:
    if id is None:
        return None
    try:
        return store.deployment(deployment.platform, deployment.environment, id)
    except NotFound:
        return None


def _bounded(words: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the sentences that there is room for; of the others, how many there are."""
    left, found = _CHARACTERS, dict[str, list[str]]()
    for name, lines in words.items():
        kept = []
        for line in lines:
            left -= len(line)
            if left < 0:
                break
            kept.append(line)
        missing = len(lines) - len(kept)
        found[name] = [*kept, f"and {missing} more changes, compare its base revision"] if missing else kept
    return found
