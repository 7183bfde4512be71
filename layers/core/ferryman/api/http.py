"""Requests and responses: payload format 2.0 of a Lambda function URL, with JSON bodies. Pure.

Format: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from ferryman import proofs
from ferryman.lazy_model import LazyModel
from ferryman.text import redacted

Problem = tuple[str, str]


class HttpError(Exception):
    """A request that fails, with an HTTP status, a code and a message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        problems: list[Problem] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.problems = problems or []
        self.headers = headers or {}
        super().__init__(message)


class Body(LazyModel):
    """Base class of request bodies: camelCase, without unknown fields, so that typos are found."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


@dataclass(frozen=True)
class Request:
    """One parsed request."""

    method: str
    segments: list[str]
    query: dict[str, str]
    body: Any
    who: str = ""
    """IAM ARN of the caller, proved by `callers`; empty before."""
    size: int = 0
    """Length of the body in bytes."""
    params: dict[str, str] = field(default_factory=dict)
    """Values of the `{placeholders}` of the route."""
    source: str = ""
    """IP address and user agent, as stated in the request: for the audit, not for decisions."""

    path: str = "/"
    """As it was sent."""
    raw_query: str = ""
    raw_body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case. They hold signatures: never log them."""

    def flag(self, name: str) -> bool:
        """Return a query parameter that is `true` or `false` (default)."""
        value = self.query.get(name, "false").lower()
        if value not in ("true", "false"):
            raise HttpError(400, "BadRequest", f"query parameter {name} is {value!r}; use true or false")
        return value == "true"

    def number(self, name: str, default: int, most: int) -> int:
        """Return a query parameter that is a whole number from 1 to `most`."""
        value = self.query.get(name, str(default))
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most):
            raise HttpError(400, "BadRequest", f"query parameter {name} is {value!r}; use a number from 1 to {most}")
        return int(value)

    def read[B: Body](self, model: type[B]) -> B:
        """Return the body as a model; a missing body counts as an empty one."""
        try:
            return model.model_validate({} if self.body is None else self.body)
        except ValidationError as error:
            problems = [(".".join(map(str, item["loc"])), _wrong(item)) for item in error.errors(include_url=False)]
            told = "; ".join(f"{path}: {message}" if path else message for path, message in problems)
            raise HttpError(422, "InvalidRequest", f"the request body is not valid: {told}", problems) from None


def _wrong(item: ErrorDetails) -> str:
    """Say what is wrong with a field of a body, and what to write."""
    field, kind = item["loc"][-1] if item["loc"] else "", item["type"]
    if kind == "missing" or (kind == "string_too_short" and item.get("ctx", {}).get("min_length") == 1):
        if field == "reason":
            return "must not be empty; say why, for the timeline and for everyone who asks"
        return "is missing" if kind == "missing" else "must not be empty"
    if kind == "extra_forbidden":
        return "unknown field; update the operator if the command is newer"
    return item["msg"]


def parse(event: dict[str, Any]) -> Request:
    """Parse an invocation event, whose sender may be anybody; raise HttpError 400 if the body is not JSON.

    Of the query only the raw text counts: it is what a caller's proof covers.
    """
    context = event.get("requestContext", {})
    text = _text(event)
    raw_query = str(event.get("rawQueryString") or "")
    path = str(event.get("rawPath", "/"))
    try:
        segments, parameters = proofs.segments(path), proofs.parameters(raw_query)
    except ValueError:
        raise HttpError(400, "BadRequest", "the path or the query is not UTF-8") from None
    query = dict(parameters)
    if len(query) != len(parameters):
        raise HttpError(400, "BadRequest", "a query parameter is given twice; give each once")
    return Request(
        method=str(context.get("http", {}).get("method", "GET")).upper(),
        segments=segments,
        query=query,
        body=_json(text),
        size=len(text),
        source=source_of(context),
        path=path,
        raw_query=raw_query,
        raw_body=text,
        headers={str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()},
    )


def source_of(context: dict[str, Any]) -> str:
    """Return the source of a request from the event's `requestContext`: `203.0.113.7, ferryman/1.0`."""
    http = context.get("http") or {}
    said = (str(http.get(name) or "") for name in ("sourceIp", "userAgent"))
    return ", ".join("".join(c for c in text if c.isprintable())[:200] for text in said if text)


def how(request: Request) -> dict[str, str]:
    """Return how and from where a request came, as timelines keep it for the audit."""
    return {"how": "cli", "source": request.source}


def _text(event: dict[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode(errors="surrogatepass")  # what is no text is no JSON either
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise HttpError(400, "BadRequest", "the body is not valid base64") from None


def _json(text: bytes) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HttpError(400, "BadRequest", f"the body is not JSON: {error}") from None


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the response of a function URL."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
        "body": json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def failure(error: HttpError) -> dict[str, Any]:
    """Return the response to a request that failed."""
    problems = [{"path": path, "message": redacted(message)} for path, message in error.problems]
    body = {"error": {"code": error.code, "message": redacted(str(error)), "problems": problems}}
    return answer(error.status, body, error.headers)
