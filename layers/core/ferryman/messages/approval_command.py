"""What a request for approval says about a database command: what runs, with which image, to which revision. Pure.

Called by `messages.approval` for mails and Slack. The approval page has `approvals.web.database_section`.
"""

from ferryman.decisions import database_command
from ferryman.records import Approval, Deployment
from ferryman.text import one_line, shortened

_COMMAND = 180
"""Bytes of one command in a message. With its image it has to fit into a field of Slack; the page shows all of it."""
_TOLD = 2
"""Tasks that a message names: Slack shows ten facts."""


def facts(approval: Approval, deployment: Deployment) -> list[tuple[str, str]]:
    """Return labels and values: what is asked, and each task that would run; none without a database command."""
    if not approval.command:
        return []
    tasks = database_command.tasks(deployment)
    told = [("Database command", approval.command)]
    for task in tasks[:_TOLD]:
        words = shortened(one_line(" ".join(task.command), limit=4_000), _COMMAND)
        told.append((f"Runs on {task.name}" if task.name else "Runs", f"{words} (image {task.image})"))
    if len(tasks) > _TOLD:
        told.append(("Runs on", f"{len(tasks) - _TOLD} more databases, which the page names"))
    return told
