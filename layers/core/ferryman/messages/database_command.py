"""What a message says about a database command. Pure; called by `messages.deployment`."""

from functools import partial

from ferryman.decisions import database_command, deployment_report, deployment_steps
from ferryman.messages.outbox import LOG
from ferryman.records import Deployment, Hold, Phase
from ferryman.suggestions import suggest
from ferryman.text import clean, one_line, tail

_VERBS = {
    Phase.SUCCEEDED: "succeeded",
    Phase.FAILED: "failed",
    Phase.ABORTED: "was aborted",
    Phase.ERRORED: "could not be run",
    Phase.REJECTED: "was rejected",
    Phase.EXPIRED: "was not approved in time",
    Phase.SUPERSEDED: "was replaced before it was approved",
}


def subject_of(deployment: Deployment) -> str:
    """Return what ran and how it ended: `migrate down to 001 failed`."""
    return f"{database_command.in_words(deployment)} {_VERBS.get(deployment.phase, str(deployment.phase))}"


def blocks_of(deployment: Deployment, hold: Hold | None) -> list[str]:
    """Return the paragraphs."""
    env, step = deployment.environment, next(iter(deployment_steps.migration_steps(deployment)), None)
    planned = next(iter(deployment.plan.every_migration), None) if deployment.plan else None
    which = f"{deployment.migration} " if deployment.migration else ""
    ask = partial(suggest, p=deployment.platform)
    command = f"`{' '.join(planned.command)}`" if planned else f"migrate {which}{deployment.command}"
    took = f" after {deployment_report.took(deployment)}" if deployment_report.took(deployment) else ""
    lines = [f"{deployment.platform}/{env}: {command} {_VERBS.get(deployment.phase, 'ended')}{took}."]
    if deployment.why:
        lines.append(f"Reason: {one_line(deployment.why, limit=1_000)}")
    if deployment.override:
        who = one_line(deployment.initiated_by.who)
        lines.append(f"Without approval: {who} overrode it: {one_line(deployment.override, limit=1_000)}")
    elif deployment.approved_by:
        lines.append(f"Approved by: {', '.join(map(one_line, deployment.approved_by))}")
    if deployment.phase is not Phase.SUCCEEDED and deployment.message:
        lines.append(f"Why: {clean(deployment.message)}")
    blocks = ["\n".join(lines)]
    logs = tail(step.logs) if step else []
    if logs:
        blocks.append("\n".join(["Last log lines:", *(f"{LOG}{line}" for line in logs)]))
    blocks.append(f"No service was changed; {deployment.from_version or 'the previous release'} is still running.")
    if step is None:
        again = ask("migrate", env, deployment.migration, deployment.command, revision=deployment.revision)
        blocks.append(f"The command did not run. To ask for it again, run {again}.")
    elif deployment.phase is not Phase.SUCCEEDED:
        current = ask("migrate", env, deployment.migration, "current")
        blocks.append(f"What to do next: run {current} to see the database's revision.")
    if hold is not None:
        blocks.append(f"Automation is on hold ({one_line(hold.reason)}). To lift the hold, run {ask('resume', env)}.")
    return blocks
