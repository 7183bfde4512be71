"""The paths of the API, and the one function that answers a call."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from ferryman.api import apply, approve, audit, control, diff, freeze_and_waive, proposal, read, start
from ferryman.api.context import Context
from ferryman.api.http import HttpError, Request, answer, failure, parse
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

_PLATFORM = "v1/platforms/{platform}"
_ENV = f"{_PLATFORM}/environments/{{environment}}"

ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("GET", "v1/platforms", read.platforms),
    ("GET", _PLATFORM, read.platform),
    ("PUT", _PLATFORM, apply.apply),
    ("GET", f"{_PLATFORM}/document", read.document),
    ("GET", f"{_PLATFORM}/proposal", proposal.proposal),
    ("GET", f"{_PLATFORM}/releases", read.releases),
    ("GET", f"{_PLATFORM}/tags/{{tag}}", read.tag),
    ("GET", _ENV, read.environment),
    ("GET", f"{_ENV}/history", read.history),
    ("GET", f"{_ENV}/explain", read.explanation),
    ("GET", f"{_ENV}/events", read.events),
    ("GET", f"{_ENV}/deployments/{{deployment}}", read.deployment),
    ("POST", f"{_ENV}/verify", control.verify),
    ("POST", f"{_ENV}/abort", control.abort),
    ("POST", f"{_ENV}/retry", control.retry),
    ("POST", f"{_ENV}/redeploy", control.redeploy),
    ("POST", f"{_ENV}/hold", control.hold),
    ("POST", f"{_ENV}/resume", control.resume),
    ("POST", f"{_ENV}/deploy", start.deploy),
    ("POST", f"{_ENV}/rollback", start.rollback),
    ("POST", f"{_ENV}/migrate", start.migrate),
    ("POST", f"{_ENV}/freeze", freeze_and_waive.freeze),
    ("POST", f"{_ENV}/thaw", freeze_and_waive.thaw),
    ("POST", f"{_ENV}/waive", freeze_and_waive.waive),
    ("GET", f"{_ENV}/diff", diff.diff),
    ("GET", f"{_ENV}/approval", approve.approval),
    ("POST", f"{_ENV}/approve", approve.approve),
    ("POST", f"{_ENV}/reject", approve.reject),
    ("GET", f"{_PLATFORM}/audit", audit.audit),
)


class Log(Protocol):
    """What is needed of a logger."""

    def info(self, msg: str, **fields: Any) -> None:
        """Say what was asked."""

    def exception(self, msg: str, **fields: Any) -> None:
        """Say what went wrong, with the stack."""


def serve(event: dict[str, Any], operator: Context, log: Log, prove: Prove) -> dict[str, Any]:
    """Answer one call of the function URL; every error becomes an answer that says what to do."""
    try:
        request = parse(event)
        request = replace(request, who=prove(request))
        route, params = find(request.method, request.segments)
        log.info("request", who=request.who, method=request.method, path=request.path, **params)
        return answer(200, route(operator, replace(request, params=params)))
    except HttpError as error:
        return failure(error)
    except FerrymanError as error:
        return failure(_as_http(error))
    except Exception as error:
        log.exception("request failed")
        told = f"the operator failed with {type(error).__name__}: {error}; for details, see the log of serve_api"
        return failure(HttpError(500, "Internal", told))


def find(method: str, segments: list[str]) -> tuple[Route, dict[str, str]]:
    """Return the route of a path and the values of its names; raise HttpError 404 or 405."""
    allowed = []
    for verb, pattern, route in ROUTES:
        params = _match(pattern.split("/"), segments)
        if params is not None and verb == method:
            return route, params
        if params is not None:
            allowed.append(verb)
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
