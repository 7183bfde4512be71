"""The jobs of a plan: where each target is, what it ran before, and the image it will run.

Called by `steps.begin_deployment`.
"""

from collections.abc import Mapping

from ferryman.clients import task_containers
from ferryman.clients.job_targets import place_of
from ferryman.errors import VerificationFailed
from ferryman.platform import Environment
from ferryman.platform.environments import Job
from ferryman.records import Deployment, EnvironmentState, PlannedJob, step_keys
from ferryman.steps.plan_images import Images, runs_on
from ferryman.steps.verify_jobs import SeenJob


def planned(
    environment: Environment,
    deployment: Deployment,
    state: EnvironmentState,
    seen: Mapping[str, SeenJob],
    images: Images,
    addresses: Mapping[str, str],
) -> dict[str, PlannedJob]:
    """Return the planned jobs by their names in waves and steps.

    Raise DigestMismatch when an image is gone or does not fit the job's platform.
    """
    good = state.last_succeeded.task_definitions if state.last_succeeded else {}
    found = {}
    for job in environment.jobs:
        name, planned = step_keys.job(job.name), _job(job, deployment, seen[job.name], images, addresses)
        stray = state.astray and name in good
        found[name] = planned.but(stray=True, rollback_task_definition=good[name]) if stray else planned
    return found


def _job(job: Job, deployment: Deployment, seen: SeenJob, images: Images, addresses: Mapping[str, str]) -> PlannedJob:
    target, base = seen.target, seen.base
    if target is None or base is None:
        raise VerificationFailed(f"job {job.name} was verified and is gone")
    digest = deployment.digests.get(job.component)
    found = PlannedJob(
        name=job.name,
        place=place_of(job),
        arn=target.arn,
        component=job.component,
        container=job.container_name,
        digest="",
        image="",
        base_task_definition=base["taskDefinitionArn"],
        task_definition=target.task_definition,
        target=target.kept(),
        skip="NotInRelease",
        containers=task_containers.assign(base, task_containers.uses(job), addresses).containers[job.component],
    )
    if digest is None:
        return found
    images.children(job.component, digest, runs_on(base))
    return found.but(digest=digest, image=images.uri(job.component, digest), skip=None)
