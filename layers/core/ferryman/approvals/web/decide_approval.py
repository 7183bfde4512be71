"""The public endpoint: routes each request to its page. GET, HEAD and OPTIONS only read; POST decides or requests.

Called by functions/decide_approval. Paths and events are never logged, because they contain the nonce.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from ferryman.approvals import link_tokens
from ferryman.approvals.web import decision_page, http, render, shared_page, slack_actions
from ferryman.approvals.web.context import Context
from ferryman.approvals.web.decision_page import Visitor
from ferryman.approvals.web.http import BadRequest, Request
from ferryman.errors import NotFound, TransientError
from ferryman.records import Approval

_ID = re.compile(r"[0-9A-Z]{1,40}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,128}")
_READS = ("GET", "HEAD", "OPTIONS")
_METHODS = (*_READS, "POST")


class Log(Protocol):
    """What is needed of a logger."""

    def info(self, msg: str, **fields: Any) -> None:
        """Say what was answered."""

    def exception(self, msg: str, **fields: Any) -> None:
        """Say what went wrong, with the stack."""


@dataclass
class _Seen:
    """What may be logged about a request: the page, and the approval once it is known to exist."""

    page: str = "none"
    approval: str | None = None


def serve(event: dict[str, Any], desk: Context, log: Log) -> dict[str, Any]:
    """Answer one request with a page, also when something fails."""
    request, seen = http.parse(event), _Seen()
    try:
        found = _route(request, desk, seen)
    except BadRequest as error:
        found = render.notice(error.status, "The request could not be read", [str(error)])
    except NotFound:
        text = ["The request behind this link no longer exists.", "To see what happened, run `ferryman history`."]
        found = render.notice(404, "This link does not work", text)
    except TransientError as error:
        log.info("could not answer", error=type(error).__name__)
        text = ["A service that this page needs did not respond in time. Nothing was lost.", "Try again in a moment."]
        found = render.notice(503, "Try again in a moment", text)
        found["headers"]["retry-after"] = "5"
    except Exception as error:
        # Nothing that raises is handed the nonce: only its hash is compared, in one place that can't fail.
        log.exception("the page failed", error=type(error).__name__)
        text = ["An unexpected error occurred, and nothing was decided.", "For details, see the operator's log."]
        found = render.notice(500, "Something went wrong", text)
    if request.method == "HEAD":
        found["body"] = ""
    method = request.method if request.method in _METHODS else "other"
    log.info("answered", method=method, page=seen.page, status=found["statusCode"], approval=seen.approval)
    return found


def _route(request: Request, desk: Context, seen: _Seen) -> dict[str, Any]:
    match request.segments:
        case ("slack",):
            seen.page = "slack"
            return _allowed(request, ("POST", "OPTIONS")) or slack_actions.serve(request, desk)
        case ("a", id):
            seen.page = "shared"
            return _allowed(request, _METHODS) or _shared(id, request, desk, seen)
        case ("a", id, nonce):
            seen.page = "personal"
            return _allowed(request, _METHODS) or _personal(id, nonce, request, desk, seen)
        case _:
            return render.notice(404, "Page not found", ["Open the complete link from your mail or chat."])


def _allowed(request: Request, methods: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the answer to a method that is not for this path, and to OPTIONS."""
    names = {"allow": ", ".join(methods)}
    if request.method == "OPTIONS":
        return http.answer(204, headers=names)
    if request.method not in methods:
        refused = render.notice(405, "Method not allowed", [f"This page accepts {names['allow']}."])
        refused["headers"] |= names
        return refused
    return None


def _find(id: str, desk: Context, seen: _Seen) -> Approval | None:
    approval = desk.store.approval(id) if _ID.fullmatch(id) else None
    seen.approval = approval.deployment if approval else None
    return approval


def _shared(id: str, request: Request, desk: Context, seen: _Seen) -> dict[str, Any]:
    approval = _find(id, desk, seen)
    if approval is None:
        return render.notice(404, "This link does not work", ["Open the complete link from the message."])
    return (
        shared_page.take_form(approval, request, desk)
        if request.method == "POST"
        else shared_page.show(approval, request, desk)
    )


def _personal(id: str, nonce: str, request: Request, desk: Context, seen: _Seen) -> dict[str, Any]:
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
    # The address is relative: what a browser sees may have a prefix that is cut off before it gets here.
    visitor = Visitor(name=name, how="mail", identity=_identity(approval, name), here=nonce)
    if request.method == "POST":
        return decision_page.take_form(approval, visitor, request, desk)
    return decision_page.show(approval, visitor, request, desk)


def _identity(approval: Approval, name: str) -> str:
    approver = approval.approver(name)
    return approver.email or name if approver else name
