"""What a deployment does to the database: which image runs which command. Called by `steps.begin_deployment`."""

import logging

from ferryman.clients import image_labels, task_containers
from ferryman.decisions import migration_attempts
from ferryman.errors import VerificationFailed
from ferryman.platform import Environment, Migration
from ferryman.records import Deployment, EnvironmentState, PlannedMigration
from ferryman.steps import verify
from ferryman.steps.plan_images import Images, runs_on
from ferryman.store.table import Store

_LOG = logging.getLogger("ferryman")


def migrating(deployment: Deployment, state: EnvironmentState, store: Store) -> dict[str, str]:
    """Return the digests of the release whose image works on the database.

    A deployment migrates with its own. `down` and `current` take the one whose migrations the database has: only that
    knows them all. Usually it is what runs, but a release that was rolled back left its migrations behind.
    """
    if deployment.command is None:
        return deployment.digests
    runs = state.current.digests if state.current else {}
    if deployment.command == "up":
        return runs
    last = migration_attempts.last_migrated(store.migrations(deployment.platform, deployment.environment))
    release = store.release(deployment.platform, last) if last else None
    return release.digests if release else runs


def planned(
    environment: Environment, deployment: Deployment, digests: dict[str, str], seen: verify.Survey, images: Images
) -> PlannedMigration | None:
    """Return the one-off task of a deployment, run with these digests; None when there is none.

    Raise VerificationFailed when a person asked for a command that can't be run (any more).
    """
    migration = environment.migration
    # Going backwards never migrates up; a release without the component has nothing to migrate with.
    if deployment.kind == "rollback" and deployment.command is None:
        return None
    digest = digests.get(migration.component) if migration else None
    command = _command(migration, deployment) if migration else None
    if migration is None or digest is None or command is None or seen.migration_base is None:
        if deployment.command is not None:
            raise VerificationFailed(_nothing_to_run(migration, deployment, digest))
        return None
    found = task_containers.assign(seen.migration_base, task_containers.uses(migration), seen.addresses)
    return PlannedMigration(
        component=migration.component,
        container=migration.container_name,
        digest=digest,
        image=images.uri(migration.component, digest),
        base_task_definition=seen.migration_base["taskDefinitionArn"],
        command=command,
        timeout_seconds=int(migration.timeout.total_seconds()),
        subnets=seen.subnets,
        security_groups=seen.security_groups,
        assign_public_ip=migration.network.assign_public_ip,
        launch_type=migration.launch_type,
        containers=found.containers[migration.component],
    )


def _command(migration: Migration, deployment: Deployment) -> list[str] | None:
    match deployment.command:
        case None | "up":
            return migration.command
        case "current":
            return migration.current
        case "down":
            words, revision = migration.downgrade, deployment.revision
            return [word.replace("{revision}", revision) for word in words] if words and revision else None


def _nothing_to_run(migration: Migration | None, deployment: Deployment, digest: str | None) -> str:
    env = deployment.environment
    if migration is None:
        return f"the document no longer has a migration for {env}, so `{deployment.command}` cannot run"
    if digest is None:
        return f"no release that runs in {env} has an image of {migration.component} to run `{deployment.command}` with"
    return f"the document defines no command for `{deployment.command}` in {env}; add migration.downgrade or .current"


def labels(
    environment: Environment,
    deployment: Deployment,
    task: PlannedMigration | None,
    seen: verify.Survey,
    images: Images,
) -> image_labels.ImageLabels:
    """Return what the image of a planned task tells about its migrations; of a way back without one, its release's."""
    migration = environment.migration
    digest = deployment.digests.get(migration.component) if migration else None
    if migration is None or seen.migration_base is None or (task is None and digest is None):
        return image_labels.ImageLabels()
    found = images.labels(migration.component, task.digest if task else digest or "", runs_on(seen.migration_base))
    if found.reason:
        _LOG.warning("the migrations are unknown: %s", found.reason, extra={"deployment": deployment.id})
    return found
