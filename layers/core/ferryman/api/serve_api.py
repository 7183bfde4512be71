"""The paths of the API, and the one function that answers a call."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from ferryman.access import Verb
from ferryman.api import (
    apply,
    approve,
    audit,
    auth,
    control,
    delete,
    diff,
    doctor,
    freeze_and_waive,
    ownership,
    proposal,
    read,
    start,
    stored_document,
)
from ferryman.api.authorize import authorize
from ferryman.api.context import Context
from ferryman.api.http import HttpError, Request, answer, failure, parse
from ferryman.api.refusals import recorded
from ferryman.errors import (
    ClaimLost,
    Conflict,
    FerrymanError,
    InvalidDocument,
    NotFound,
    NotPermitted,
    Refused,
    TransientError,
)

Route = Callable[[Context, Request], dict[str, Any]]
Prove = Callable[[Request], str]
"""Return the ARN of whoever sent a request; raise HttpError or FerrymanError when that is not proved."""

Unproved = Callable[[Request | None, HttpError], None]
"""Take note of a call whose sender is not proved."""


def _ignored(request: Request | None, error: HttpError) -> None:
    """Take no note of it."""


_PLATFORM = "v1/platforms/{platform}"
_ENV = f"{_PLATFORM}/environments/{{environment}}"

ROUTES: tuple[tuple[str, str, Verb, Route], ...] = (
    ("GET", "v1/auth", Verb.ASK, auth.whoami),
    ("GET", "v1/auth/can-i", Verb.ASK, auth.can_i),
    ("GET", "v1/doctor", Verb.ASK, doctor.operator),
    ("GET", "v1/platforms", Verb.ASK, read.platforms),
    ("GET", _PLATFORM, Verb.VIEW_PLATFORM, read.platform),
    ("PUT", _PLATFORM, Verb.APPLY, apply.apply),
    ("POST", f"{_PLATFORM}/retire", Verb.RETIRE, ownership.retire),
    ("GET", f"{_PLATFORM}/document", Verb.VIEW_DOCUMENT, stored_document.document),
    ("GET", f"{_PLATFORM}/proposal", Verb.VIEW_PLATFORM, proposal.proposal),
    ("GET", f"{_PLATFORM}/doctor", Verb.VIEW_PLATFORM, doctor.platform),
    ("GET", f"{_PLATFORM}/channels", Verb.VIEW_PLATFORM, doctor.channels),
    ("POST", f"{_PLATFORM}/channels/test", Verb.TEST, doctor.send_test),
    ("GET", f"{_PLATFORM}/releases", Verb.VIEW_PLATFORM, read.releases),
    ("GET", f"{_PLATFORM}/tags/{{tag}}", Verb.VIEW_PLATFORM, read.tag),
    ("GET", _ENV, Verb.VIEW, read.environment),
    ("POST", f"{_ENV}/delete", Verb.DELETE, delete.environment),
    ("GET", f"{_ENV}/history", Verb.VIEW, read.history),
    ("GET", f"{_ENV}/explain", Verb.VIEW, read.explanation),
    ("GET", f"{_ENV}/events", Verb.VIEW, read.events),
    ("GET", f"{_ENV}/deployments/{{deployment}}", Verb.VIEW, read.deployment),
    ("POST", f"{_ENV}/verify", Verb.VERIFY, control.verify),
    ("POST", f"{_ENV}/abort", Verb.ABORT, control.abort),
    ("POST", f"{_ENV}/retry", Verb.RETRY, control.retry),
    ("POST", f"{_ENV}/redeploy", Verb.REDEPLOY, control.redeploy),
    ("POST", f"{_ENV}/hold", Verb.HOLD, control.hold),
    ("POST", f"{_ENV}/resume", Verb.RESUME, control.resume),
    ("POST", f"{_ENV}/deploy", Verb.DEPLOY, start.deploy),
    ("POST", f"{_ENV}/rollback", Verb.ROLLBACK, start.rollback),
    ("POST", f"{_ENV}/migrate", Verb.MIGRATE, start.migrate),
    ("POST", f"{_ENV}/freeze", Verb.FREEZE, freeze_and_waive.freeze),
    ("POST", f"{_ENV}/thaw", Verb.THAW, freeze_and_waive.thaw),
    ("POST", f"{_ENV}/waive", Verb.WAIVE, freeze_and_waive.waive),
    ("GET", f"{_ENV}/diff", Verb.VIEW, diff.diff),
    ("GET", f"{_ENV}/approval", Verb.VIEW, approve.approval),
    ("POST", f"{_ENV}/approve", Verb.APPROVE, approve.approve),
    ("POST", f"{_ENV}/reject", Verb.REJECT, approve.reject),
    ("GET", f"{_PLATFORM}/audit", Verb.VIEW_PLATFORM, audit.audit),
)


class Log(Protocol):
    """What is needed of a logger."""

    def info(self, msg: str, **fields: Any) -> None:
        """Say what was asked."""

    def exception(self, msg: str, **fields: Any) -> None:
        """Say what went wrong, with the stack."""


def serve(
    event: dict[str, Any], operator: Context, log: Log, prove: Prove, unproved: Unproved = _ignored
) -> dict[str, Any]:
    """Answer one call of the function URL; every error becomes an answer that says what to do.

    `unproved` is told of each call that is refused before its sender is known.
    """
    try:
        request = _proved(event, prove, unproved)
        route, verb, params = find(request.method, request.segments)
        request = replace(request, params=params)
        log.info("request", who=request.who, method=request.method, path=request.path, **params)
        with recorded(operator, request, verb):
            authorize(operator, request, verb)
            return answer(200, route(operator, request))
    except HttpError as error:
        return failure(error)
    except FerrymanError as error:
        return failure(_as_http(error))
    except Exception as error:
        log.exception("request failed")
        told = f"the operator failed with {type(error).__name__}: {error}; for details, see the log of serve_api"
        return failure(HttpError(500, "Internal", told))


def _proved(event: dict[str, Any], prove: Prove, unproved: Unproved) -> Request:
    request = None
    try:
        request = parse(event)
        return replace(request, who=prove(request))
    except HttpError as error:
        unproved(request, error)
        raise


def find(method: str, segments: list[str]) -> tuple[Route, Verb, dict[str, str]]:
    """Return the route of a path, what it does, and the values of the path's names; raise HttpError 404 or 405."""
    allowed = []
    for accepted, pattern, verb, route in ROUTES:
        params = _match(pattern.split("/"), segments)
        if params is not None and accepted == method:
            return route, verb, params
        if params is not None:
            allowed.append(accepted)
    path = "/" + "/".join(segments)
    if allowed:
        names = ", ".join(allowed)
        raise HttpError(405, "MethodNotAllowed", f"{path} accepts {names}, not {method}", headers={"allow": names})
    raise HttpError(404, "NotFound", f"there is nothing at {path}; the API begins at /v1/platforms")


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    params = {}
    for expected, found in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            params[expected.strip("{}")] = found
        elif expected != found:
            return None
    return params


def _as_http(error: FerrymanError) -> HttpError:
    match error:
        case NotFound():
            return HttpError(404, "NotFound", str(error))
        case NotPermitted():
            return HttpError(403, "NotPermitted", str(error))
        case InvalidDocument():
            return HttpError(422, "InvalidDocument", "the document is not valid; nothing was changed", error.problems)
        case Refused() | Conflict() | ClaimLost():
            return HttpError(409, type(error).__name__, str(error))
        case TransientError():
            return HttpError(503, type(error).__name__, f"{error}; try again", headers={"retry-after": "1"})
        case _:
            return HttpError(422, type(error).__name__, str(error))
