"""The right to run one migration. Pure."""

from typing import Literal

from pydantic import AwareDatetime

from ferryman.records.base import Record


class MigrationClaim(Record):
    """The right to run one migration, written before RunTask."""

    platform: str
    environment: str
    version: str
    """Release, or `<release>@<deployment>` for a command that a person asked for; of a named migration
    `<name>/<release>` and `<name>/<release>@<deployment>` (`decisions.migration_attempts`)."""
    attempt: int
    deployment: str
    status: Literal["Claimed", "Running", "Succeeded", "Failed", "Unknown", "NotStarted", "Reverted", "Former"]
    """NotStarted: its task certainly never ran, so that automation may try again. Unknown: nobody may. Reverted: it
    succeeded, and a downgrade took it back since. Former: that was in a deleted environment of this name."""
    task_definition: str
    client_token: str
    task: str | None = None
    exit_code: int | None = None
    command: Literal["up", "down", "current"] | None = None
    """What a person asked for; None for the migration of a release."""
    migrations: list[str] | None = None
    """Ids of all migrations in the image that migrated, oldest first; None when it does not tell."""
    at: AwareDatetime
    rev: int = 0
