"""The page of a shared link: it shows little, cannot decide, and sends personal links to approvers."""

from typing import Any

from ferryman.approvals import personal_links, wrong_words
from ferryman.approvals.record_decision import closed
from ferryman.approvals.web import decision_page, http, render
from ferryman.approvals.web.context import Context
from ferryman.approvals.web.decision_page import Visitor
from ferryman.approvals.web.http import Request
from ferryman.approvals.web.render import Form, SharedView
from ferryman.records import Approval, Deployment

SENT = (
    "If this is the address of an approver who has not decided yet, a personal link will arrive in a few minutes. "
    "You can request another one after five minutes."
)
"""The same answer for everyone, so that it does not reveal who the approvers are."""


def show(
    approval: Approval, request: Request, desk: Context, *, form: Form | None = None, status: int = 200
) -> dict[str, Any]:  # fmt: skip
    """Return the page: minimal facts, or all facts and a form if the document allows unverified decisions."""
    said = SENT if request.query.get("asked") else ""
    if approval.allow_unverified:
        return decision_page.show(approval, _visitor(approval), request, desk, form=form, status=status, said=said)
    if approval.proposal is not None:
        # Rare: most links are about a deployment.
        from ferryman.approvals.web import proposal_page

        view = proposal_page.shared(approval, desk.store, desk.clock())
        return render.shared(view, form=form, said=said, status=status) if view else proposal_page.gone(approval, "")
    deployment = desk.store.deployment(approval.platform, approval.environment, approval.deployment)
    over = closed(approval, deployment, desk.clock())
    if over is not None and over.kind != "AlreadyDecided":
        return decision_page.gone(approval, over, desk, shared=True)
    return render.shared(_view(approval, deployment, pending=over is None), form=form, said=said, status=status)


def take_form(approval: Approval, request: Request, desk: Context) -> dict[str, Any]:
    """Handle one of the page's forms: the request for a personal link or, where allowed, the decision."""
    sent = request.form()
    if "decision" in sent and approval.allow_unverified:
        return decision_page.take_form(approval, _visitor(approval), request, desk)
    if "decision" in sent:
        text = ["You cannot decide with a shared link.", "Request your personal link."]
        return render.notice(403, "Use a personal link", text, link=(approval.deployment, "Request my personal link"))
    email = sent.get("email", "").strip()
    if not email:
        problem = Form({"email": "Enter the email address at which you are listed as an approver."})
        return show(approval, request, desk, form=problem, status=422)
    personal_links.ask_for_link(desk.store, approval.deployment, email, desk.clock, desk.new_id, source=request.source)
    return http.redirect(f"{approval.deployment}?asked=1")


def _visitor(approval: Approval) -> Visitor:
    here = approval.deployment
    return Visitor(name=None, how="shared link", identity="unverified", here=here, link=wrong_words.SHARED)


def _view(approval: Approval, deployment: Deployment, *, pending: bool) -> SharedView:
    what = f"Release {approval.tag}" if approval.tag else "A database command" if approval.command else "A release"
    if pending:
        status = "Waiting for approval"
        have = f"{len(approval.approved_by)} of {approval.required}"
        expires = f"{approval.expires_at:%Y-%m-%d %H:%M} UTC"
        sentence = f"{what} is waiting for approval ({have}). The request expires at {expires}."
    elif approval.status == "Rejected":
        status, sentence = "Rejected", f"{what} was rejected."
    else:
        status, sentence = "Approved", f"{what} was approved. Status of the deployment: {deployment.phase}."
    return SharedView(approval.platform, approval.environment, status, sentence, pending)
