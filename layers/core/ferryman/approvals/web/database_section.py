"""The page's section about a database command that somebody asked for: what runs, where, with which image. Pure."""

from dataclasses import dataclass

from ferryman.decisions import database_command
from ferryman.decisions.migration_attempts import revision_of
from ferryman.records import Approval, Deployment, Phase
from ferryman.suggestions import suggest


@dataclass(frozen=True)
class Task:
    """One one-off task."""

    database: str
    """Name of the migration; "" for the one without a name."""
    command: str
    revision: str | None
    image: str
    """`registry/repository@digest`."""


@dataclass(frozen=True)
class DatabaseSection:
    """A database command."""

    command: str
    """`migrate down to 0042`."""
    alone: bool
    """Whether no service changes."""
    lead: str
    tasks: list[Task]
    warning: str


def section(approval: Approval, deployment: Deployment) -> DatabaseSection | None:
    """Return what the page shows of a database command; None for a deployment without one."""
    command = approval.command or database_command.in_words(deployment)
    if not command:
        return None
    alone, down = deployment.kind == "migrate", deployment.command == "down"
    return DatabaseSection(
        command=command,
        alone=alone,
        lead="This command runs as a one-off task. No service is changed."
        if alone
        else "The database is downgraded first, as a one-off task. Then the services change.",
        tasks=[
            Task(task.name, " ".join(task.command), revision_of(deployment, task.name) if down else None, task.image)
            for task in database_command.tasks(deployment)
        ],
        warning="A downgrade can delete data. Check that there is a backup of this database." if down else "",
    )


def action(deployment: Deployment) -> str | None:
    """Return the page's title for a database command; None for a deployment."""
    if deployment.kind != "migrate":
        return None
    verb = {"down": "Downgrade the database", "current": "Read the revision of the database"}
    does = verb.get(deployment.command or "up", "Migrate the database")
    of = f" {deployment.migration} of" if deployment.migration else " of"
    to = f" to {deployment.revision}" if deployment.revision else ""
    return f"{does}{of} {deployment.environment}{to}"


def way_back(deployment: Deployment) -> list[str] | None:
    """Say what taking a database command back would mean; None for a deployment that changes services."""
    if deployment.kind != "migrate":
        return None
    current = suggest("migrate", deployment.environment, deployment.migration, "current", p=deployment.platform)
    return [
        "Nothing takes a database command back by itself. If it fails, the database may be changed in part.",
        f"To see the revision afterwards, run {current}.",
    ]


def headline(deployment: Deployment) -> str | None:
    """Return how a database command stands or ended; None for a deployment that changes services."""
    if deployment.kind != "migrate":
        return None
    return {
        Phase.SUCCEEDED: "The database command succeeded",
        Phase.REJECTED: "The database command was rejected",
        Phase.EXPIRED: "Not approved in time",
        Phase.SUPERSEDED: "Replaced by another request",
        Phase.ABORTED: "The database command was stopped",
        Phase.FAILED: "The database command failed",
        Phase.ERRORED: "The database command could not be run",
        Phase.PENDING: "Approved: the database command is starting",
        Phase.AWAITING_APPROVAL: "Approved: the database command is starting",
    }.get(deployment.phase, "The database command is running")
