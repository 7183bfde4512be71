"""Which migrations lie between two images, according to their labels. Pure.

Read by begin_deployment (the plan's lists) and serve_api (`rollback`, `diff`); `clients.image_labels` gets the labels.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Literal, Self

MIGRATIONS = "dev.ferryman.migrations"
"""Comma-separated ids of all migrations in the image, oldest first."""
_UNSAFE_SUFFIX = "not-rollback-safe"
UNSAFE = f"{MIGRATIONS}.{_UNSAFE_SUFFIX}"
"""Comma-separated ids of those after which an older release can't run."""
# A named migration has its name in these labels: `dev.ferryman.migrations.orders` and
# `dev.ferryman.migrations.orders.not-rollback-safe`.

_IDS, _LIST_LIMIT = 1000, 30_000
"""The most ids, and characters, of a valid list: it is stored in the plan."""
_ID = re.compile(r"[\w.:+/ -]{1,128}")


@dataclass(frozen=True)
class ImageLabels:
    """Labels of an image. Without a `reason`, the image was read, and labels that are not in `found` do not exist."""

    found: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    """Why its labels are unknown."""
    unread: str = ""
    """Why labels that are not in `found` may exist all the same."""

    @property
    def migrations(self) -> list[str] | None:
        """Ids of all migrations, oldest first; None when the image does not list them."""
        return migrations(self.found)[0]

    @property
    def unsafe(self) -> list[str]:
        """Ids of those after which an older release can't run."""
        return migrations(self.found)[1]

    def of_migration(self, name: str, *, alone: bool) -> Self:
        """Return the labels of one migration, as if the image had no other; `name`: "" for the one without a name.

        `alone` says that no other migration of the environment uses the image's component: then labels without a name
        are about this one, too.
        """
        if not name:
            return self
        named = {MIGRATIONS: f"{MIGRATIONS}.{name}", UNSAFE: f"{MIGRATIONS}.{name}.{_UNSAFE_SUFFIX}"}
        own = {label: self.found[key] for label, key in named.items() if key in self.found}
        if not own and alone:
            return self
        return replace(self, found=own, reason="" if MIGRATIONS in own else self.reason or self.unread)


def migrations(labels: dict[str, str]) -> tuple[list[str] | None, list[str]]:
    """Return the ids of all migrations (None when the labels do not list them) and of the not rollback-safe ones."""
    return _ids(labels.get(MIGRATIONS)), _ids(labels.get(UNSAFE)) or []


def _ids(text: str | None) -> list[str] | None:
    if text is None or len(text) > _LIST_LIMIT:
        return None
    ids = [part.strip() for part in text.split(",") if part.strip()]
    # Only plausible ids get into commands, pages and the table.
    if len(ids) > _IDS or not all(_ID.fullmatch(item) for item in ids):
        return None
    return list(dict.fromkeys(ids))


@dataclass(frozen=True)
class Since:
    """The migrations that the database has and a release does not contain.

    `Known`: `migrations` is complete. `Untold`: neither image lists its migrations, as in a platform without these
    labels. `Unclear`: one of them cannot be read or has no list, so a rollback cannot be called safe.
    """

    status: Literal["Known", "Untold", "Unclear"]
    migrations: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)
    message: str = ""
    """For people, without a full stop."""


@dataclass(frozen=True)
class Schema:
    """The database of one migration, compared with a release that is to run on it."""

    name: str
    """Of the migration; "" for the one without a name."""
    since: Since
    knows: list[str] | None
    """Ids of all migrations that the release contains; None when its image does not list them."""
    newer: bool
    """Whether a newer release than that one has migrated it from another image, or may have."""

    @property
    def goes_back(self) -> bool:
        """Whether a downgrade to the release has something to take back, as far as that is known."""
        known = self.since.status == "Known" and self.knows is not None
        return self.newer and not (known and not self.since.migrations and not self.since.unsafe)

    def named(self, text: str) -> str:
        """Put the migration's name before a text about it."""
        return f"{self.name}: {text}" if self.name else text


def since(database: ImageLabels, target: ImageLabels) -> Since:
    """Compare the image that migrated the database last with the one that is to run on it."""
    unreadable = database.reason or target.reason
    if unreadable:
        return Since("Unclear", message=f"it is unknown which migrations lie in between: {unreadable}")
    has, knows = database.migrations, target.migrations
    if has is None and knows is None and not database.unsafe:
        return Since("Untold", message="the images do not list their migrations")
    if has is None:
        return Since("Unclear", message="the image that migrated last does not list its migrations")
    if knows is None:
        if not database.unsafe:
            return Since(
                "Known",
                message="the release does not list its migrations, and none in the database is marked as unsafe",
            )
        marked = ", ".join(database.unsafe)
        return Since("Unclear", message=f"the release does not say whether it contains {marked}, not rollback-safe")
    between = [item for item in has if item not in knows]
    unsafe = [item for item in database.unsafe if item not in knows]
    if not between and not unsafe:
        return Since("Known", message="there are no migrations in between")
    marked = f", of which {', '.join(unsafe)} is not rollback-safe" if unsafe else ", all rollback-safe"
    return Since("Known", between, unsafe, f"migrations since then: {', '.join(between or unsafe)}{marked}")


def brings(database: ImageLabels, release: ImageLabels) -> Since:
    """Return the migrations that a newer release would run."""
    unreadable = database.reason or release.reason
    if unreadable:
        return Since("Unclear", message=f"it is unknown which migrations would run: {unreadable}")
    has, new = database.migrations, release.migrations
    if new is None:
        return Since("Untold", message="the image does not list its migrations")
    if has is None:
        return Since(
            "Unclear",
            new,
            release.unsafe,
            f"it contains {', '.join(new) or 'none'}; the database may already have some",
        )
    added = [item for item in new if item not in has]
    unsafe = [item for item in added if item in release.unsafe]
    if not added:
        return Since("Known", message="no migrations would run")
    marked = f"; {', '.join(unsafe)} is not rollback-safe" if unsafe else "; all are rollback-safe"
    return Since("Known", added, unsafe, f"it would run {', '.join(added)}{marked}")
