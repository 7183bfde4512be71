"""The pages: route each request to its page. GET, HEAD and OPTIONS only read; POST decides or requests.

Called by functions/decide_approval. Slack's requests have a function of their own; those that still come here are
passed on to it.
"""

import re
from datetime import datetime
from typing import Any

from ferryman.approvals import link_tokens, standing
from ferryman.approvals.web import decision_page, http, render, shared_page, slack_payload
from ferryman.approvals.web.context import Pages
from ferryman.approvals.web.decision_page import Visitor
from ferryman.approvals.web.endpoint import METHODS, Log, Seen, allowed
from ferryman.approvals.web.endpoint import serve as serve_request
from ferryman.approvals.web.http import Request
from ferryman.approvals.web.origin import Origin
from ferryman.decisions.approval_rules import link_ended
from ferryman.records import Approval
from ferryman.suggestions import suggest

_ID = re.compile(r"[0-9A-Z]{1,40}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,128}")


def serve(event: dict[str, Any], desk: Pages, log: Log, *, origin: Origin, domain: str = "") -> dict[str, Any]:
    """Answer one request with a page. `domain` is the address of the pages, if they have one of their own."""

    def route(request: Request, seen: Seen) -> dict[str, Any]:
        return _route(event, request, desk, seen, log)

    def around(request: Request, seen: Seen) -> dict[str, Any]:
        seen.page = "around the domain"
        return _around(request, domain)

    return serve_request(event, origin, log, route=route, around=around, notice=render.notice)


def _route(event: dict[str, Any], request: Request, desk: Pages, seen: Seen, log: Log) -> dict[str, Any]:
    match request.segments:
        case ("slack",):
            seen.page = "slack"
            return allowed(request, ("POST", "OPTIONS"), render.notice) or _slack(event, request, desk, log)
        case ("a", id):
            seen.page = "shared"
            return allowed(request, METHODS, render.notice) or _shared(id, request, desk, seen)
        case ("a", id, nonce):
            seen.page = "personal"
            return allowed(request, METHODS, render.notice) or _personal(id, nonce, request, desk, seen)
        case _:
            return render.notice(404, "Page not found", ["Open the complete link from your mail or chat."])


def _around(request: Request, domain: str) -> dict[str, Any]:
    """Answer what did not come over the domain. Nothing is read; an old link leads to the domain."""
    match request.segments:
        case ("a", id) if _ID.fullmatch(id):
            path = f"a/{id}"
        case ("a", id, nonce) if _ID.fullmatch(id) and _NONCE.fullmatch(nonce):
            path = f"a/{id}/{nonce}"
        case _:
            path = ""
    if path and domain and request.method in ("GET", "HEAD"):
        return http.moved(f"{domain.rstrip('/')}/{path}")
    text = ["The approval pages have an address of their own, and take nothing here.", "Open the link from your mail."]
    return render.notice(403, "This is not the address of the approval pages", text)


def _slack(event: dict[str, Any], request: Request, desk: Pages, log: Log) -> dict[str, Any]:
    """Pass on what Slack sends to the address that it had before it got a function of its own."""
    if slack_payload.too_large(request):
        return slack_payload.refused(413)
    if not slack_payload.plausible(request, desk.clock()):
        # Not worth an invocation. What looks right is verified by the function that has the secrets.
        return slack_payload.refused(401)
    log.warning("Slack still sends to the approval pages: enter the stack's output SlackUrl as its Request URL")
    return desk.pass_on(event)


def _find(id: str, desk: Pages, seen: Seen) -> Approval | None:
    approval = desk.store.approval(id) if _ID.fullmatch(id) else None
    seen.approval = approval.deployment if approval else None
    return approval


def _shared(id: str, request: Request, desk: Pages, seen: Seen) -> dict[str, Any]:
    approval = _find(id, desk, seen)
    if approval is None:
        return render.notice(404, "This link does not work", ["Open the complete link from the message."])
    if (ended := _ended(approval, desk)) is not None:
        return ended
    return (
        shared_page.take_form(approval, request, desk)
        if request.method == "POST"
        else shared_page.show(approval, request, desk)
    )


def _personal(id: str, nonce: str, request: Request, desk: Pages, seen: Seen) -> dict[str, Any]:
    approval = _find(id, desk, seen)
    name = link_tokens.holder(approval, nonce) if approval is not None and _NONCE.fullmatch(nonce) else None
    if approval is None or name is None:
        # The same answer whether the approval exists or not, so that guessing reveals nothing.
        text = [
            "It is incomplete, was replaced by a newer one, or is for another release.",
            "Open the complete link from your newest mail, or request a new link.",
        ]
        link = (f"../{id}", "Request a new link") if _ID.fullmatch(id) else None
        return render.notice(404, "This link does not work", text, link=link)
    if (closed := _ended(approval, desk) or _revoked(approval, name, desk)) is not None:
        return closed
    # The address is relative: what a browser sees may have a prefix that is cut off before it gets here.
    visitor = Visitor(
        name=name, how="mail", identity=_identity(approval, name), here=nonce, link=link_tokens.hashed(nonce)
    )
    if request.method == "POST":
        return decision_page.take_form(approval, visitor, request, desk)
    return decision_page.show(approval, visitor, request, desk)


def _ended(approval: Approval, desk: Pages) -> dict[str, Any] | None:
    """Return the answer to a link whose deployment ended a day ago."""
    now: datetime = desk.clock()
    if approval.open_at(now):
        return None
    about = approval.proposal is None
    deployment = desk.store.deployment(approval.platform, approval.environment, approval.deployment) if about else None
    if not link_ended(approval, deployment, now):
        return None
    text = [
        "Links end 24 hours after the deployment that they are about.",
        f"To see what happened, run {suggest('history', approval.environment, p=approval.platform)}.",
    ]
    return render.notice(410, "This link has ended", text, place=f"{approval.platform} / {approval.environment}")


def _revoked(approval: Approval, name: str, desk: Pages) -> dict[str, Any] | None:
    """Return the answer to the link of somebody whom the document no longer lists with this address."""
    applied = desk.store.find_platform(approval.platform)
    lost = standing.lost(approval, name, "mail", applied.document if applied else {}, desk.text)
    if lost is None:
        return None
    text = [
        "You are no longer an approver."
        if lost == "removed"
        else "Your mail address in the platform document has changed since this link was sent.",
        "Another approver must decide, or the request has to be made again.",
    ]
    return render.notice(410, "This link was revoked", text)


def _identity(approval: Approval, name: str) -> str:
    approver = approval.approver(name)
    return approver.email or name if approver else name
