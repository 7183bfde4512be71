"""What the two public functions share: who may send requests, the answers to failures, and what is logged.

Paths, headers and events are never logged: they contain the nonce, Slack's signature and the origin's secret.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ferryman.approvals.web import http
from ferryman.approvals.web.http import BadRequest, Request
from ferryman.approvals.web.origin import Origin
from ferryman.errors import NotFound, TransientError

READS = ("GET", "HEAD", "OPTIONS")
METHODS = (*READS, "POST")


class Log(Protocol):
    """What is needed of a logger."""

    def info(self, msg: str, **fields: Any) -> None:
        """Say what was answered."""

    def warning(self, msg: str, **fields: Any) -> None:
        """Say what a person has to change."""

    def exception(self, msg: str, **fields: Any) -> None:
        """Say what went wrong, with the stack."""


@dataclass
class Seen:
    """What may be logged about a request: the page, and the approval once it is known to exist."""

    page: str = "none"
    approval: str | None = None


Notice = Callable[[int, str, list[str]], dict[str, Any]]
"""Makes an answer that only says something: status, title, sentences."""
Route = Callable[[Request, Seen], dict[str, Any]]


def serve(
    event: dict[str, Any], origin: Origin, log: Log, *, route: Route, around: Route, notice: Notice
) -> dict[str, Any]:
    """Answer one request, also when something fails.

    `route` answers what came over the origin's domain, or any request where there is none; `around` what did not.
    """
    request, seen = http.parse(event), Seen()
    try:
        found = route(request, seen) if origin.sent(request) else around(request, seen)
    except BadRequest as error:
        found = notice(error.status, "The request could not be read", [str(error)])
    except NotFound:
        text = ["The request behind this link no longer exists.", "The command `history` shows what happened."]
        found = notice(404, "This link does not work", text)
    except TransientError as error:
        log.info("could not answer", error=type(error).__name__)
        text = ["A service that this page needs did not respond in time. Nothing was lost.", "Try again in a moment."]
        found = notice(503, "Try again in a moment", text)
        found["headers"]["retry-after"] = "5"
    except Exception as error:
        # Nothing that raises is handed the nonce: only its hash is compared, in one place that can't fail.
        log.exception("the page failed", error=type(error).__name__)
        text = ["An unexpected error occurred, and nothing was decided.", "For details, see the operator's log."]
        found = notice(500, "Something went wrong", text)
    if request.method == "HEAD":
        found["body"] = ""
    method = request.method if request.method in METHODS else "other"
    log.info("answered", method=method, page=seen.page, status=found["statusCode"], approval=seen.approval)
    return found


def allowed(request: Request, methods: tuple[str, ...], notice: Notice) -> dict[str, Any] | None:
    """Return the answer to a method that is not for this path, and to OPTIONS; None for all others."""
    names = {"allow": ", ".join(methods)}
    if request.method == "OPTIONS":
        return http.answer(204, headers=names)
    if request.method not in methods:
        refused = notice(405, "Method not allowed", [f"This page accepts {names['allow']}."])
        refused["headers"] |= names
        return refused
    return None
