"""One HTTP GET, within bounds: of address, time, size and redirects.

Called by `steps.smoke_test` through functions/smoke_test, and by `clients.image_labels`. A name is resolved once, its
addresses are judged (`clients.address_filter`), and the connection goes to the address that was judged: a name that
resolves to something else a moment later (DNS rebinding) gains nothing. TLS still verifies the certificate for the
name.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from ferryman.clients.address_filter import refusal
from ferryman.text import one_line

if TYPE_CHECKING:
    import httpx

BODY_LIMIT = 65_536
"""Bytes of a body that are read."""
_TRIED = 3
"""Addresses of one name that are tried."""
_OURS = ("connection", "content-length", "transfer-encoding", "accept-encoding", "te", "upgrade")


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    truncated: bool = False
    """The body was longer than what was read."""


Resolve = Callable[[str, int], list[str]]
Fetch = Callable[[str, Mapping[str, str], bool, float], Answer]
"""Ask (url, headers, allow_http, timeout in seconds); raise NoAnswer."""


class NoAnswer(Exception):
    """A check got no answer, or its address is not allowed: a failed attempt. No step ever raises it."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, IPv4 first: a function outside a VPC has no IPv6."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(f"the name {host} cannot be resolved ({one_line(str(error))})") from None
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return list(dict.fromkeys(str(entry[4][0]) for entry in ordered))


def fetch(
    url: str,
    headers: Mapping[str, str],
    allow_http: bool,
    timeout: float,
    *,
    resolve: Resolve = resolve,
    tls: ssl.SSLContext | None = None,
    limit: int = BODY_LIMIT,
    allow_loopback: bool = False,
) -> Answer:
    """GET a URL and return what came back, at most `limit` bytes of it (64 KB); raise NoAnswer with the reason.

    `timeout` is in seconds and bounds the whole: connecting, answering and reading. Redirects are answers like others.
    `allow_loopback` is for the local AWS, whose services are on this machine. It is no part of a document: in Lambda,
    loopback has the runtime's own interface, through which whoever reaches it can answer in the function's place.
    """
    ends = time.monotonic() + timeout
    parts = _checked(url, allow_http)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    addresses = resolve(host, port)
    for address in addresses:
        reason = refusal(address, allow_loopback=allow_loopback)
        if reason is not None:
            raise NoAnswer(f"{host} was not contacted: {reason}")
    return _ask(parts, host, port, addresses[:_TRIED], headers, ends, tls, limit)


def _checked(url: str, allow_http: bool) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise NoAnswer("the address is not a URL; write https://host/path") from None
    if parts.scheme not in ("http", "https") or not host:
        raise NoAnswer("the address is not a URL; write https://host/path")
    if parts.username is not None or parts.password is not None:
        raise NoAnswer("the address contains a user or password; checks are sent without credentials")
    if parts.scheme == "http" and not allow_http:
        raise NoAnswer("the address is plain http; use https, or set allowHttp: true in the check")
    return parts


def _ask(
    parts: SplitResult,
    host: str,
    port: int,
    addresses: list[str],
    headers: Mapping[str, str],
    ends: float,
    tls: ssl.SSLContext | None,
    limit: int,
) -> Answer:
    import httpx

    from ferryman.deadline import DeadlineTransport

    # No proxies or certificates from the environment: they would decide where the request goes.
    # Reading the certificates takes a while; plain http has no use for them.
    verify = (tls or True) if parts.scheme == "https" else False
    with httpx.Client(follow_redirects=False, trust_env=False, transport=DeadlineTransport(ends, verify)) as client:
        failure = NoAnswer(f"{host} has no address")
        for address in addresses:
            left = ends - time.monotonic()
            if left <= 0:
                break
            try:
                with client.stream(
                    "GET",
                    _target(parts, address, port),
                    headers=_headers(parts, headers),
                    timeout=httpx.Timeout(left),
                    extensions={"sni_hostname": host},
                ) as answer:
                    return _read(answer, host, limit)
            except httpx.ConnectError as error:
                failure = NoAnswer(f"{host}:{port} did not accept the connection ({one_line(str(error), limit=200)})")
            except httpx.TimeoutException:
                raise NoAnswer(f"{host}:{port} did not answer in time") from None
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
                raise NoAnswer(
                    f"{host}:{port} closed the connection ({type(error).__name__}: {one_line(str(error), limit=200)})"
                ) from None
        raise failure


def _target(parts: SplitResult, address: str, port: int) -> str:
    host = f"[{address}]" if ":" in address else address
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}:{port}{parts.path or '/'}{query}"


def _headers(parts: SplitResult, extra: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower(): value for name, value in extra.items() if name.lower() not in _OURS}
    _, _, host = parts.netloc.rpartition("@")
    return {
        "host": host,
        "user-agent": "ferryman-smoke-test",
        "accept": "*/*",
        **given,
        # Unpacking could make megabytes of the few bytes that are allowed.
        "accept-encoding": "identity",
        "connection": "close",
    }


def _read(answer: "httpx.Response", host: str, limit: int) -> Answer:
    import httpx

    body = bytearray()
    truncated = False
    try:
        for chunk in answer.iter_raw():
            body += chunk
            if len(body) > limit:
                truncated = True
                break
    except httpx.TimeoutException:
        raise NoAnswer(f"{host} answered {answer.status_code}, but its body did not end in time") from None
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status_code, headers, bytes(body[:limit]), truncated)
