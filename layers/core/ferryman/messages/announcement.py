"""What happens without an approval although there are approvers, told to all of them and to the channels. Pure.

Called by serve_api, with the transaction that records it. docs/security.md says what is told.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ferryman.decisions import database_command
from ferryman.decisions.approval_needed import needs_approval
from ferryman.messages import outbox
from ferryman.messages.approval import PERSONAL
from ferryman.platform import Environment
from ferryman.records import AppliedPlatform, Request
from ferryman.records.writes import Add
from ferryman.suggestions import suggest
from ferryman.text import one_line

EVENT = "unapproved-"
"""Begins the event of each of these messages. To an approver they are mails without a link."""


def for_unapproved(platform: str, env: str, environment: Environment, wish: Request, at: datetime) -> list[Add]:
    """Make the messages about a rollback or a database command that an admin lets run, that needs no approval, or that
    accepts a schema mismatch; none for what is asked about anyway.
    """
    asked = needs_approval(environment, wish)
    if asked and not wish.schema_mismatch:
        return []
    if environment.approval is None and not wish.schema_mismatch:
        return []
    what = database_command.in_words(wish) or f"rollback to {wish.version}"
    return outbox.environment_rows(
        platform,
        env,
        [*environment.notify, *_approvers(environment)],
        at,
        event=f"{EVENT}{wish.at:%Y%m%dT%H%M%S%f}",
        subject=f"{what} {_how(wish, asked=asked)}",
        blocks=[_opening(platform, env, what, wish, asked=asked), *_reasons(wish), _next(platform, env, wish)],
        detail={
            "phase": "Overridden" if wish.override else "Requested",
            "version": wish.version,
            "kind": wish.kind,
            "command": wish.command or "",
            "who": one_line(wish.who),
            "reason": one_line(wish.reason),
            "override": one_line(wish.override),
            "schemaMismatch": one_line(wish.schema_mismatch),
        },
    )


def for_document(before: dict[str, Any], applied: AppliedPlatform, at: datetime) -> list[Add]:
    """Make the messages about a document that an admin applied without the approval that it needed.

    They go to all approvers and channels of the document that it replaces (`before`), which nobody can look up any
    more: each carries its destination (`notify.destinations`). This version may be unable to parse that document, so it
    is read loosely.
    """
    override = applied.override
    assert override is not None
    name, who = applied.name, one_line(override.who)
    weaker = "\n".join(["What it weakens:", *(f"- {one_line(text)}" for text in override.changes)])
    what = f"applied generation {applied.generation} of the platform document without the approval that it needed"
    stays = f"{suggest('status', p=name)} shows this while the generation stands"
    blocks = [
        f"{name}: {who}, an admin of Ferryman, {what}.",
        f"Why without approval: {one_line(override.reason, limit=1_000)}",
        weaker,
        f"You don't have to do anything. {stays}; to see who did what, run {suggest('audit', p=name)}.",
    ]
    found = []
    for channel, destination in _audience(before):
        [row] = outbox.rows(
            [channel],
            owner=f"{name}#generation-{applied.generation}",
            event=f"{EVENT}{applied.generation}",
            platform=name,
            environment=None,
            subject=f"[Overridden] {name}: generation {applied.generation} was applied without approval",
            blocks=blocks,
            detail={"phase": "Overridden", "who": who, "override": one_line(override.reason)},
            at=at,
        )
        # Added here, because these names look like secrets, and are only the ARNs of some.
        detail = {**row.record.detail, "destination": destination}  # type: ignore[union-attr]
        found.append(Add(row.record.but(detail=detail), expires_at=row.expires_at))
    return found


def _how(wish: Request, *, asked: bool) -> str:
    if wish.override:
        return "runs without the approval that it needs"
    return "is requested" if asked else "starts"


def _opening(platform: str, env: str, what: str, wish: Request, *, asked: bool) -> str:
    place, who = f"{platform}/{env}", one_line(wish.who)
    if wish.override:
        return f"{place}: {who}, an admin of Ferryman, has `{what}` run without the approval that it needs."
    if asked:
        return f"{place}: {who} requested `{what}`. It starts once it is approved."
    if wish.command == "current":
        return f"{place}: {who} reads the revision of the database with `{what}`. That needs no approval."
    free = "" if wish.schema_mismatch else ", and the database stays as it is. That needs no approval"
    return f"{place}: {who} requested `{what}`. It starts at once{free}."


def _reasons(wish: Request) -> list[str]:
    lines = [f"Why without approval: {one_line(wish.override, limit=1_000)}"] if wish.override else []
    if wish.reason:
        lines.append(f"Reason: {one_line(wish.reason, limit=1_000)}")
    if wish.schema_mismatch:
        why = one_line(wish.schema_mismatch, limit=1_000)
        lines.append(f"Accepted schema mismatch: {wish.version} may not work with the database as it is ({why}).")
    return ["\n".join(lines)]


def _next(platform: str, env: str, wish: Request) -> str:
    if wish.command == "current":
        return "Nothing is changed. You don't have to do anything."
    stop = suggest("abort", env, p=platform, reason="REASON")
    return f"To follow it, run {suggest('watch', env, p=platform)}; to stop it, {stop}."


def _approvers(environment: Environment) -> list[str]:
    """Return the mailboxes of the approvers who have one. All others read the channels."""
    policy = environment.approval
    return [f"{PERSONAL}{person.name}" for person in policy.approvers if person.email] if policy is not None else []


def _audience(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each approver's mailbox and each channel once, as the document has them."""
    seen: set[str] = set()
    channels = _map(_map(document.get("spec")).get("channels"))
    for environment in _map(_map(document.get("spec")).get("environments")).values():
        policy = _map(_map(environment).get("approval"))
        for person in _list(policy.get("approvers")):
            name, email, sender = (_map(person).get("name"), _map(person).get("email"), policy.get("from"))
            if name and email and sender and str(name) not in seen:
                seen.add(str(name))
                yield f"{PERSONAL}{name}", {"mailbox": {"sender": sender, "address": email}}
        for channel in _list(_map(environment).get("notify")):
            if isinstance(channels.get(channel), dict) and f"#{channel}" not in seen:
                seen.add(f"#{channel}")
                yield str(channel), {"channel": channels[channel]}


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
