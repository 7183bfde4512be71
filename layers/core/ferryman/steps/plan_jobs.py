"""The jobs of a plan: where each target is, what it ran before, and the image it will run.

Called by `steps.begin_deployment`.
"""

from collections.abc import Mapping

from ferryman.clients import task_containers
from ferryman.clients.job_targets import place_of
from ferryman.decisions import pinned_images
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
    adopted: Mapping[str, str],
    seen: Mapping[str, SeenJob],
    images: Images,
    addresses: Mapping[str, str],
) -> dict[str, PlannedJob]:
    """Return the planned jobs by their names in waves and steps; `adopted` is what `AdoptedImages` has.

    Raise DigestMismatch when an image is gone or does not fit the job's platform.
    """
    good = state.last_succeeded.task_definitions if state.last_succeeded else {}
    found = {}
    for job in environment.jobs:
        name, planned = step_keys.job(job.name), _job(job, deployment, adopted, seen[job.name], images, addresses)
        if state.astray and name in good:
            there, digests = good[name], pinned_images.read(adopted.get(good[name]))
            planned = planned.but(stray=True, rollback_task_definition=there, rollback_digests=digests)
        found[name] = planned
    return found


def _job(
    job: Job,
    deployment: Deployment,
    adopted: Mapping[str, str],
    seen: SeenJob,
    images: Images,
    addresses: Mapping[str, str],
) -> PlannedJob:
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
        rollback_digests=pinned_images.read(adopted.get(target.task_definition)),
        skip="NotInRelease",
        containers=task_containers.assign(base, task_containers.uses(job), addresses).containers[job.component],
    )
    if digest is None:
        return found
    images.children(job.component, digest, runs_on(base))
    return found.but(digest=digest, image=images.uri(job.component, digest), skip=None)
