"""What a deployment does to its databases: which image runs which command. Called by `steps.begin_deployment`."""

import logging
from collections.abc import Callable
from itertools import accumulate

from ferryman.clients import image_labels, task_containers
from ferryman.decisions import migration_attempts
from ferryman.errors import VerificationFailed
from ferryman.platform import Environment, Migration
from ferryman.records import Deployment, EnvironmentState, PlannedMigration
from ferryman.steps import verify
from ferryman.steps.plan_images import Images, runs_on
from ferryman.store.table import Store

_LOG = logging.getLogger("ferryman")

Migrating = Callable[[str], dict[str, str]]
"""Name of a migration → digests of the release whose image works on its database."""

_CHARACTERS = 30_000
"""The most characters of all lists of ids of named migrations together, twice: a plan is stored in one item. What an
image lists beyond its share is not known to the plan; `rollback` and `diff` read the image itself."""


def migrating(deployment: Deployment, state: EnvironmentState, store: Store, name: str) -> dict[str, str]:
    """Return the digests of the release whose image works on the database of a migration.

    A deployment migrates with its own. `down` and `current` take the one whose migrations the database has: only that
    knows them all. Usually it is what runs, but a release that was rolled back left its migrations behind.
    """
    if deployment.command is None:
        return deployment.digests
    runs = state.current.digests if state.current else {}
    if deployment.command == "up":
        return runs
    last = migration_attempts.last_migrated(store.migrations(deployment.platform, deployment.environment), name)
    release = store.release(deployment.platform, last) if last else None
    return release.digests if release else runs


def planned(
    environment: Environment, deployment: Deployment, digests: Migrating, seen: verify.Survey, images: Images
) -> list[PlannedMigration]:
    """Return the one-off tasks of a deployment, in the order in which they run; on the way back the last comes first.

    Raise VerificationFailed when a person asked for a command that can't be run (any more).
    """
    # Going backwards never migrates up; a release without the component has nothing to migrate with.
    if deployment.kind == "rollback" and deployment.command is None:
        return []
    names = _concerned(environment, deployment)
    tasks = [_task(environment, name, deployment, digests(name), seen, images) for name in names]
    return [task for task in tasks if task is not None]


def _concerned(environment: Environment, deployment: Deployment) -> list[str]:
    """Return the names of the migrations that a deployment is about. Raise VerificationFailed for unknown ones."""
    names, env = list(environment.every_migration), deployment.environment
    if deployment.command is None:
        return names
    asked = [deployment.migration] if deployment.kind == "migrate" else list(deployment.revisions) or [""]
    gone = next((name for name in asked if name not in names), None)
    if gone is not None and not names:
        raise VerificationFailed(
            f"the document no longer has a migration for {env}, so `{deployment.command}` cannot run"
        )
    if gone is not None:
        which = f"migration {gone}" if gone else "migration without a name"
        raise VerificationFailed(
            f"the document no longer has a {which} for {env}, so `{deployment.command}` cannot run; ask for it again "
            f"with one of {', '.join(name or '(no name)' for name in names)}"
        )
    ordered = [name for name in names if name in asked]
    return ordered[::-1] if deployment.command == "down" else ordered


def _task(
    environment: Environment,
    name: str,
    deployment: Deployment,
    digests: dict[str, str],
    seen: verify.Survey,
    images: Images,
) -> PlannedMigration | None:
    migration, read = environment.every_migration[name], seen.migrations[name]
    digest, command = digests.get(migration.component), _command(name, migration, deployment)
    if digest is None or command is None or read.base is None:
        if deployment.command is not None:
            raise VerificationFailed(_nothing_to_run(environment.migration_path(name), migration, deployment, digest))
        return None
    found = task_containers.assign(read.base, task_containers.uses(migration), seen.addresses)
    task = PlannedMigration(
        component=migration.component,
        container=migration.container_name,
        digest=digest,
        image=images.uri(migration.component, digest),
        base_task_definition=read.base["taskDefinitionArn"],
        command=command,
        timeout_seconds=int(migration.timeout.total_seconds()),
        subnets=read.subnets,
        security_groups=read.security_groups,
        assign_public_ip=migration.network.assign_public_ip,
        launch_type=migration.launch_type,
        containers=found.containers[migration.component],
        name=name,
    )
    if not name:
        return task
    told = labels(environment, name, deployment, task, seen, images)
    share = _CHARACTERS // len(environment.migrations)
    ids = told.migrations
    return task.but(
        migrations=ids if ids is None or _characters(ids) <= share else None,
        unsafe_migrations=_first(told.unsafe, share),
    )


def _characters(ids: list[str]) -> int:
    return sum(len(item) + 1 for item in ids)


def _first(ids: list[str], characters: int) -> list[str]:
    """Return as many ids, from the first one on, as there is room for."""
    ends = accumulate(len(item) + 1 for item in ids)
    return [item for item, end in zip(ids, ends, strict=True) if end <= characters]


def _command(name: str, migration: Migration, deployment: Deployment) -> list[str] | None:
    match deployment.command:
        case None | "up":
            return migration.command
        case "current":
            return migration.current
        case "down":
            words, revision = migration.downgrade, migration_attempts.revision_of(deployment, name)
            return [word.replace("{revision}", revision) for word in words] if words and revision else None


def _nothing_to_run(path: str, migration: Migration, deployment: Deployment, digest: str | None) -> str:
    env = deployment.environment
    if digest is None:
        return f"no release that runs in {env} has an image of {migration.component} to run `{deployment.command}` with"
    return f"the document defines no command for `{deployment.command}` in {env}; add {path}.downgrade or .current"


def labels(
    environment: Environment,
    name: str,
    deployment: Deployment,
    task: PlannedMigration | None,
    seen: verify.Survey,
    images: Images,
) -> image_labels.ImageLabels:
    """Return what the image of a planned task tells about its migrations; of a way back without one, its release's."""
    migration, read = environment.every_migration.get(name), seen.migrations.get(name)
    digest = deployment.digests.get(migration.component) if migration else None
    if migration is None or read is None or read.base is None or (task is None and digest is None):
        return image_labels.ImageLabels()
    found = images.labels(migration.component, task.digest if task else digest or "", runs_on(read.base))
    told = found.of_migration(name, alone=environment.migrates_alone(name))
    if told.reason:
        _LOG.warning("the migrations are unknown: %s", told.reason, extra={"deployment": deployment.id})
    return told
