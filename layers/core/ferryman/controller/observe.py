"""Read everything about one environment for `decisions.decide`. Changes nothing; called by reconcile."""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from ferryman.clients import ecr as ecr_edge
from ferryman.clients import ecs as ecs_edge
from ferryman.clients import image_scans, stepfunctions
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECRClient, ECSClient, ECSService, MakeClient, StepFunctionsClient
from ferryman.clients.image_index import RunsOn
from ferryman.clients.ssm import References
from ferryman.controller.shared_reads import SharedReads
from ferryman.decisions import candidates, old_tasks
from ferryman.decisions.snapshot import Drift, Execution, ImageScan, LiveService, Snapshot, TagSetting
from ferryman.errors import ReferenceUnresolved, TransientError
from ferryman.ids import Clock
from ferryman.platform import Environment, Platform
from ferryman.records import Deployment, EnvironmentState, Phase, Release, step_keys
from ferryman.releases import moving_tags, relevant
from ferryman.store.table import Store

HISTORY = 30
"""How many attempts are read, with all that was skipped since: enough to know what became of every release."""

_LOG = logging.getLogger("ferryman")


@dataclass(frozen=True)
class Sources:
    """Where reconcile looks."""

    store: Store
    states: StepFunctionsClient
    ecr: ECRClient
    ecs: ECSClient
    references: References
    client: MakeClient
    """Makes the clients that only jobs need."""
    mutation_timeout: timedelta
    clock: Clock
    shared: SharedReads
    """What the looks of one sweep read alike."""

    def anew(self) -> "Sources":
        """Return the same sources, with nothing that was read before."""
        shared = self.shared.anew()
        return replace(self, shared=shared, references=shared.references)


def view(
    sources: Sources, document: Platform, generation: int, name: str, *, swept: bool, started: str | None = None
) -> Snapshot:
    """Read everything about an environment.

    `swept`: look at ECS and the moving tags too. `started`: name of an execution that was started a moment ago and may
    not be listed yet.
    """
    environment = document.environment(name)
    state = sources.store.state(document.name, name)
    deployments, complete = sources.store.attempts_at(document.name, name, limit=HISTORY, since=state.began_at)
    seen = Snapshot(
        platform=document.name,
        name=name,
        environment=environment,
        generation=generation,
        state=state,
        deployments=tuple(deployments),
        complete_history=complete,
        mutation_timeout=sources.mutation_timeout,
        swept=swept,
    )
    seen = relevant.with_releases(seen, sources.store, sources.clock())
    if environment.promote_from is not None:
        seen = replace(seen, source=sources.store.state(document.name, environment.promote_from))
    if state.active is not None:
        seen = _with_execution(seen, sources, started)
        # What is on its way is not overtaken; what waits for approval may be.
        undecided = seen.approval is not None and seen.approval.status == "Pending"
        if swept and undecided:
            # Nothing of it has changed a service yet: whoever decides wants to know how what runs is.
            seen = replace(seen, services=_services(sources, environment, seen))
        return _with_scans(seen, sources, document) if undecided else seen
    seen = _with_scans(seen, sources, document)
    if swept or _just_ended(deployments, state):
        return _with_aws(seen, sources, document, environment)
    return seen


def _with_execution(seen: Snapshot, sources: Sources, started: str | None) -> Snapshot:
    active = seen.state.active
    assert active is not None
    deployment = sources.store.deployment(seen.platform, seen.name, active.deployment)
    arn = active.execution_arn or ""
    execution, ended_at = stepfunctions.describe(sources.states, arn)
    if execution is Execution.MISSING and active.execution_name == started:
        execution = Execution.RUNNING
    waits = deployment.phase is Phase.AWAITING_APPROVAL
    return replace(
        seen,
        deployment=deployment,
        approval=sources.store.approval(deployment.id) if waits else None,
        execution=execution,
        execution_ended_at=ended_at,
    )


def _with_scans(seen: Snapshot, sources: Sources, document: Platform) -> Snapshot:
    """Look at the scans of those releases that nothing else keeps back; a way back waits for no scan."""
    if seen.state.requested is not None and seen.state.requested.kind == "rollback":
        return seen
    wanted = candidates.to_scan(seen, sources.clock())
    found = {release.version: _scans(seen, release, sources, document) for release in wanted}
    return replace(seen, scans=found) if found else seen


def _scans(seen: Snapshot, release: Release, sources: Sources, document: Platform) -> tuple[ImageScan, ...]:
    """Look at one release; a look that fails keeps that release back for now, and nothing else."""

    def platforms(component: str) -> frozenset[RunsOn]:
        # Needed only where the document asks for scans, and by an index with several images.
        from ferryman.steps import plan_images

        return plan_images.platforms(seen.environment, component, sources.ecs, sources.references, sources.client)

    try:
        return image_scans.of_release(document, release, sources.ecr, platforms=platforms)
    except (Refusal, TransientError) as error:
        _LOG.error(
            "could not read the image scans of %s: %s",
            release.version, error, extra={"platform": seen.platform, "environment": seen.name},
        )  # fmt: skip
        said = "for details, see the log of reconcile; it will be retried"
        return tuple(ImageScan(component, "Unread", message=said) for component in release.components)


def _with_aws(seen: Snapshot, sources: Sources, document: Platform, environment: Environment) -> Snapshot:
    settings = moving_tags.wanted(seen.name, environment, seen.state)
    found = _drift(sources, document, environment, seen)
    if found is None:
        return replace(seen, wrong_tags=_wrong_tags(sources, document, settings, seen))
    drift, services = found
    seen = replace(seen, drift=drift, services=_live(environment, services))
    if drift.replacing:
        seen = replace(seen, deployments=_with_last_succeeded(sources.store, seen))
        protected = _protected(sources, [services[name] for name in old_tasks.left(seen) if name in services])
        seen = replace(seen, drift=replace(drift, protected=protected))
    return replace(seen, wrong_tags=_wrong_tags(sources, document, settings, seen))


def _protected(sources: Sources, services: list[ECSService]) -> dict[str, str]:
    """Say of services whose old tasks remain which of these are protected from scale-in."""
    if not services:
        return {}
    # Needed only while old tasks remain.
    from ferryman.clients import task_protection
    from ferryman.decisions.scale_in_protection import in_words

    return {
        service["serviceName"]: in_words(task_protection.of_old_tasks(sources.ecs, service)) for service in services
    }


def _with_last_succeeded(store: Store, seen: Snapshot) -> tuple[Deployment, ...]:
    """Return the deployments, with all steps of the one that made what runs: they tell whose old tasks drain."""
    target = seen.state.last_succeeded
    return tuple(store.whole(item) if target and item.id == target.deployment else item for item in seen.deployments)


def _wrong_tags(
    sources: Sources, document: Platform, settings: list[TagSetting], seen: Snapshot
) -> tuple[TagSetting, ...]:
    """Look where the moving tags point; they are derived state, so a refused look stops nothing.

    In a sweep by the listings that it shares: whoever sets a tag looks at it again first.
    """
    resolve = sources.shared.digest if seen.swept else partial(ecr_edge.resolve, sources.ecr)
    try:
        return moving_tags.wrong(document, settings, resolve)
    except Refusal as error:
        _LOG.error(
            "could not look for moving tags: %s", error, extra={"platform": seen.platform, "environment": seen.name}
        )
        return ()


def _just_ended(deployments: list[Deployment], state: EnvironmentState) -> bool:
    latest = next((item for item in deployments if item.phase.terminal and item.phase is not Phase.SUPERSEDED), None)
    return latest is not None and latest.id != state.tagged


Live = dict[str, LiveService | None]


def _services(sources: Sources, environment: Environment, seen: Snapshot) -> Live | None:
    """Look how the services are; None when ECS does not answer, or refuses."""
    try:
        cluster = sources.references.text(environment.cluster)
        return _live(environment, _described(sources, environment, cluster))
    except (ReferenceUnresolved, Refusal, TransientError) as error:
        _LOG.warning(
            "could not look at services: %s", error, extra={"platform": seen.platform, "environment": seen.name}
        )  # fmt: skip
        return None


def _described(sources: Sources, environment: Environment, cluster: str) -> dict[str, ECSService]:
    return ecs_edge.services(sources.ecs, cluster, [service.name for service in environment.services])


def _live(environment: Environment, found: dict[str, ECSService]) -> Live:
    active = {name: _live_service(raw) for name, raw in found.items() if raw.get("status") == "ACTIVE"}
    return {service.name: active.get(service.name) for service in environment.services}


def _live_service(service: ECSService) -> LiveService:
    """Return how many tasks a described service has, and how its rollout stands."""
    found, listed = ecs_edge.primary(service), service.get("deployments", [])
    return LiveService(
        desired=service.get("desiredCount", 0),
        running=sum(item.get("runningCount", 0) for item in listed),
        pending=sum(item.get("pendingCount", 0) for item in listed),
        rollout=found.get("rolloutState", "") if found else "",
        failed=found.get("failedTasks", 0) if found else 0,
    )


def _drift(
    sources: Sources, document: Platform, environment: Environment, seen: Snapshot
) -> tuple[Drift, dict[str, ECSService]] | None:
    """Look at what ECS runs; a look that fails is only a look: the deployment's own checks refuse with the reason.

    Return the services as described, too: nothing is described twice in one look.
    """
    try:
        cluster = sources.references.text(environment.cluster)
        services = _described(sources, environment, cluster)
        bases = {
            service.name: _definition(sources, service.base_task_definition, seen.swept)
            for service in environment.services
            if service.base_task_definition
        }
        jobs, of_jobs = _jobs(sources, environment, seen.swept)
    except (ReferenceUnresolved, Refusal) as error:
        _LOG.warning(
            "could not look for drift: %s", error, extra={"platform": seen.platform, "environment": seen.name}
        )  # fmt: skip
        return None
    active = {name: raw["taskDefinition"] for name, raw in services.items() if raw.get("status") == "ACTIVE"}
    live = {service.name: active.get(service.name) for service in environment.services}
    # Needed only in a sweep, and after a deployment has ended.
    from ferryman.controller import live_images

    # What is scaled to zero runs nothing.
    running = {name: arn for name, arn in active.items() if services[name].get("desiredCount") != 0}
    drift = Drift(
        live={**live, **jobs},
        bases={name: arn for name, arn in {**bases, **of_jobs}.items() if arn},
        images=live_images.differing(
            document,
            environment,
            running,
            sources.ecs,
            sources.ecr,
            sources.shared.address if seen.swept else None,
        ),
        replacing=frozenset(name for name, raw in services.items() if ecs_edge.replaced(raw)),
    )
    return drift, services


def _jobs(
    sources: Sources, environment: Environment, swept: bool
) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Return what each job's target names now (None: it is gone), and the base that the document names, by `job/…`."""
    if not environment.jobs:
        return {}, {}
    # Imported here: most environments have no jobs.
    from ferryman.clients import job_targets

    live: dict[str, str | None] = {}
    for job in environment.jobs:
        found = job_targets.find(sources.client, job_targets.place_of(job))
        live[step_keys.job(job.name)] = found.task_definition or None if found is not None else None
    bases = {
        step_keys.job(job.name): _definition(sources, job.base_task_definition, swept)
        for job in environment.jobs
        if job.base_task_definition
    }
    return live, bases


def _definition(sources: Sources, value: str, swept: bool) -> str | None:
    """Return the revision that a base names; a bare family stands for its latest revision."""
    name = sources.references.text(value)
    if ":" in name.rsplit("/", 1)[-1]:
        return name
    if swept:
        return sources.shared.latest_revision(name)
    found = ecs_edge.find_task_definition(sources.ecs, name)
    return str(found["taskDefinitionArn"]) if found else None
