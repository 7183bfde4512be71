"""Messages about a deployment that ended: what happened, why, and what to do next. Pure.

Called by `steps.record_outcome`, in the transaction that records the outcome.
"""

from collections.abc import Iterable
from datetime import datetime

from ferryman.decisions import deployment_report, deployment_steps
from ferryman.decisions.outcome import TRANSIENT_REFUSALS
from ferryman.messages import database_command, links, outbox
from ferryman.messages.outbox import LOG
from ferryman.platform import GitHub
from ferryman.records import VOID, Deployment, Hold, Phase, StepStatus
from ferryman.records.writes import Add
from ferryman.suggestions import suggest
from ferryman.text import clean, one_line, tail

_VERBS = {
    Phase.SUCCEEDED: "is deployed and verified",
    Phase.FAILED: "failed",
    Phase.ROLLED_BACK: "failed and was rolled back",
    Phase.REJECTED: "was rejected",
    Phase.EXPIRED: "was not approved in time",
    Phase.ABORTED: "was aborted",
    Phase.ERRORED: "could not be deployed",
}


_TOLD = 10
"""Failures that are told in full beside the one that decided; with more, its log lines would have no room."""


def for_outcome(
    deployment: Deployment,
    channels: Iterable[str],
    at: datetime,
    *,
    hold: Hold | None = None,
    retry_at: datetime | None = None,
    github: GitHub | None = None,
) -> list[Add]:
    """Make the messages of a deployment that ended; none for a release that was superseded, which its successor's
    message covers.

    `hold` is the environment's hold after the outcome, `retry_at` when an Errored one is retried automatically,
    `github` the project that its commits are linked to.
    """
    verb = _VERBS.get(deployment.phase)
    if deployment.phase is Phase.SUCCEEDED and deployment.plan is not None and not deployment.plan.checks:
        verb = "is deployed, without smoke tests"
    if verb is None and deployment.kind != "migrate":
        return []
    by_rollback = deployment.kind == "rollback" and deployment.phase is Phase.SUCCEEDED
    ended = f"rolled back to {deployment.version}" if by_rollback else f"{deployment.version} {verb}"
    blocks = _success(deployment)
    if deployment.kind == "migrate":
        ended, blocks = database_command.subject_of(deployment), database_command.blocks_of(deployment, hold)
    elif deployment.phase is not Phase.SUCCEEDED:
        blocks = _failure(deployment, verb or "", hold, retry_at)
    elif by_rollback:
        blocks += _after_rollback(deployment, hold)
    subject = f"[{deployment.phase}] {deployment.platform}/{deployment.environment}: {ended}"
    detail = {
        "phase": str(deployment.phase),
        "reason": deployment.reason,
        "deployment": deployment.id,
        "version": deployment.version,
        "from": deployment.from_version or "",
        "kind": deployment.kind,
        links.FIELD: links.of_deployment(deployment, github),
    }
    return outbox.rows(
        channels,
        owner=deployment.id,
        event="outcome",
        platform=deployment.platform,
        environment=deployment.environment,
        subject=subject,
        blocks=[*blocks, _signature(deployment)],
        detail=detail,
        at=at,
    )


def _success(deployment: Deployment) -> list[str]:
    before = f" (previously {deployment.from_version})" if deployment.from_version else ""
    if deployment.from_version == deployment.version:
        before = " (redeployed)"
    took = f" The deployment took {deployment_report.took(deployment)}." if deployment_report.took(deployment) else ""
    lines = [
        f"{deployment.platform}/{deployment.environment} now runs {deployment.version}{before}.{took}",
        "Components: " + ", ".join(f"{name} {_short(digest)}" for name, digest in sorted(deployment.digests.items())),
    ]
    skipped = [
        f"{deployment_steps.title_of(key)} ({step.reason})"
        for key, step in deployment_report.ordered(deployment)
        if step.status == "Skipped" and step.reason
    ]
    if skipped:
        lines.append("Skipped: " + ", ".join(skipped))
    return ["\n".join(lines)]


def _after_rollback(deployment: Deployment, hold: Hold | None) -> list[str]:
    """Return what a successful rollback adds: why, what happened to the database, and the hold that keeps it so."""
    lines = [f"Why: {one_line(deployment.why, limit=1_000)}"] if deployment.why else []
    if deployment.override:
        who = one_line(deployment.initiated_by.who)
        lines.append(f"Without approval: {who} overrode it: {one_line(deployment.override, limit=1_000)}")
    if deployment.schema_mismatch:
        lines.append(f"Accepted schema mismatch: {one_line(deployment.schema_mismatch, limit=1_000)}")
    if deployment.revisions:
        lines.append(f"The databases were downgraded first: {_revisions(deployment)}.")
    elif deployment.command == "down":
        lines.append(f"The database was downgraded to {deployment.revision} first.")
    if hold is not None:
        lines.append(
            f"Automation is on hold ({one_line(hold.reason)}). The release that was rolled back is not deployed again "
            "automatically. To let newer releases deploy again, run "
            f"{suggest('resume', deployment.environment, p=deployment.platform)}."
        )
    return ["\n".join(lines)]


def _failure(deployment: Deployment, verb: str, hold: Hold | None, retry_at: datetime | None) -> list[str]:
    cause = deployment_report.cause_of(deployment)
    took = f" after {deployment_report.took(deployment)}" if deployment_report.took(deployment) else ""
    blocks = [
        f"{deployment.platform}/{deployment.environment}: {deployment.version} {verb}{took}.",
        _what_failed(deployment, cause),
    ]
    logs = tail(cause.step.logs) if cause else []
    if logs:
        blocks.append("\n".join(["Last log lines:", *(f"{LOG}{line}" for line in logs)]))
    blocks += [_what_was_done(deployment), _what_next(deployment, hold, retry_at)]
    return blocks


def _what_failed(deployment: Deployment, cause: deployment_report.Cause | None) -> str:
    lines = []
    if deployment.abort is not None:
        abort = deployment.abort
        lines.append(f"Why: {one_line(abort.who)} aborted the deployment: {one_line(abort.reason, limit=1_000)}")
    if cause is not None:
        reason = f" ({cause.step.reason})" if cause.step.reason else ""
        lines.append(f"What failed: {cause.title}{reason}")
        if cause.step.message and cause.judged and deployment.abort is None:
            lines.append(f"Why: {clean(cause.step.message)}")
        if cause.exit_code is not None:
            lines.append(f"Exit code: {cause.exit_code}")
    # What the state machine caught is only in the deployment's own message.
    if (
        deployment.abort is None
        and (cause is None or not cause.judged or not cause.step.message)
        and deployment.message
    ):
        lines.append(f"Why: {clean(deployment.message)}")
    others = deployment_report.also_failed(deployment, cause)
    lines += [
        f"Also failed: {other.title} ({other.step.reason}): {one_line(other.step.message)}" for other in others[:_TOLD]
    ]
    if len(others) > _TOLD:
        rest = ", ".join(other.service for other in others[_TOLD:])
        lines.append(f"Also failed: {len(others) - _TOLD} more ({one_line(rest, limit=2_000)})")
    return "\n".join(lines) or "Why: not recorded. See the history of the execution in Step Functions."


def _what_was_done(deployment: Deployment) -> str:
    way = deployment_report.way_back(deployment)
    before = deployment.from_version or "the previous release"
    lines = []
    if not way.changed:
        lines.append("What was done: no service was changed.")
    if way.back:
        lines.append(f"What was done: rolled back to {before} ({', '.join(way.back)}).")
    if way.held:
        lines.append(f"What was done: left {', '.join(way.held)} as is, because onFailure is hold.")
    if way.without_target:
        names = ", ".join(way.without_target)
        lines.append(f"What was done: could not roll back {names}, because no deployment has succeeded here before.")
    if way.unrecorded:
        lines.append(f"Rollback failed: {', '.join(way.unrecorded)} was changed, but was not rolled back.")
    lines += [_failed_on_the_way_back(other) for other in way.failed]
    lines += [_of_database(deployment, migrated) for migrated in deployment_report.migrations(deployment)]
    return "\n".join(lines)


def _of_database(deployment: Deployment, migrated: deployment_report.Migrated) -> str:
    of, its = (f" {migrated.name}", "Its") if migrated.name else ("", "The")
    match deployment.command, migrated.result:
        case "down", "succeeded":
            database = f"The database of migration{of}" if of else "The database"
            to = deployment.revisions.get(migrated.name) or deployment.revision
            return f"{database} was downgraded to {to}. Releases that need newer migrations will run them again."
        case "down", _:
            return f"The downgrade{of} did not finish. {its} database may be partly downgraded."
        case _, "succeeded":
            return f"The migration{of} ran and was not reverted. {its} database may be newer than the services."
        case _:
            return f"The migration{of} did not finish. Changes it made before it stopped may still be in place."


def _revisions(deployment: Deployment) -> str:
    plan = deployment.plan
    names = [task.name for task in plan.every_migration] if plan is not None else list(deployment.revisions)
    return ", ".join(f"{name} to {deployment.revisions[name]}" for name in names if name in deployment.revisions)


def _failed_on_the_way_back(cause: deployment_report.Cause) -> str:
    if cause.step.status is StepStatus.RUNNING:
        return f"Rollback failed: the {cause.title} was still running when the deployment ended."
    return f"Rollback failed: {cause.title} ({cause.step.reason}): {one_line(cause.step.message, limit=1_000)}"


def _what_next(deployment: Deployment, hold: Hold | None, retry_at: datetime | None) -> str:
    environment = deployment.environment
    if deployment_report.way_back(deployment).not_back:
        first = "inspect the service now. It is not certain which release it runs."
    elif deployment.phase is Phase.ERRORED and deployment.reason == VOID:
        first = "nothing. The approvers are asked again and see what differs from what was approved."
    elif deployment.phase is Phase.ERRORED and retry_at is not None:
        first = f"nothing. It will be retried automatically at {retry_at:%Y-%m-%d %H:%M:%S} UTC."
    elif deployment.phase in (Phase.FAILED, Phase.ROLLED_BACK) and deployment.kind != "rollback":
        first = _fixed(deployment)
    else:
        first = "find out why, then decide."
    again = f"To try {deployment.version} again unchanged, run {suggest('retry', environment, p=deployment.platform)}."
    if deployment.reason in TRANSIENT_REFUSALS:
        ask = suggest("deploy", environment, p=deployment.platform, release=deployment.version, confirm="DEPLOY")
        first = "nothing, if it started automatically: it will be retried when that ends."
        again = f"If a person requested it, request it again: {ask}."
    if deployment.kind == "rollback":
        again = (
            "To try again, run "
            f"{suggest('rollback', environment, p=deployment.platform, release=deployment.version, reason='REASON')}."
        )
    lines = [
        f"What to do next: {first}",
        f"For details, run {suggest('explain', environment, p=deployment.platform)}.",
        again,
    ]
    if hold is not None:
        lift = f"To lift the hold, run {suggest('resume', environment, p=deployment.platform)}."
        lines.append(f"Automation is on hold ({one_line(hold.reason)}). {lift}")
    return "\n".join(lines)


def _fixed(deployment: Deployment) -> str:
    """How a fixed version gets here: automatically, or through the environment that verifies it first."""
    if deployment.tag is not None:
        return "fix it and push. Tag the new release once it is verified; approval will be requested again."
    if deployment.plan is not None and (deployment.plan.promotions or deployment.plan.approval):
        return "fix it and push. The new version must be verified before it can be deployed here."
    return "fix it and push. The new version will be deployed automatically."


def _signature(deployment: Deployment) -> str:
    return f"Deployment {deployment.id} ({deployment.kind}), started by {one_line(deployment.initiated_by.who)}."


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
