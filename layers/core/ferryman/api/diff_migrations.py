"""The migrations of an environment's database, compared with those of a release, according to their images."""

from functools import cache

from ferryman.api.context import Context
from ferryman.decisions import migration_attempts
from ferryman.decisions.schema_compatibility import ImageLabels, Since, since
from ferryman.platform import Platform
from ferryman.records import Deployment, EnvironmentState, Release


class Database:
    """Reads the migrations from images; each image is read once, even if the decision is made again."""

    def __init__(self, operator: Context, platform: Platform, env: str) -> None:
        self._operator, self._platform, self._env = operator, platform, env
        self._labels = cache(self._read)

    def compare(
        self, state: EnvironmentState, active: Deployment | None, release: Release
    ) -> tuple[ImageLabels, ImageLabels] | None:
        """Return the labels of the image that migrated last, and of a release's; None when they are the same image.

        None, too, where there is no database, or one of them has no image of the component that migrates.
        """
        migration = self._platform.environment(self._env).migration
        if migration is None:
            return None
        wanted = release.digests.get(migration.component)
        has = self._migrated(state, active).get(migration.component)
        if wanted is None or has is None or wanted == has:
            return None
        return self._labels(migration.component, has), self._labels(migration.component, wanted)

    def since(
        self, state: EnvironmentState, active: Deployment | None, release: Release
    ) -> tuple[Since, list[str] | None]:
        """Return what the database has that a release does not know of, and what that one does know."""
        pair = self.compare(state, active, release)
        if pair is not None:
            return since(*pair), pair[1].migrations
        migration = self._platform.environment(self._env).migration
        digest = release.digests.get(migration.component) if migration else None
        known = self._labels(migration.component, digest).migrations if migration and digest else None
        return Since("Known", message="there are no migrations in between"), known

    def _read(self, component: str, digest: str) -> ImageLabels:
        return self._operator.outside.labels(self._platform, component, digest)

    def _migrated(self, state: EnvironmentState, active: Deployment | None) -> dict[str, str]:
        """Return the digests of the release whose migrations the database has, or may have in a moment."""
        store, name = self._operator.store, self._platform.name
        claims = store.migrations(name, self._env)
        begun = {claim.version for claim in claims if claim.status in ("Claimed", "Running", "Succeeded", "Unknown")}
        last = migration_attempts.last_migrated(claims)
        if active is not None and active.version in begun:
            last = active.version
        found = store.release(name, last) if last else None
        return found.digests if found else state.current.digests if state.current else {}


def under_way(operator: Context, state: EnvironmentState) -> Deployment | None:
    """Return the deployment that holds the claim, unless it has ended."""
    if state.active is None:
        return None
    found = operator.store.deployment(state.platform, state.environment, state.active.deployment)
    return None if found.phase.terminal else found
