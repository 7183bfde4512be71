"""Check that the targets of an environment's jobs match the document. Part of `steps.verify`.

`survey` reads, `judge` decides (pure), `step_problem` is the part that a job's step judges again before it writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ferryman.clients import ecs as ecs_edge
from ferryman.clients import job_targets, task_containers
from ferryman.clients.aws_errors import Refusal, code_of
from ferryman.clients.aws_types import ECSClient, MakeClient, TaskDefinition
from ferryman.clients.job_targets import JobTarget, place_of
from ferryman.clients.ssm import References
from ferryman.clients.task_definitions import images_of
from ferryman.decisions.image_address import same_repository
from ferryman.errors import ReferenceUnresolved
from ferryman.records import JobPlace

if TYPE_CHECKING:
    from ferryman.platform import Environment
    from ferryman.platform.environments import Job

Problem = tuple[str, str]

_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})


@dataclass(frozen=True)
class SeenJob:
    """What AWS says about one job."""

    target: JobTarget | None
    """None: there is no such schedule or rule."""
    live: TaskDefinition | None = None
    """The task definition that it runs."""
    base: TaskDefinition | None = None
    """The one that its next revision is made from."""


def survey(
    environment: "Environment",
    *,
    client: MakeClient,
    ecs: ECSClient,
    references: References,
    at: str,
    unresolved: list[Problem],
) -> dict[str, SeenJob]:
    """Read the target and the task definitions of each job; what can't be read is added to `unresolved`."""
    found: dict[str, SeenJob] = {}
    for path, job in places(environment):
        here = f"{at}.{path}"
        try:
            target = job_targets.find(client, place_of(job))
        except Refusal as error:
            if code_of(error) not in _DENIED:
                raise
            unresolved.append((here, _outside(place_of(job))))
            continue
        if target is None or not target.task_definition:
            found[job.name] = SeenJob(target)
            continue
        live, base = ecs_edge.find_task_definition(ecs, target.task_definition), None
        try:
            named = references.text(job.base_task_definition) if job.base_task_definition else None
            base = ecs_edge.find_task_definition(ecs, named) if named else live
            if named and base is None:
                unresolved.append((f"{here}.baseTaskDefinition", f"there is no task definition {named!r}"))
        except ReferenceUnresolved as error:
            unresolved.append((f"{here}.baseTaskDefinition", str(error)))
        found[job.name] = SeenJob(target, live, base)
    return found


def judge(
    environment: "Environment", seen: Mapping[str, SeenJob], cluster: str, addresses: Mapping[str, str], *, at: str
) -> list[Problem]:
    """Compare what was read with the document; `addresses` is component → `registry/repository`. Pure."""
    problems: list[Problem] = []
    for path, job in places(environment):
        if job.name in seen:
            found = _problems(job, seen[job.name], cluster, addresses)
            problems += [(f"{at}.{path}{field}", text) for field, text in found]
    return problems


def step_problem(place: JobPlace, target: JobTarget | None, cluster: str) -> str | None:
    """Say why a target can't be moved, now that it was read again; None when it can. Pure."""
    if target is None:
        return f"{described(place)} does not exist; create it again, or take the job out of the document"
    if target.managed_by:
        return f"{described(place)} is managed by {target.managed_by}, so its targets cannot be changed"
    if not target.task_definition:
        return _no_target(place, target)
    if not same_cluster(target.cluster, cluster):
        return (
            f"{described(place)} runs its task in cluster {_short(target.cluster)}, and the environment is "
            f"{_short(cluster)}; a job has to run in the environment's cluster"
        )
    return None


def described(place: JobPlace) -> str:
    """Return a schedule or rule in words. Pure."""
    if place.kind == "schedule":
        return f"schedule {place.group}/{place.name}"
    return f"rule {place.name}" if place.group == "default" else f"rule {place.name} of event bus {place.group}"


def same_cluster(one: str, other: str) -> bool:
    """Whether two names or ARNs are of one cluster. Pure."""
    return one == other or (not (one.startswith("arn:") and other.startswith("arn:")) and _short(one) == _short(other))


def places(environment: "Environment") -> "list[tuple[str, Job]]":
    """Return each job with its path in the environment. Pure."""
    return [(f"waves.{w}.jobs.{j}", job) for w, wave in enumerate(environment.waves) for j, job in enumerate(wave.jobs)]


def _problems(job: "Job", seen: SeenJob, cluster: str, addresses: Mapping[str, str]) -> list[Problem]:
    place, target = place_of(job), seen.target
    wrong = step_problem(place, target, cluster)
    if wrong is not None or target is None:
        return [("", wrong or "")]
    found: list[Problem] = []
    if target.deletes_itself:
        deleted = (
            f"{described(place)} is deleted after its last run (ActionAfterCompletion is DELETE), and later "
            "deployments would not find it; set ActionAfterCompletion to NONE, or take the job out of the document"
        )
        found.append((".schedule", deleted))
    if seen.live is None:
        gone = f"{described(place)} names task definition {_short(target.task_definition)}, which does not exist"
        return [*found, ("", gone)]
    if target.unpinned:
        family, revision = _short(target.task_definition), seen.live["revision"]
        unpinned = (
            f"{described(place)} runs the latest revision of {family}, so it would run a release before its wave, and "
            f"could not go back; set its TaskDefinitionArn to {family}:{revision} once, and let Terraform ignore later "
            "changes of it (docs/production.md)"
        )
        found.append(("", unpinned))
    if seen.base is not None:
        found += _of_containers(job, seen.base, seen.live, addresses)
    return found


def _of_containers(
    job: "Job", base: TaskDefinition, live: TaskDefinition, addresses: Mapping[str, str]
) -> list[Problem]:  # fmt: skip
    wanted = task_containers.uses(job)
    assigned = task_containers.assign(base, wanted, addresses)
    if assigned.problems:
        return [(f".{path}", text) for path, text in assigned.problems]
    address = addresses.get(job.component)
    if address is None:
        return []  # The repository is a problem of its own.
    now, then = images_of(live), images_of(base)
    images = [images.get(name, "") for images in (now, then) for name in assigned.containers[job.component]]
    if any(same_repository(image, address) for image in images):
        return []
    runs = f"container {job.container_name!r} of {_short(live['taskDefinitionArn'])} runs {now.get(job.container_name)}"
    return [(".component", f"{runs}, which is not from repository {address}; a job has to run its component's image")]


def _no_target(place: JobPlace, target: JobTarget) -> str:
    if place.kind == "schedule":
        return f"{described(place)} does not run an ECS task; name a schedule whose target has EcsParameters"
    listed = ", ".join(target.choices) or "none"
    if place.target:
        return f"{described(place)} has no ECS target {place.target!r}; it has: {listed}"
    if target.choices:
        return f"{described(place)} has several ECS targets ({listed}); name one of them with `target`"
    return f"{described(place)} has no ECS target; name a rule with a target that has EcsParameters"


def _outside(place: JobPlace) -> str:
    return (
        f"the operator has no permission for {described(place)}: add its ARN to the SSM parameter "
        "/ferryman/operator/job-arns and the ARN of its target's role to /ferryman/operator/job-role-arns, and deploy "
        "the operator again to update its policies"
    )


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
