"""What of ECS an environment holds, and what it gives up: another environment could take that without asking. Pure."""

from collections.abc import Iterator

from ferryman.decisions.document_changes.change import Change, Place
from ferryman.platform import Environment
from ferryman.platform.environments import Job


def claimed(environment: Environment) -> set[tuple[str, ...]]:
    """Return what a deployment to an environment changes: services of its cluster, and places of its jobs."""
    services = {("service", environment.cluster, service.name) for service in environment.services}
    return services | {_of(job) for job in environment.jobs}


def left(place: Place, at: str) -> Iterator[Change]:
    """Yield what the environment no longer holds: services, jobs, migrations and task definitions."""
    kept = {service.name for service in place.new.services}
    for service in place.old.services:
        if service.name not in kept:
            yield place.looser(f"{at}.waves", _gone(place, f"the service {service.name}"))
    places = {_of(job) for job in place.new.jobs}
    for job in place.old.jobs:
        if _of(job) not in places:
            yield place.looser(f"{at}.waves", _gone(place, f"the job {job.name}"))
    yield from _definitions(place, at)


def _definitions(place: Place, at: str) -> Iterator[Change]:
    """Yield the task definitions given up: whoever takes them runs other images with their roles and secrets."""
    old, new = _named(place.old), _named(place.new)
    for what, definition in old.items():
        if definition is not None and definition not in new.values():
            text = f"{what} of {place.name} no longer uses the task definition {definition}, so that another "
            yield place.looser(at, f"{text}environment could run other images with its roles and secrets")
        elif definition is None and new.get(what) is not None:
            text = f"{what} of {place.name} is made from {new[what]}, no longer from the task definition that it runs"
            yield place.looser(at, text)


def _named(environment: Environment) -> dict[str, str | None]:
    """Return what uses a task definition → its family, or the reference to it; None: what it runs now."""
    found: dict[str, str | None] = {
        **{f"the service {item.name}": item.base_task_definition for item in environment.services},
        **{f"the job {item.name}": item.base_task_definition for item in environment.jobs},
        **{
            f"the migration {name}" if name else "the migration": item.task_definition
            for name, item in environment.every_migration.items()
        },
    }
    return {what: definition and _family(definition) for what, definition in found.items()}


def _family(definition: str) -> str:
    """Return a definition without its revision: a new revision of the same family is no other definition."""
    if definition.startswith("ssm:"):
        return definition
    name = definition.rsplit("/", 1)[-1]
    head, _, revision = name.rpartition(":")
    return head if head and revision.isdigit() else name


def _gone(place: Place, what: str) -> str:
    return f"{place.name} gives up {what}, so that another environment could change it without approval"


def _of(job: Job) -> tuple[str, ...]:
    if job.schedule is not None:
        return "schedule", job.group, job.schedule
    return "rule", job.event_bus, job.rule or "", job.target or ""
