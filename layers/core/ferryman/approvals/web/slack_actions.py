"""Handle a button that somebody pressed in Slack. Slack expects the answer within three seconds.

Called by functions/slack_actions, the only one that can read signing secrets.
"""

import json
from typing import Any

from ferryman.approvals.record_decision import Attempt
from ferryman.approvals.web import http, slack_payload
from ferryman.approvals.web.context import SlackApp
from ferryman.approvals.web.endpoint import Log, Seen, allowed
from ferryman.approvals.web.endpoint import serve as serve_request
from ferryman.approvals.web.http import BadRequest, Request
from ferryman.approvals.web.origin import Origin
from ferryman.approvals.web.slack_payload import Press, Signing, refused
from ferryman.records import Approval


def serve(event: dict[str, Any], desk: SlackApp, log: Log, *, origin: Origin) -> dict[str, Any]:
    """Answer one request of Slack. Any path will do: a function URL has only this use."""

    def route(request: Request, seen: Seen) -> dict[str, Any]:
        seen.page = "slack"
        return allowed(request, ("POST", "OPTIONS"), _notice) or _interaction(request, desk)

    def around(request: Request, seen: Seen) -> dict[str, Any]:  # noqa: ARG001 - the shape of Route
        seen.page = "around the domain"
        return refused(403)

    return serve_request(event, origin, log, route=route, around=around, notice=_notice)


def _interaction(request: Request, desk: SlackApp) -> dict[str, Any]:
    """Answer one interaction: 401 unless Slack signed it, else 200, with a message to the person if there is one."""
    try:
        body = request.body()
    except BadRequest as error:
        return refused(413 if error.status == 413 else 401)
    if not slack_payload.plausible(request, desk.clock()):
        return refused(401)
    signed_by = slack_payload.signers(request, body, desk.secrets.of(desk.store.platforms()))
    if not signed_by:
        return refused(401)
    try:
        press = slack_payload.press(body)
    except BadRequest as error:
        return _notice(error.status, "", [str(error)])
    if press is None:
        return http.answer(200, kind=http.JSON)
    said = _pressed(press, signed_by, request, desk)
    text = {"response_type": "ephemeral", "replace_original": False, "text": said}
    if press.answer_to is not None:
        desk.respond(press.answer_to, text)
    return http.answer(200, json.dumps(text), kind=http.JSON)


def _pressed(press: Press, signed_by: list[Signing], request: Request, desk: SlackApp) -> str:
    approval = desk.store.approval(press.approval)
    ours = [item for item in signed_by if approval is not None and item.platform == approval.platform]
    if approval is None or not ours:
        # An app may decide only for the platforms whose document names its secret.
        return "This request is unknown. Look for a newer message about it."
    team = next((item.team for item in ours if item.team in press.teams), None)
    name = _approver(approval, press) if team is not None else None
    where = team or "/".join(sorted(press.teams))
    attempt = Attempt(
        verdict=press.verdict,
        # For an unknown person, the name is the Slack id. No approver has such a name; the timeline shows the attempt.
        name=name or f"Slack user {where}/{press.user}",
        how="slack",
        identity=f"{where}/{press.user}",
        confirmed=True,
        reason=press.reason,
        source=request.source,
    )
    verdict = desk.decide_approval(approval.deployment, attempt)
    if verdict.kind == "NeedsReason":
        return f"{verdict.message} Enter it in the message's reason field, then press Reject again."
    return verdict.message


def _approver(approval: Approval, press: Press) -> str | None:
    return next((item.name for item in approval.approvers if item.slack == press.user), None)


def _notice(status: int, title: str, text: list[str]) -> dict[str, Any]:  # noqa: ARG001 - the shape of Notice
    """Say something to a program: nobody reads a title here."""
    return http.answer(status, json.dumps({"error": " ".join(text)}), kind=http.JSON)
