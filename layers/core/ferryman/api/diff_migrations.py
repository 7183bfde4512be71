"""The migrations of an environment's databases, compared with those of a release, according to their images."""

from functools import cache

from ferryman.api.context import Context
from ferryman.decisions import migration_attempts
from ferryman.decisions.schema_compatibility import ImageLabels, Schema, Since, since
from ferryman.platform import Platform
from ferryman.records import Deployment, EnvironmentState, MigrationClaim, Release


class Database:
    """Reads the migrations from images; each image is read once, even if the decision is made again."""

    def __init__(self, operator: Context, platform: Platform, env: str) -> None:
        self._operator, self._platform, self._env = operator, platform, env
        self._environment = platform.environment(env)
        self._image = cache(self._read)

    def compare(
        self, state: EnvironmentState, active: Deployment | None, release: Release, name: str
    ) -> tuple[ImageLabels, ImageLabels] | None:
        """Return the labels of the image that migrated last, and of a release's; None when they are the same image.

        None, too, where one of them has no image of the component that migrates. `name` is the migration's.
        """
        return self._pair(release, name, self._migrated(state, self._last(self._claims(), active, name)))

    def _pair(self, release: Release, name: str, migrated: dict[str, str]) -> tuple[ImageLabels, ImageLabels] | None:
        component = self._component(name)
        wanted, has = release.digests.get(component), migrated.get(component)
        if wanted is None or has is None or wanted == has:
            return None
        return self._labels(component, has, name), self._labels(component, wanted, name)

    def schemas(self, state: EnvironmentState, active: Deployment | None, release: Release) -> list[Schema]:
        """Return for each migration what its database has that a release lacks, and what that one contains."""
        claims = self._claims()
        lasts = {name: self._last(claims, active, name) for name in self._environment.every_migration}
        return [self._schema(release, name, last, self._migrated(state, last)) for name, last in lasts.items()]

    def _schema(self, release: Release, name: str, last: Release | None, migrated: dict[str, str]) -> Schema:
        pair = self._pair(release, name, migrated)
        if pair is not None:
            newer = last is not None and last.order > release.order
            return Schema(name, since(*pair), pair[1].migrations, newer)
        component = self._component(name)
        digest = release.digests.get(component)
        known = self._labels(component, digest, name).migrations if digest else None
        return Schema(name, Since("Known", message="there are no migrations in between"), known, newer=False)

    def _component(self, name: str) -> str:
        return self._environment.every_migration[name].component

    def _read(self, component: str, digest: str) -> ImageLabels:
        return self._operator.outside.labels(self._platform, component, digest)

    def _labels(self, component: str, digest: str, name: str) -> ImageLabels:
        return self._image(component, digest).of_migration(name, alone=self._environment.migrates_alone(name))

    def _claims(self) -> list[MigrationClaim]:
        return self._operator.store.migrations(self._platform.name, self._env)

    def _last(self, claims: list[MigrationClaim], active: Deployment | None, name: str) -> Release | None:
        """Return the release whose migrations the database has, or may have in a moment."""
        last = migration_attempts.last_migrated(claims, name)
        if active is not None and any(_begun(claim, active, name) for claim in claims):
            last = active.version
        return self._operator.store.release(self._platform.name, last) if last else None

    def _migrated(self, state: EnvironmentState, last: Release | None) -> dict[str, str]:
        return last.digests if last else state.current.digests if state.current else {}


def _begun(claim: MigrationClaim, active: Deployment, name: str) -> bool:
    key = migration_attempts.release_key(active.version, name)
    return claim.version == key and claim.status in ("Claimed", "Running", "Succeeded", "Unknown")


def under_way(operator: Context, state: EnvironmentState) -> Deployment | None:
    """Return the deployment that holds the claim, unless it has ended."""
    if state.active is None:
        return None
    found = operator.store.deployment(state.platform, state.environment, state.active.deployment)
    return None if found.phase.terminal else found
