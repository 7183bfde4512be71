"""The page of a personal link, or of a shared link with unverified decisions, and the handling of its form."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ferryman.approvals import wrong_words
from ferryman.approvals.record_decision import Attempt, Verdict, closed
from ferryman.approvals.web import http, render
from ferryman.approvals.web.context import Context
from ferryman.approvals.web.http import Request
from ferryman.approvals.web.page_model import facts
from ferryman.approvals.web.page_records import PageRecords, read_page_records
from ferryman.approvals.web.progress import progress
from ferryman.approvals.web.render import Form, Question
from ferryman.decisions import voters
from ferryman.decisions.approval_rules import more_needed
from ferryman.records import Approval, How
from ferryman.suggestions import suggest

_FIELD_STATUS = {"WrongVersion": 422, "NeedsReason": 422, "Frozen": 409, "NotAllowed": 403}
_FIELDS = {"WrongVersion": "version", "NeedsReason": "reason", "Frozen": "decision", "NotAllowed": "decision"}


@dataclass(frozen=True)
class Visitor:
    """Who opened the page, and what proves their identity."""

    name: str | None
    """None on the shared page."""
    how: How
    identity: str
    here: str
    """The page's address, relative to itself: where the browser goes after the form is sent."""
    link: str
    """What wrong words are counted by: the SHA-256 of a personal link's nonce, or `shared`."""


def show(
    approval: Approval,
    visitor: Visitor,
    request: Request,
    desk: Context,
    *,
    form: Form | None = None,
    status: int = 200,
    said: str = "",
) -> dict[str, Any]:
    """Return the page: the form while a decision is open, the progress once decided, or why it is too late."""
    now = desk.clock()
    if approval.proposal is not None:
        # Rare: most links are about a deployment.
        from ferryman.approvals.web import proposal_page

        return proposal_page.show(approval, visitor, desk.store, now, form=form, status=status, said=said)
    records = read_page_records(approval, desk.store)
    over = closed(approval, records.deployment, now)
    known = facts(records, now)
    if over is None:
        pause = wrong_words.paused_until(desk.store, approval.deployment, visitor.link, now)
        question = _question(records, visitor, now, pause)
        ask = visitor.name is None
        return render.decision(known, question, form=form, status=status, said=said, ask=ask)
    if over.kind != "AlreadyDecided":
        return gone(approval, over, desk, shared=visitor.name is None)
    going = progress(approval, records.deployment, now)
    refresh = going.running and request.query.get("reload") != "off"
    return render.decision(known, None, progress=going, refresh=refresh, status=status, said=said)


def take_form(approval: Approval, visitor: Visitor, request: Request, desk: Context) -> dict[str, Any]:
    """Handle the form. The answer is the page again, with problems of the form or a decision that came first."""
    sent = request.form()
    verdict, reason = _button(sent), sent.get("reason", "")[:500]
    name = visitor.name if visitor.name is not None else sent.get("name", "")
    kept = Form(reason=reason, name=sent.get("name", "")[:80])
    if verdict is None:
        problem = Form({"decision": "Press either Approve or Reject."}, kept.reason, kept.name)
        return show(approval, visitor, request, desk, form=problem, status=422)
    if visitor.name is None and not name.strip():
        problem = Form({"name": "Enter your name: approvals are counted by name."}, kept.reason)
        return show(approval, visitor, request, desk, form=problem, status=422)
    if wrong_words.paused_until(desk.store, approval.deployment, visitor.link, desk.clock()) is not None:
        return show(approval, visitor, request, desk, form=kept, status=429)
    attempt = Attempt(
        verdict=verdict,
        name=name,
        how=visitor.how,
        identity=visitor.identity,
        version=sent.get("version", ""),
        reason=reason,
        source=request.source,
    )
    found = desk.decide_approval(approval.deployment, attempt)
    if found.kind == "WrongVersion" and _count_wrong(approval, visitor, attempt, desk):
        return show(approval, visitor, request, desk, form=kept, status=429)
    return _answer(found, approval, visitor, request, desk, kept)


def gone(approval: Approval, over: Verdict, desk: Context, *, shared: bool) -> dict[str, Any]:
    """Return the page of a request that ended without a decision: why, and what replaced it.

    On a `shared` link, neither people nor reasons are shown.
    """
    title = {
        "Expired": "This request has expired",
        "Superseded": "Replaced by another release",
        "Aborted": "This database command was stopped" if approval.command else "This deployment was stopped",
    }.get(over.kind, "This request has ended")
    why = over.message
    if shared:
        why = f"For details, run {suggest('explain', approval.environment, p=approval.platform)}."
        if over.kind == "Expired" and not approval.command:
            why = f"To request approval again, run {suggest('retry', approval.environment, p=approval.platform)}."
    text = [why, "It is too late to approve or reject it."]
    place = f"{approval.platform} / {approval.environment}"
    return render.notice(410, title, text, link=_instead(approval, desk), place=place)


def _answer(
    verdict: Verdict, approval: Approval, visitor: Visitor, request: Request, desk: Context, kept: Form
) -> dict[str, Any]:
    if verdict.counts or verdict.kind == "AlreadyYours":
        return http.redirect(visitor.here)
    # Another approver may have decided first: show what is in the table now.
    now = desk.store.approval(approval.deployment) or approval
    if verdict.kind in _FIELDS:
        problem = Form({_FIELDS[verdict.kind]: verdict.message}, kept.reason, kept.name)
        return show(now, visitor, request, desk, form=problem, status=_FIELD_STATUS[verdict.kind])
    return show(now, visitor, request, desk, status=409, said=f"Your decision came too late. {verdict.message}")


def _count_wrong(approval: Approval, visitor: Visitor, attempt: Attempt, desk: Context) -> bool:
    """Count a wrong word; tell whether typing pauses now."""
    return wrong_words.count(
        desk.store,
        approval,
        wrong_words.Typed(visitor.link, visitor.name, attempt.version, attempt.source),
        clock=desk.clock,
        new_id=desk.new_id,
    )


def _question(records: PageRecords, visitor: Visitor, now: datetime, pause: datetime | None) -> Question:
    approval, name = records.approval, visitor.name
    why_not = ""
    if name is not None and voters.has_decided(approval, name):
        missing = approval.required - len(approval.approved_by)
        why_not = f"You have approved this. {more_needed(missing)} You can still reject it."
    elif name is not None and voters.is_barred(approval, name):
        why_not = "You requested this, so somebody else must approve it. You can reject it."
    elif (stopped := records.stopped(now)) is not None:
        why_not = f"This cannot be approved now: {stopped}. You can reject it."
    paused = f"{pause:%H:%M} UTC" if pause is not None else ""
    return Question(approval.short, name, not why_not, why_not, paused, f"../{approval.deployment}" if name else "")


def _button(sent: dict[str, str]) -> Literal["approve", "reject"] | None:
    match sent.get("decision"):
        case "approve":
            return "approve"
        case "reject":
            return "reject"
        case _:
            return None


def _instead(approval: Approval, desk: Context) -> tuple[str, str] | None:
    """Return the shared page of the deployment that replaced a superseded one, if it needs approval."""
    if approval.status != "Superseded":
        return None
    active = desk.store.state(approval.platform, approval.environment).active
    if active is None or active.version != approval.superseded_by:
        return None
    if desk.store.approval(active.deployment) is None:
        return None
    # Works from a personal page and from a shared one: whatever precedes the last `a` is a prefix.
    return f"../a/{active.deployment}", "View the current request"
