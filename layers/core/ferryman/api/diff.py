"""What deploying a release would change. Changes nothing, and requests no approval.

For people who are about to deploy or to approve: images, fields of task definitions, migrations, tags, and what stands
in the way.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ferryman.api import diff_fields as fields
from ferryman.api.context import Context
from ferryman.api.diff_fields import FieldChange
from ferryman.api.diff_migrations import Database, under_way
from ferryman.api.http import HttpError, Request
from ferryman.api.read import place, source_of
from ferryman.api.views.live_services import Definitions
from ferryman.clients import task_containers, task_definitions
from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.promotion_gate import gate
from ferryman.decisions.requests.common import find
from ferryman.decisions.schema_compatibility import Since, brings
from ferryman.decisions.snapshot import ImageScan
from ferryman.platform import Environment, Platform, Service
from ferryman.platform.environments import Job
from ferryman.platform.tags import current_tag
from ferryman.records import Deployment, EnvironmentState, Record, Release, step_keys
from ferryman.text import listed, person

Direction = Literal["first", "deploy", "rollback", "same"]


class ComponentChange(Record):
    """The image of one component, before and after; None: there is none, and what runs does not change."""

    component: str
    before: str | None
    after: str | None
    changed: bool


class ServiceChange(Record):
    """One service or job: the fields of its task definition that would change."""

    service: str
    """A job is called `job/<name>`."""
    component: str
    task_definition: str | None
    """`family:revision` that it runs."""
    fields: list[FieldChange]
    note: str = ""
    """Why the change is unknown, or why there is none."""
    containers: list[str] = Field(default_factory=list)
    """Those that would get an image of the release."""


class Migrations(Record):
    """What it means for the database."""

    status: Literal["None", "Known", "Untold", "Unclear"]
    ids: list[str]
    """For a deployment: those that would run. For a rollback: those that the release does not contain."""
    unsafe: list[str]
    """Those after which an older release can't run."""
    message: str


class Obstacle(Record):
    """Something that would prevent the deployment now."""

    reason: str
    message: str


class Difference(Record):
    """Everything that `ferryman diff` shows."""

    platform: str
    environment: str
    release: str
    names: list[str]
    runs: str | None
    direction: Direction
    changes: bool
    """Whether an image or a field would change."""
    components: list[ComponentChange]
    services: list[ServiceChange]
    jobs: list[ServiceChange]
    migrations: Migrations
    """Of all databases; ids have the form `<migration>/<id>` where migrations have names."""
    databases: dict[str, Migrations]
    """Named migration → what it means for its database."""
    moving_tags: list[str]
    """Tags that would point at its images."""
    approvers: list[str]
    """Who would be asked to approve; empty: nobody."""
    required: int
    obstacles: list[Obstacle]
    unread: list[str]
    """What could not be read, and why."""


def diff(operator: Context, request: Request) -> dict[str, Any]:
    """Compare what runs with a release (`?release=`: version, its beginning, or a semver name)."""
    platform, env = place(operator, request)
    wanted = request.query.get("release", "").strip()
    if not wanted:
        raise HttpError(400, "BadRequest", "query parameter release is missing: give the release to compare with")
    releases = operator.store.releases(platform.name)
    release, environment = find(releases, wanted, platform), platform.environment(env)
    state, now = operator.store.state(platform.name, env), operator.clock()
    active = under_way(operator, state)
    runs = next((item for item in releases if state.current and item.version == state.current.version), None)
    direction = _direction(state, runs, release)
    database = Database(operator, platform, env)
    found = _databases(environment, database, state, active, release, direction)
    migrations = _together(found)
    definitions, unread = operator.outside.task_definitions(platform, env)
    components = _components(platform, state, release)
    services = [_service(it, it.name, release, definitions.get(it.name)) for it in environment.services]
    named = [(step_keys.job(job.name), job) for job in environment.jobs]
    jobs = [_service(job, name, release, definitions.get(name)) for name, job in named]
    scans = operator.outside.scans(platform, env, release) if environment.scan is not None else None
    source = source_of(operator, platform, env)
    approval = environment.approval
    asks = approval is not None and (direction != "rollback" or approval.for_rollback)
    return Difference(
        platform=platform.name,
        environment=env,
        release=release.version,
        names=release.names,
        runs=state.current.version if state.current else None,
        direction=direction,
        changes=any(item.changed for item in components) or any(part.fields for part in [*services, *jobs]),
        components=components,
        services=services,
        jobs=jobs,
        migrations=migrations,
        databases={name: item for name, item in found.items() if name},
        moving_tags=[*environment.moving_tags, current_tag(env)],
        approvers=[person.name for person in approval.approvers] if approval and asks else [],
        required=approval.required if approval and asks else 0,
        obstacles=_obstacles(platform, state, active, release, direction, migrations, scans, source, now),
        unread=unread,
    ).dump()


def _direction(state: EnvironmentState, runs: Release | None, release: Release) -> Direction:
    if state.current is None:
        return "first"
    if state.current.version == release.version:
        return "same"
    return "rollback" if runs is not None and release.order < runs.order else "deploy"


def _components(platform: Platform, state: EnvironmentState, release: Release) -> list[ComponentChange]:
    now = state.current.digests if state.current else {}
    return [
        ComponentChange(
            component=name,
            before=now.get(name),
            after=release.digests.get(name),
            changed=name in release.digests and now.get(name) != release.digests[name],
        )
        for name in platform.spec.components
    ]


def _service(service: Service | Job, name: str, release: Release, found: Definitions | None) -> ServiceChange:
    """Compare what a service or job runs with what `update_service` would make for it."""
    live = found.live if found else None
    revision = str(live["taskDefinitionArn"]).rsplit("/", 1)[-1] if live else None
    made = ServiceChange(
        service=name, component=service.component, task_definition=revision, fields=[]
    )  # fmt: skip
    if not any(component in release.digests for component in service.components):
        return made.but(note=f"unchanged: the release has no image of {listed(service.components)}")
    if found is None or found.base is None or any(name not in found.addresses for name in service.components):
        return made.but(note="unknown: its base task definition or its repository cannot be read")
    assigned = task_containers.assign(found.base, task_containers.uses(service), found.addresses)
    if assigned.problems:
        return made.but(note=f"unknown: {assigned.problems[0][1]}")
    changed = {
        container: f"{found.addresses[component]}@{release.digests[component]}"
        for component, containers in assigned.containers.items()
        if component in release.digests
        for container in containers
    }
    missing = [name for name in service.components if name not in release.digests]
    kept = task_definitions.images_of(live) if live else {}
    images = {name: kept[name] for one in missing for name in assigned.containers[one] if name in kept} | changed
    note = f"the release has no image of {', '.join(missing)}: it stays as it is" if missing else ""
    wanted = task_definitions.with_images(found.base, images)
    return made.but(fields=fields.changes(live, wanted), containers=list(changed), note=note)


def _databases(
    environment: Environment,
    database: Database,
    state: EnvironmentState,
    active: Deployment | None,
    release: Release,
    direction: Direction,
) -> dict[str, Migrations]:
    """Return name of the migration → what deploying the release means for its database."""
    if direction == "rollback":
        found = {schema.name: schema.since for schema in database.schemas(state, active, release)}
    else:
        found = {}
        for name in environment.every_migration:
            pair = database.compare(state, active, release, name)
            found[name] = brings(*pair) if pair else Since("Known", message="no migrations would run")
    return {
        name: Migrations(status=item.status, ids=item.migrations, unsafe=item.unsafe, message=item.message)
        for name, item in found.items()
    }


_WORST = ("Unclear", "Untold", "Known")


def _together(databases: dict[str, Migrations]) -> Migrations:
    """Return one answer for all databases: the least certain status, with the migration's name before each id."""
    if not databases:
        return Migrations(status="None", ids=[], unsafe=[], message="the document defines no database migration")
    if "" in databases:
        return databases[""]
    return Migrations(
        status=min((item.status for item in databases.values()), key=_WORST.index),
        ids=[f"{name}/{id}" for name, item in databases.items() for id in item.ids],
        unsafe=[f"{name}/{id}" for name, item in databases.items() for id in item.unsafe],
        message="; ".join(f"{name}: {item.message}" for name, item in databases.items()),
    )


def _obstacles(
    platform: Platform,
    state: EnvironmentState,
    active: Deployment | None,
    release: Release,
    direction: Direction,
    migrations: Migrations,
    scans: tuple[ImageScan, ...] | None,
    source: EnvironmentState | None,
    now: datetime,
) -> list[Obstacle]:
    env = state.environment
    environment, found = platform.environment(env), []
    if not release.complete:
        found.append(Obstacle(reason=str(release.status), message=f"{release.version} is missing images"))
    if active is not None:
        message = f"deployment {active.id} of {active.version} is {active.phase}"
        found.append(Obstacle(reason="UnderWay", message=message))
    if direction == "rollback":
        if migrations.unsafe or migrations.status == "Unclear":
            found.append(Obstacle(reason="SchemaMismatch", message=migrations.message))
        return found
    waiver = state.waivers.get(release.version)
    waits = None
    if direction != "same":
        waits = gate(env, environment, release, now, source=source, scans=scans, waiver=waiver)
    if waits is not None:
        found.append(Obstacle(reason=waits.reason, message=waits.message))
    freeze = frozen(environment, state, now)
    if freeze is not None:
        found.append(Obstacle(reason="Frozen", message=freeze.message))
    if state.hold is not None:
        found.append(
            Obstacle(
                reason="Held", message=f"put on hold{state.hold.end} by {person(state.hold.who)}: {state.hold.reason}"
            )
        )
    if "manual" not in environment.triggers:
        message = f"manual deployments are not allowed: the triggers of {env} are {', '.join(environment.triggers)}"
        found.append(Obstacle(reason="NoManualTrigger", message=message))
    return found
