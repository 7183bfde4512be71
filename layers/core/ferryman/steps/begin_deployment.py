"""Step begin_deployment: check the claim, verify the ECS side, freeze the plan."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from ferryman.clients import ecs as ecs_edge
from ferryman.clients import image_labels, task_containers, task_definitions
from ferryman.clients.aws_types import ECRClient, ECSClient, MakeClient, TaskDefinition
from ferryman.clients.ssm import References
from ferryman.contracts import (
    ASKS_FOR_APPROVAL,
    LOOPS_OVER_MIGRATIONS,
    BeginDeploymentInput,
    BeginDeploymentOutput,
    PlannedWave,
)
from ferryman.decisions import pinned_images
from ferryman.decisions.approval_needed import needs_approval
from ferryman.errors import DigestMismatch, MachineTooOld, NotFound, VerificationFailed
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.platform import Environment, Platform, Service, SmokeTest, Wave, parse
from ferryman.platform.claims import Part
from ferryman.records import (
    Deployment,
    EnvironmentState,
    EventType,
    Plan,
    PlannedCheck,
    PlannedImage,
    PlannedJob,
    PlannedService,
    PlannedTag,
    Step,
    StepStatus,
    step_keys,
)
from ferryman.steps import ownership, plan_images, plan_migration, verify
from ferryman.steps.plan_images import Images
from ferryman.store import capacity, deployments
from ferryman.store.table import Store


def begin(
    event: BeginDeploymentInput,
    *,
    store: Store,
    ecs: ECSClient,
    ecr: ECRClient,
    download: image_labels.Download,
    references: References,
    client: MakeClient,
    clock: Clock,
    new_id: NewId,
) -> BeginDeploymentOutput:
    """Freeze the plan, once: a second run returns the first one's. `download` gets an image's configuration, `client`
    makes the clients that only jobs need.

    Raise VerificationFailed or ReferenceUnresolved when the ECS side is not what the document says, DigestMismatch when
    an image of the release is gone, ClaimLost when another deployment owns the environment, MachineTooOld when the
    execution's state machine can't run every migration.
    """
    deployment = store.deployment(event.platform, event.environment, event.deployment)
    if deployment.abort is not None:
        return BeginDeploymentOutput(verdict="Aborted")
    plan = deployment.plan
    if plan is None:
        applied = store.platform(event.platform)
        document = parse(applied.document)
        state = store.state(event.platform, event.environment)
        images = Images(document, ecr, download)
        standing = ownership.Standing.of(store, applied, event.environment, clock())
        plan, part = freeze(
            document, applied.generation, deployment, state,
            migrating=partial(plan_migration.migrating, deployment, state, store),
            ecs=ecs, images=images, references=references, client=client, standing=standing, store=store,
        )  # fmt: skip
        _refuse_what_the_machine_skips(plan, deployment, event.capabilities)
        if plan.approval:
            # Imported here: nobody is asked in most environments.
            from ferryman.steps.gate_values import refuse_moved

            refuse_moved(document, applied.references, event.environment, references)
        frozen = plan
        at = clock()

        def change(before: Deployment) -> Deployment | None:
            if before.plan is not None:
                return None
            step = Step(status=StepStatus.SUCCEEDED, reason="Planned", started_at=at, ended_at=clock())
            after = before.but(
                plan=frozen, started_at=before.started_at or at, steps={**before.steps, step_keys.BEGIN: step}
            )  # fmt: skip
            # One item where it has room to the end: the operator's version before knows nothing else.
            return after if capacity.fits(after) else deployments.split(after)

        message = f"began {deployment.version}: {_shape(deployment, plan)}"
        stored = store.update_deployment(
            event,
            change,
            lambda after: [
                timeline.event(after, EventType.STARTED, message, at=at, new_id=new_id, step=step_keys.BEGIN),
                *standing.writes(part, at),
            ],
        )
        plan = stored.plan or plan
    waves = [PlannedWave(services=names) for names in plan.waves]
    _refuse_what_the_machine_skips(plan, deployment, event.capabilities)
    names = [task.name for task in plan.every_migration]
    return BeginDeploymentOutput(verdict="Planned", waves=waves, approval=plan.approval, migrations=names or [""])


def _refuse_what_the_machine_skips(plan: Plan, deployment: Deployment, capabilities: list[str]) -> None:
    """Raise MachineTooOld for named migrations on a machine that runs only the one without a name, and for a database
    command that needs approval on a machine that does not ask.

    An execution keeps the state machine that it began with, while its Lambdas are updated under it.
    """
    names = [task.name for task in plan.named_migrations]
    if names and LOOPS_OVER_MIGRATIONS not in capabilities:
        raise MachineTooOld(
            f"this execution began before the operator was updated, and its state machine can't run the migrations "
            f"{', '.join(names)}; nothing was changed"
        )
    if plan.approval and deployment.kind == "migrate" and ASKS_FOR_APPROVAL not in capabilities:
        raise MachineTooOld(
            "this execution began before the operator was updated, and its state machine can't ask for the approval "
            "that a database command needs; nothing was changed. Run the command again"
        )


def freeze(
    document: Platform,
    generation: int,
    deployment: Deployment,
    state: EnvironmentState,
    *,
    migrating: plan_migration.Migrating,
    ecs: ECSClient,
    images: Images,
    references: References,
    client: MakeClient,
    standing: ownership.Standing,
    store: Store,
) -> tuple[Plan, Part]:
    """Read AWS and the document; return what this deployment will do, and what the environment claims now.

    `migrating` gives the digests of the release whose image is to work on the database of a migration, `standing` what
    belongs to others.
    """
    try:
        environment = document.environment(deployment.environment)
    except KeyError:
        raise NotFound(f"platform {document.name} no longer has an environment {deployment.environment!r}") from None
    at = f"spec.environments.{deployment.environment}"
    addresses = images.addresses(_components(environment))
    seen = verify.survey(
        environment, ecs=ecs, references=references, client=client, at=at, addresses=addresses
    )  # fmt: skip
    about = _commands_places(environment, deployment, at)
    claimed = ownership.of_environment(environment, seen, at)
    part = replace(claimed, claims=tuple(one for one in claimed.claims if about is None or one.path.startswith(about)))
    for problems, why in (
        (verify.judge_all(environment, seen, at=at), "ECS does not match the document"),
        (standing.problems(part), "the document names what belongs to others"),
    ):
        found = [f"{path}: {text}" for path, text in problems if about is None or path.startswith(about)]
        if found:
            raise VerificationFailed(f"{why}: {'; '.join(found)}")
    repositories = {name: component.repository for name, component in document.spec.components.items()}
    tasks = plan_migration.planned(environment, deployment, migrating, seen, images)
    migration = next((task for task in tasks if not task.name), None)
    told = plan_migration.labels(environment, "", deployment, migration, seen, images)
    plan = Plan(
        generation=generation,
        cluster=seen.cluster,
        waves=[],
        services={},
        migration=migration,
        named_migrations=[task for task in tasks if task.name],
        repositories=repositories,
        migrations=told.migrations,
        unsafe_migrations=told.unsafe,
        on_failure=environment.on_failure,
        approval=needs_approval(environment, deployment),
    )
    if deployment.kind == "migrate":
        return plan, part
    adopted = store.adopted_images(deployment.platform, deployment.environment)
    services = {
        service.name: _service(service, deployment, state, adopted, seen, images, ecs).but(
            proceed_when=wave.proceed_when
        )
        for wave in environment.waves
        for service in wave.services
    }
    frozen = plan.but(
        waves=[_names(wave) for wave in environment.waves],
        services=services,
        jobs=_jobs(environment, deployment, state, adopted, seen, images),
        checks=[_check(check, deployment.version, references) for check in environment.smoke_tests],
        promotions=_promotions(environment, deployment, repositories),
        semver=deployment.tag,
    )
    if frozen.approval:
        # Imported here: nobody is asked in most environments.
        from ferryman.steps import plan_changes

        frozen = plan_changes.explained(frozen, deployment, seen, state, ecs=ecs, store=store)
    return frozen, part


def _commands_places(environment: Environment, deployment: Deployment, at: str) -> tuple[str, ...] | None:
    """Return where problems matter to a database command, which depends on nothing else; None: everywhere."""
    if deployment.kind != "migrate":
        return None
    known = deployment.migration in environment.every_migration
    path = environment.migration_path(deployment.migration) if known else "migration"
    return (f"{at}.{path}.", f"{at}.cluster")


def _shape(deployment: Deployment, plan: Plan) -> str:
    if deployment.kind == "migrate":
        return f"database command {f'{deployment.migration} ' if deployment.migration else ''}{deployment.command}"
    jobs = f" and {len(plan.jobs)} {'job' if len(plan.jobs) == 1 else 'jobs'}" if plan.jobs else ""
    return f"{len(plan.services)} services{jobs} in {len(plan.waves)} waves"


def _names(wave: Wave) -> list[str]:
    return [*(service.name for service in wave.services), *(step_keys.job(job.name) for job in wave.jobs)]


def _jobs(
    environment: Environment,
    deployment: Deployment,
    state: EnvironmentState,
    adopted: Mapping[str, str],
    seen: verify.Survey,
    images: Images,
) -> dict[str, PlannedJob]:
    if not environment.jobs:
        return {}
    # Imported here: most environments have no jobs.
    from ferryman.steps import plan_jobs

    return plan_jobs.planned(environment, deployment, state, adopted, seen.jobs, images, seen.addresses)


def _promotions(environment: Environment, deployment: Deployment, repositories: dict[str, str]) -> list[PlannedTag]:
    """The tags that an environment which promotes sets before it deploys; elsewhere they follow what runs.

    See docs/reference/reconcile-rules.md#rule-9-moving-tags.
    """
    if environment.promote_from is None or deployment.kind == "migrate":
        return []
    return [
        PlannedTag(component=component, repository=repositories[component], digest=digest, tag=tag)
        for component, digest in sorted(deployment.digests.items())
        if component in repositories
        for tag in environment.moving_tags
    ]


def _components(environment: Environment) -> list[str]:
    """Return the components that the environment's task definitions hold images of, as the document says."""
    named = [name for service in environment.services for name in service.components]
    named += [job.component for job in environment.jobs]
    return list(dict.fromkeys([*named, *(migration.component for migration in environment.every_migration.values())]))


def _service(
    service: Service,
    deployment: Deployment,
    state: EnvironmentState,
    adopted: Mapping[str, str],
    seen: verify.Survey,
    images: Images,
    ecs: ECSClient,
) -> PlannedService:
    live, base = seen.services[service.name], seen.bases[service.name]
    digest = deployment.digests.get(service.component)
    target = state.last_succeeded.task_definitions.get(service.name) if state.last_succeeded else None
    containers = task_containers.assign(base, task_containers.uses(service), seen.addresses).containers
    rollback = pinned_images.read(adopted.get(target or ""))
    planned = PlannedService(
        name=service.name,
        arn=live["serviceArn"],
        component=service.component,
        container=service.container_name,
        digest="",
        platform_digest="",
        image="",
        base_task_definition=base["taskDefinitionArn"],
        rollback_task_definition=target,
        rollback_digests=rollback,
        rollback_children=_children(rollback, containers, base, images),
        timeout_seconds=int(service.timeout.total_seconds()),
        fail_fast=service.fail_fast,
        skip="NotInRelease",
        containers=containers[service.component],
        # Not by what runs: a stale read shows it as it was before that deployment. Nor by how many tasks it has: once
        # it is scaled up, it runs what it was left on.
        stray=state.astray and target is not None,
    )
    if not any(component in deployment.digests for component in service.components):
        return planned
    additional = [
        image
        for component in service.components
        if component != service.component or digest is None
        for image in _additional(
            component, containers[component], deployment, base, live["taskDefinition"], images, ecs
        )
    ]  # fmt: skip
    planned = planned.but(skip="ScaledToZero" if live.get("desiredCount") == 0 else None, additional=additional)
    if digest is None:
        # Its containers may run several images: each keeps its own, and none proves that the release runs.
        return planned.but(containers=[])
    children = images.children(service.component, digest, plan_images.runs_on(base))
    return planned.but(
        digest=digest,
        platform_digest=children[0],
        platform_digests=children if len(children) > 1 else [],
        image=images.uri(service.component, digest),
    )


def _children(
    rollback: Mapping[str, str], containers: Mapping[str, list[str]], base: TaskDefinition, images: Images
) -> list[str]:
    """Return what a task may pull of the images that a way back goes to; none of one that is gone."""
    found: set[str] = set()
    for component, names in containers.items():
        for digest in {rollback[name] for name in names if name in rollback}:
            with suppress(DigestMismatch):
                found.update(images.children(component, digest, plan_images.runs_on(base)))
    return sorted(found - set(rollback.values()))


def _additional(
    component: str,
    containers: list[str],
    deployment: Deployment,
    base: TaskDefinition,
    live: str,
    images: Images,
    ecs: ECSClient,
) -> list[PlannedImage]:
    """Return what the containers of a component get: the release's image, or else what they run now."""
    digest = deployment.digests.get(component)
    if digest is None:
        running = task_definitions.images_of(ecs_edge.task_definition(ecs, live))
        return [
            PlannedImage(component=component, containers=[name], image=running[name])
            for name in containers
            if name in running
        ]
    children = images.children(component, digest, plan_images.runs_on(base))
    return [
        PlannedImage(
            component=component,
            containers=containers,
            image=images.uri(component, digest),
            digest=digest,
            platform_digest=children[0],
            platform_digests=children if len(children) > 1 else [],
        )
    ]


def _check(check: SmokeTest, version: str, references: References) -> PlannedCheck:
    return PlannedCheck(
        name=check.name,
        url=references.text(check.url).rstrip("/") + check.path,
        headers={name: references.text(value) for name, value in check.headers.items()},
        allow_http=check.allow_http,
        status=check.expect.status,
        expect_headers={name: _filled(value, version) for name, value in check.expect.headers.items()},
        expect_json={path: _filled(value, version) for path, value in check.expect.json_fields.items()},
        expect_body=_filled(check.expect.body, version),
        attempts=check.attempts,
        delay_seconds=int(check.delay.total_seconds()),
        timeout_seconds=int(check.timeout.total_seconds()),
    )


def _filled(value: Any, version: str) -> Any:
    return value.replace("{release}", version) if isinstance(value, str) else value
