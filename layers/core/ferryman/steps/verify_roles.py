"""Check that the operator may pass the roles of task definitions to ECS. Part of `apply` and `ferryman verify`.

Otherwise the first deployment would fail when it registers a revision. `wanted` and `judge` are pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ferryman.clients import pass_role
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import MakeClient, TaskDefinition
from ferryman.platform import Environment
from ferryman.platform.problem import Problem
from ferryman.steps.verify import Survey

_PARAMETER = "/ferryman/operator/pass-role-arns"


@dataclass(frozen=True)
class Passing:
    """The roles (ARNs) of the functions that register task definitions; empty where they are not known."""

    update_service: str = ""
    """Registers those of services and jobs."""
    run_migration: str = ""


@dataclass(frozen=True)
class Use:
    """A role that a task definition names."""

    path: str
    """Where the document names the task definition."""
    definition: str
    field: str
    role: str
    by: str
    """ARN of the role of the function that passes it."""


def examine(
    environments: Mapping[str, Environment], surveys: Mapping[str, Survey], passing: Passing, client: MakeClient
) -> tuple[list[Problem], list[Problem]]:
    """Return roles that the operator may not pass, as problems, and as a note that nobody could tell.

    Raise Throttled or Unavailable.
    """
    uses = [
        use
        for name in surveys
        for use in wanted(environments[name], surveys[name], passing, f"spec.environments.{name}")
    ]
    refused: set[tuple[str, str]] = set()
    for by in sorted({use.by for use in uses}):
        try:
            refused |= {
                (by, role) for role in pass_role.refused(client("iam"), by, {u.role for u in uses if u.by == by})
            }
        except Refusal as error:
            told = f"nobody could tell whether the operator may pass the roles of task definitions: {error}"
            return [], [("spec.environments", told)]
    return judge(uses, refused), []


def wanted(environment: Environment, seen: Survey, passing: Passing, at: str) -> Iterator[Use]:
    """Yield the roles that deployments of an environment pass. Pure."""
    if passing.update_service:
        for w, wave in enumerate(environment.waves):
            for s, service in enumerate(wave.services):
                path = f"{at}.waves.{w}.services.{s}.baseTaskDefinition"
                yield from _roles(seen.bases.get(service.name), path, passing.update_service)
            for j, job in enumerate(wave.jobs):
                of_job = seen.jobs[job.name].base if job.name in seen.jobs else None
                yield from _roles(of_job, f"{at}.waves.{w}.jobs.{j}", passing.update_service)
    if passing.run_migration:
        for name in environment.every_migration:
            read, path = seen.migrations.get(name), f"{at}.{environment.migration_path(name)}.taskDefinition"
            yield from _roles(read.base if read is not None else None, path, passing.run_migration)


def judge(uses: list[Use], refused: set[tuple[str, str]]) -> list[Problem]:
    """Return the roles among `refused` (who passes, role) as problems. Pure."""
    return [(use.path, _told(use)) for use in uses if (use.by, use.role) in refused]


def _told(use: Use) -> str:
    return (
        f"the operator may not pass the {use.field} {use.role} of {use.definition}, so nothing could be deployed: add "
        f"it to the SSM parameter {_PARAMETER} and deploy the operator again to update its policies"
    )


def _roles(definition: TaskDefinition | None, path: str, by: str) -> Iterator[Use]:
    if definition is None:
        return
    name = str(definition["taskDefinitionArn"]).rpartition("/")[2]
    named = (("taskRoleArn", definition.get("taskRoleArn")), ("executionRoleArn", definition.get("executionRoleArn")))
    for field, role in named:
        if role:
            yield Use(path, name, field, role, by)
