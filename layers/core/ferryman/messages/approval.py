"""Messages about an approval: requested, about to expire, ended. Pure.

Called by request_approval, reconcile and decide_approval. Rows to `approver/<name>` are personal mails; the key in
their link is made when the mail is sent (`notify.personal_mail`), so no stored text contains one. All other rows
go to the environment's channels. The line `LINK` is a placeholder for the recipient's link.
"""

from datetime import datetime
from typing import Any

from ferryman.decisions import approval_in_words, changes_in_words, voters
from ferryman.messages import approval_command, outbox
from ferryman.messages import github as messages_github
from ferryman.platform import ChatChannel, Platform
from ferryman.records import Approval, Deployment
from ferryman.records.writes import Add
from ferryman.suggestions import suggest
from ferryman.text import one_line, shortened

LINK = "{{link}}"
"""A line of a text. The link replaces it when the message is sent."""
PERSONAL = "approver/"
"""Prefix of a personal mail's channel; the approver's name follows. No channel in a document can have this prefix."""
APPROVAL, REMINDER, ENDED, PAUSED = "approval", "reminder", "approval-ended", "link-paused"
"""Events. A link that an approver requested is `link-<number>`."""

_CHANGES = 60
"""Lines of a mail about what changes; the page shows more."""
_CHAT = 12
_CHAT_BYTES = 2_400


def for_request(
    approval: Approval, deployment: Deployment, document: Platform, at: datetime, *, personal: list[str]
) -> list[Add]:
    """Make the messages of a request: a mail to each person named, one message to each channel, and GitHub's row."""
    where = f"{approval.platform}/{approval.environment}"
    opening = f"{where}: {_what(approval)} is waiting for approval."
    facts = _lines(_facts(approval, deployment, document))
    changes, again = changes_in_words.text(deployment.plan, _CHANGES), changes_in_words.again(deployment.plan, _CHANGES)
    return [
        *_personal(
            approval,
            personal,
            APPROVAL,
            f"[Approval] {where}: {_what(approval)} needs your decision",
            [opening, again, facts, changes, decide_by_link(approval)],
            at,
        ),
        *_shared(
            approval,
            deployment,
            document,
            APPROVAL,
            f"[Approval] {where}: {_what(approval)} is waiting for approval",
            [opening, again, facts, changes, how_to_decide(approval)],
            at,
        ),
        *messages_github.for_change(deployment, document, at, "requested"),
    ]


def for_reminder(approval: Approval, deployment: Deployment, document: Platform, at: datetime) -> list[Add]:
    """Make the reminders that the request will expire: to approvers who have not decided, and to the channels."""
    where = f"{approval.platform}/{approval.environment}"
    opening = f"{where}: {_what(approval)} is still waiting for approval. The request expires at {_until(approval)}."
    facts = _lines(_facts(approval, deployment, document))
    changes = changes_in_words.text(deployment.plan, _CHANGES)
    subject = f"[Reminder] {where}: {_what(approval)} needs approval by {_until(approval)}"
    return [
        *_personal(
            approval, undecided(approval), REMINDER, subject, [opening, facts, changes, decide_by_link(approval)], at
        ),
        *_shared(
            approval, deployment, document, REMINDER, subject, [opening, facts, changes, how_to_decide(approval)], at
        ),
    ]  # fmt: skip


def for_link(approval: Approval, name: str, number: int, at: datetime) -> list[Add]:
    """Make the mail that sends an approver another personal link; `number` counts the links they requested."""
    where = f"{approval.platform}/{approval.environment}"
    opening = (
        f"Here is the personal link that was requested on the approval page of {where}, {_what(approval)}. If you did "
        "not request it, ignore this mail: nothing has changed, and the links you already have still work."
    )
    subject = f"[Approval] {where}: your link for {_what(approval)}"
    blocks = [opening, f"The request expires at {_until(approval)}.", decide_by_link(approval)]
    return _personal(approval, [name], f"link-{number}", subject, blocks, at)


def for_pause(approval: Approval, name: str, most: int, at: datetime) -> list[Add]:
    """Make the mail that tells an approver that typing is paused on one of their links; it has a fresh one.

    `most`: how many wrong versions change nothing.
    """
    where = f"{approval.platform}/{approval.environment}"
    opening = (
        f"More than {most} different wrong versions were typed on your link for {where}, {_what(approval)}. Typing is "
        "paused on that link for ten minutes. Nothing was decided."
    )
    told = (
        "If that was not you, somebody else has the link, or a program that checks mails uses it. Tell whoever looks "
        "after Ferryman, and do not forward your mails. Here is a fresh link, which works at once."
    )
    subject = f"[Approval] {where}: typing is paused on your link for {_what(approval)}"
    blocks = [opening, told, f"The request expires at {_until(approval)}.", decide_by_link(approval)]
    return _personal(approval, [name], PAUSED, subject, blocks, at)


def for_ended(approval: Approval, deployment: Deployment, document: Platform, at: datetime) -> list[Add]:
    """Make the rows that update what a Slack bot posted; all other channels only get the deployment's outcome."""
    where = f"{approval.platform}/{approval.environment}"
    channels = [
        name
        for name in _channels(approval, document)
        if isinstance(channel := document.spec.channels.get(name), ChatChannel) and channel.bot_token_secret_arn
    ]
    return outbox.rows(
        channels,
        owner=approval.deployment,
        event=ENDED,
        platform=approval.platform,
        environment=approval.environment,
        subject=f"[{approval.status}] {where}: {_what(approval)} {_verb(approval)}",
        blocks=[f"{where}: {_what(approval)} {_verb(approval)}.", decision_lines(approval)],
        detail=_detail(approval, deployment, document),
        at=at,
    )


def decision_lines(approval: Approval) -> str:
    """Say who decided what, and why: one line each."""
    lines = []
    for decision in approval.decisions:
        reason = f": {one_line(decision.reason, limit=500)}" if decision.reason else ""
        verb = "Approved" if decision.verdict == "approve" else "Rejected"
        lines.append(f"{verb} by {one_line(decision.name)} ({decision.how}) at {_time(decision.at)}{reason}")
    if approval.status not in ("Approved", "Rejected") and approval.reason:
        lines.append(f"{approval.status}: {one_line(approval.reason, limit=500)}")
    return "\n".join(lines)


def _what(approval: Approval) -> str:
    if approval.proposal is not None:
        return approval.about
    return approval.command or _release(approval)


def _release(approval: Approval) -> str:
    return f"{approval.tag} ({approval.version})" if approval.tag else approval.version


def _verb(approval: Approval) -> str:
    return {
        "Pending": "is waiting for approval",
        "Approved": "was approved",
        "Rejected": "was rejected",
        "Expired": "was not approved in time",
        "Superseded": "was superseded",
        "Aborted": "was aborted",
    }[approval.status]


def _facts(approval: Approval, deployment: Deployment, document: Platform) -> list[tuple[str, str]]:
    """Return labels and values: lines of a text, fields of a Slack message."""
    images = ", ".join(f"{name} {digest.removeprefix('sha256:')[:12]}" for name, digest in approval.digests.items())
    facts = approval_command.facts(approval, deployment)
    facts.append(("Running now", deployment.from_version or "no release yet"))
    alone = deployment.kind == "migrate"
    if alone:
        facts.append(("Services", "not changed"))
    else:
        facts += [("To be deployed", _release(approval)), ("Images", images)]
    if document.spec.github is not None and approval_in_words.names_commit(approval.version) and not alone:
        facts.append(("Commit", approval_in_words.claimed_commit(approval)))
    if deployment.kind == "rollback" and not approval.command:
        facts.append(("Kind", "rollback"))
    if deployment.schema_mismatch:
        facts.append(("Accepted schema mismatch", one_line(deployment.schema_mismatch)))
    if deployment.command is None and deployment.plan is not None and deployment.plan.every_migration:
        names = ", ".join(task.name for task in deployment.plan.named_migrations)
        facts.append(("Databases", f"migrated first: {names}") if names else ("Database", "migrated first"))
    github = document.spec.github
    if github is not None and deployment.from_version and deployment.from_version != approval.version:
        span = f"{deployment.from_version}...{approval.version}"
        facts.append(("Changes", f"{github.web_url}/{github.repository}/compare/{span}"))
    why = f" ({one_line(deployment.why, limit=500)})" if deployment.why else ""
    unknown = approval_in_words.stranger(approval)
    facts.append(("Requested by", f"{one_line(approval.requested_by.who)}{why}{f'; {unknown}' if unknown else ''}"))
    facts.append(("Expires", _time(approval.expires_at)))
    if approval.required > 1:
        have = ", ".join(one_line(name) for name in approval.approved_by) or "none yet"
        facts.append(("Approvals needed", f"{approval.required} (so far: {have})"))
    return facts


def _lines(facts: list[tuple[str, str]]) -> str:
    return "\n".join(f"{label}: {value}" for label, value in facts)


def decide_by_link(approval: Approval) -> str:
    """Say what to do with a personal link, whose placeholder stands in it; also for a request about a document."""
    first = (
        f"What to do next: open your personal link and review what changes. Type {approval.short} to approve it, or to "
        "reject it with a reason. Opening the link decides nothing."
    )
    return f"{first}\n{LINK}\nDo not forward this mail: anyone who has the link can decide in your name."


def how_to_decide(approval: Approval) -> str:
    """Say who can decide on the shared link and how else; also for a request about a document."""
    first = (
        f"What to do next: anyone who opens the link can decide. Type {approval.short} to approve, or to reject with a "
        "reason."
        if approval.allow_unverified
        else "What to do next: approvers decide with the personal link in their mail. The link below shows the status "
        "of the request and can send them a new personal link."
    )
    names = ", ".join(one_line(person.name) for person in approval.approvers)
    people = f"Approvers: {names}" if names else ""
    command = (
        f"With AWS credentials: {suggest('approve', approval.environment, p=approval.platform)} or "
        f"{suggest('reject', approval.environment, p=approval.platform, reason='REASON')}."
    )
    return "\n".join(line for line in (first, LINK, people, command) if line)


def undecided(approval: Approval) -> list[str]:
    """Return the names of those who get a mail: they have a mailbox, may approve, and have not decided."""
    return [
        person.name
        for person in approval.approvers
        if person.email
        and not voters.has_decided(approval, person.name)
        and not voters.is_barred(approval, person.name)
    ]


def _personal(
    approval: Approval, names: list[str], event: str, subject: str, blocks: list[str], at: datetime
) -> list[Add]:
    return outbox.rows(
        [f"{PERSONAL}{name}" for name in names],
        owner=approval.deployment,
        event=event,
        platform=approval.platform,
        environment=approval.environment,
        subject=subject,
        blocks=blocks,
        detail={"phase": "AwaitingApproval", "version": approval.version, "deployment": approval.deployment},
        at=at,
    )


def _shared(
    approval: Approval,
    deployment: Deployment,
    document: Platform,
    event: str,
    subject: str,
    blocks: list[str],
    at: datetime,
) -> list[Add]:
    return outbox.rows(
        _channels(approval, document),
        owner=approval.deployment,
        event=event,
        platform=approval.platform,
        environment=approval.environment,
        subject=subject,
        blocks=blocks,
        detail=_detail(approval, deployment, document),
        at=at,
    )


def _channels(approval: Approval, document: Platform) -> list[str]:
    environment = document.spec.environments.get(approval.environment)
    return environment.notify if environment else []


def _detail(approval: Approval, deployment: Deployment, document: Platform) -> dict[str, Any]:
    return {
        "phase": "AwaitingApproval" if approval.status == "Pending" else approval.status,
        "version": approval.version,
        "deployment": approval.deployment,
        "from": deployment.from_version or "",
        "kind": deployment.kind,
        "facts": [list(fact) for fact in _facts(approval, deployment, document)],
        "changes": _short_changes(approval, deployment),
    }


def _short_changes(approval: Approval, deployment: Deployment) -> str:
    """Return what changes for a chat's request: as much as a phone shows."""
    if approval.status != "Pending":
        return ""
    parts = (again(deployment.plan, _CHAT) for again in (changes_in_words.again, changes_in_words.text))
    return shortened("\n\n".join(part for part in parts if part), _CHAT_BYTES)


def _until(approval: Approval) -> str:
    return _time(approval.expires_at)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
