"""GitHub's REST API, within bounds: of time, size, hosts and tries.

Called by `clients.github.*` only. No answer, however slow, long or odd, leads to anything but one of three errors:
Throttled, Unavailable, or Declined. The key goes to the API's own host, into no error and no log line.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from ferryman.clients.retry_after import wait_in
from ferryman.errors import Throttled, Unavailable
from ferryman.platform.hosts import origin_of
from ferryman.text import one_line

if TYPE_CHECKING:
    import httpx

ANSWER_LIMIT = 10_000_000
"""Bytes. A comparison of two versions quotes all their changes."""
BUDGET_SECONDS = 16.0
"""For all requests of one client: with what an App's token takes, it has to fit into a Lambda of 30 s."""
_TRIES = 3
_REDIRECTS = 2
_CONNECT_SECONDS, _READ_SECONDS = 3.0, 8.0

Bearer = Callable[[bool], str]
"""Return the key; with True: GitHub refused the last one, get another if that is possible."""


class Declined(Exception):
    """GitHub understood and said no (status 4xx): told in words, and not tried again. No step ever raises it."""

    def __init__(self, status: int, message: str, codes: frozenset[str] = frozenset()) -> None:
        self.status = status
        self.codes = codes
        """What each error of a 422 is called, as `already_exists`."""
        super().__init__(f"GitHub answered {status}: {message}")


@dataclass(frozen=True)
class Network:
    """The network, and two uses of time (seconds) between requests. Tests replace them."""

    transport: "httpx.BaseTransport | None" = None
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


REAL_NETWORK = Network()


class Api:
    """One API, with a key. Make one for each invocation: its budget of time does not come back."""

    def __init__(
        self, url: str, bearer: Bearer, network: Network = REAL_NETWORK, budget: float = BUDGET_SECONDS
    ) -> None:
        self._url = url.rstrip("/")
        self._bearer = bearer
        self._network = network
        self._ends = network.monotonic() + budget

    def get(self, path: str, **query: str | int) -> Any:
        """Ask, up to three times where that may help; return the answer's JSON."""
        return self._ask("GET", path, {name: str(value) for name, value in query.items()}, None)

    def find(self, path: str, **query: str | int) -> Any:
        """Ask for what may not be there: None for 404."""
        try:
            return self.get(path, **query)
        except Declined as error:
            if error.status == 404:
                return None
            raise

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make something. After a lost answer it is not sent again: the caller has to look first."""
        return an_object(self._ask("POST", path, {}, body))

    def _ask(self, method: str, path: str, query: dict[str, str], body: dict[str, Any] | None) -> Any:
        renewed = False
        for attempt in range(1, _TRIES + 1):
            try:
                return self._once(method, self._url + path, query, body, renewed=renewed)
            except Declined as error:
                if error.status != 401 or renewed:
                    raise
                renewed = True
            except _Slower as error:
                self._wait(error, error.retry_after, attempt)
            except Unavailable as error:
                if method != "GET":
                    raise
                self._wait(error, 0.5 * 2**attempt, attempt)
        raise Unavailable("GitHub did not answer after several attempts")

    def _wait(self, error: Exception, seconds: float, attempt: int) -> None:
        """Pause before another try, or raise the error when there is no time or try left."""
        if attempt == _TRIES or seconds > self._ends - self._network.monotonic() - _CONNECT_SECONDS:
            raise error
        self._network.sleep(seconds)

    def _once(self, method: str, url: str, query: dict[str, str], body: dict[str, Any] | None, *, renewed: bool) -> Any:
        headers = {
            "authorization": f"Bearer {self._bearer(renewed)}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
            "user-agent": "ferryman",
            "accept-encoding": "identity",
        }
        for _ in range(_REDIRECTS + 1):
            status, answered, content = self._send(method, url, query, body, headers)
            if status not in (301, 302, 307, 308):
                return _read(status, answered, content)
            # A renamed repository answers from its new path; no key leaves for another host.
            target = _joined(url, answered.get("location", ""))
            if target is None or (method != "GET" and status in (301, 302)):
                raise Declined(status, "it has moved; set spec.github.repository to its current name")
            url, query = target, {}
        raise Unavailable("GitHub redirects in a loop")

    def _send(
        self, method: str, url: str, query: dict[str, str], body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        import httpx

        from ferryman.deadline import DeadlineTransport

        left = self._ends - self._network.monotonic()
        if left <= 0:
            raise Unavailable("GitHub took too long")
        transport = self._network.transport or DeadlineTransport(time.monotonic() + left)
        timeout = httpx.Timeout(min(_READ_SECONDS, left), connect=min(_CONNECT_SECONDS, left))
        try:
            with (
                httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False, transport=transport) as client,
                client.stream(method, url, params=query or None, json=body, headers=headers) as answer,
            ):
                content = bytearray()
                for chunk in answer.iter_raw():
                    content += chunk
                    if len(content) > ANSWER_LIMIT:
                        raise Declined(answer.status_code, "the answer is too large")
                    if self._network.monotonic() > self._ends:
                        raise Unavailable("GitHub took too long")
                return answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, bytes(content)
        except httpx.TimeoutException:
            raise Unavailable("GitHub did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            # Not the error's text: it may quote a header.
            raise Unavailable(f"GitHub could not be reached, or disconnected ({type(error).__name__})") from None


class _Slower(Throttled):
    """GitHub asked for a pause, and has done nothing of what was asked."""

    def __init__(self, message: str, retry_after: float) -> None:
        self.retry_after: float = retry_after
        super().__init__(message)


def part(text: str) -> str:
    """Return text as one part of a path."""
    return quote(text, safe="")


def an_object(data: Any) -> dict[str, Any]:
    """Return data if it is a JSON object; raise Unavailable for anything else: that was not GitHub."""
    if not isinstance(data, dict):
        raise Unavailable("GitHub's answer is malformed: a JSON object was expected")
    return data


def objects(data: Any) -> list[dict[str, Any]]:
    """Return data if it is a list of JSON objects; raise Unavailable for anything else."""
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise Unavailable("GitHub's answer is malformed: a list was expected")
    return data


def text_of(data: dict[str, Any], name: str) -> str:
    """Return a field that has to be text; raise Unavailable when it is not."""
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise Unavailable(f"GitHub's answer is malformed: it lacks {name}")
    return value


def _read(status: int, headers: dict[str, str], content: bytes) -> Any:
    import json

    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    words = one_line(str(data.get("message", "")), limit=200) if isinstance(data, dict) else ""
    if status == 429 or (status == 403 and _is_limit(headers, words)):
        seconds = wait_in(headers)
        raise _Slower(
            f"GitHub's rate limit is used up{f' ({words})' if words else ''}",
            # Without a word of how long, its documentation says a minute: longer than we have.
            60.0 if seconds is None else seconds,
        )
    if status >= 500:
        raise Unavailable(f"GitHub answered {status}")
    if 200 <= status < 300:
        if data is None:
            kind = one_line(headers.get("content-type", "no type"), limit=60)
            raise Unavailable(f"GitHub's answer is malformed: {status} with {kind} that is not JSON")
        return data
    raise Declined(status, words or "without a reason", _codes(data))


def _is_limit(headers: dict[str, str], words: str) -> bool:
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or "rate limit" in words.lower()


def _codes(data: Any) -> frozenset[str]:
    errors = data.get("errors") if isinstance(data, dict) else None
    found = errors if isinstance(errors, list) else []
    return frozenset(str(item.get("code")) for item in found if isinstance(item, dict))


def _joined(url: str, location: str) -> str | None:
    """Return where a redirect leads; None when that is another host, or nowhere."""
    try:
        target = urljoin(url, location)
    except ValueError:
        return None
    origin = origin_of(target)
    return target if origin is not None and origin == origin_of(url) else None
