"""HTTP client for the operator's API: SigV4 signatures, timeouts, and retries of requests that are safe to repeat."""

import json
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from urllib.request import getproxies

from ferryman import __version__, proofs
from ferryman.suggestions import suggest
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.prover import Prover

if TYPE_CHECKING:
    import ssl

    import httpx

_ATTEMPTS = 4
_CONNECT_SECONDS, _CALL_SECONDS = 5.0, 35.0
"""Of one attempt: connecting, and all of it. The operator's function may take 30 s."""
_CLOCK_SECONDS = 240.0
"""How far the clock may be off before a refusal is blamed on it; AWS and the operator allow five minutes."""
_AGAIN = frozenset({429, 500, 502, 503, 504})
_EXITS = {400: Exit.BAD_INPUT, 404: Exit.BAD_INPUT, 405: Exit.BAD_INPUT, 422: Exit.BAD_INPUT, 409: Exit.REFUSED}


class ApiError(Stop):
    """The API answered with an error."""

    def __init__(self, status: int, message: str, problems: list[tuple[str, str]], code: str = "") -> None:
        self.status = status
        self.problems = problems
        # A 403 with a code comes from the operator, which knows the caller; `Proof…`: it does not.
        not_yours = status == 403 and code not in ("", "Forbidden") and not code.startswith("Proof")
        super().__init__(Exit.REFUSED if not_yours else _EXITS.get(status, Exit.UNREACHABLE), message)


class Api:
    """The operator's API.

    `credentials` are botocore's. `connect` (`host:port`, or `http://host:port`) replaces the host of `url` for the
    connection only; the signature and the Host header keep it, as with curl's --connect-to. `function` is the ARN of
    the API's function, to which proofs of identity are bound; None: the operator is older and asks for none.
    """

    def __init__(
        self,
        url: str,
        *,
        credentials: Any,
        region: str,
        function: str | None = None,
        connect: str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._region = region
        self._connect = connect
        self._pause = pause
        self._prover = Prover(function, credentials) if function else None

    @staticmethod
    def path(*segments: str) -> str:
        """Return a path of URL-encoded segments."""
        return "/" + "/".join(quote(segment, safe="") for segment in segments)

    def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """Send a GET request."""
        return self._call("GET", path, query, None, repeatable=True)

    def put(self, path: str, body: Any, **query: str | int | None) -> dict[str, Any]:
        """Send a PUT request."""
        return self._call("PUT", path, query, body, repeatable=True)

    def post(self, path: str, body: Any = None, *, repeatable: bool, **query: str | None) -> dict[str, Any]:
        """Send a POST request; `repeatable` if sending it twice has the same effect as sending it once."""
        return self._call("POST", path, dict(query), {} if body is None else body, repeatable=repeatable)

    def _call(
        self, method: str, path: str, query: dict[str, str | int | None], body: Any, *, repeatable: bool
    ) -> dict[str, Any]:
        import httpx

        given = urlencode({name: value for name, value in query.items() if value is not None}, quote_via=quote)
        url = f"{self._url}{path}{'?' if given else ''}{given}"
        data = b"" if body is None else json.dumps(body).encode()
        certificates = httpx.create_ssl_context(trust_env=self._connect is None)
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                with self._client(certificates) as client:
                    response = client.send(self._request(client, method, url, data))
            except httpx.TransportError as error:
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if last or not (repeatable or unsent):
                    raise Stop(Exit.UNREACHABLE, self._unreachable(error, unsent)) from None
                self._pause(_delay(attempt))
                continue
            if response.status_code == 403 and method == "GET" and self._prover is not None and self._prover.renewed():
                continue
            if last or response.status_code not in _AGAIN or not (repeatable or response.status_code == 429):
                bound = self._prover is not None
                return _read(response.status_code, response.content, response.headers.get("date", ""), bound=bound)
            self._pause(_delay(attempt))
        raise AssertionError("the last attempt returns or raises")

    def _client(self, certificates: "ssl.SSLContext") -> "httpx.Client":
        """Return a client for one request, which ends within `_CALL_SECONDS`; through a proxy these bound each read."""
        import httpx

        from ferryman.deadline import DeadlineTransport

        timeout = httpx.Timeout(_CALL_SECONDS, connect=_CONNECT_SECONDS)
        if self._connect is None and getproxies():
            return httpx.Client(timeout=timeout, verify=certificates)
        transport = DeadlineTransport(time.monotonic() + _CALL_SECONDS, certificates)
        return httpx.Client(timeout=timeout, trust_env=False, transport=transport)

    def _request(self, client: Any, method: str, url: str, data: bytes) -> Any:
        """Return a request that is signed for the real URL and goes to `connect`, if set."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        given = {"content-type": "application/json"}
        if self._prover is not None:
            given[proofs.PROOF_HEADER] = self._prover.proof(method, url, data)
        signed = AWSRequest(method=method, url=url, data=data, headers=given)
        SigV4Auth(self._credentials.get_frozen_credentials(), "lambda", self._region).add_auth(signed)
        parts = urlsplit(url)
        headers = {**dict(signed.headers.items()), "host": parts.netloc, "user-agent": f"ferryman/{__version__}"}
        extensions: dict[str, Any] = {}
        if self._connect:
            scheme, _, place = self._connect.rpartition("://")
            url = urlunsplit((scheme or parts.scheme, place.rstrip("/"), parts.path, parts.query, ""))
            extensions = {"sni_hostname": parts.hostname}
        return client.build_request(method, url, content=data, headers=headers, extensions=extensions)

    def _unreachable(self, error: Exception, unsent: bool) -> str:
        place = self._connect or self._url
        why = str(error) or type(error).__name__
        if unsent:
            return f"cannot reach the operator's API at {place}: {why}. Check --api-url (FERRYMAN_API_URL)"
        return (
            f"no response from the operator's API at {place}: {why}. Check with "
            f"{suggest('status')} before you try again"
        )


def _delay(attempt: int) -> float:
    """Return seconds before the next attempt: about 0.2, 0.4, 0.8, with jitter."""
    return float(0.2 * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret


def _read(status: int, content: bytes, date: str, *, bound: bool) -> dict[str, Any]:
    """Return the answer's body, or raise what it says. `bound`: the request carried a proof of identity."""
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if status == 200 and isinstance(body, dict):
        return body
    error = body.get("error") if isinstance(body, dict) else None
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    if status in (401, 403) and (error is None or code.startswith("Proof")) and (off := _clock_is_off(date)):
        raise Stop(Exit.UNREACHABLE, off)
    if code == "ProofMissing" and not bound:
        raise Stop(
            Exit.UNREACHABLE,
            "this operator asks who calls it, and the command does not know its function. Set FERRYMAN_API_FUNCTION to "
            "the output ApiFunctionArn of the operator's stack, or leave --api-url and FERRYMAN_API_URL out. If the "
            "stack is being updated, try again when it is done",
        )
    if isinstance(error, dict):
        problems = [(str(item["path"]), str(item["message"])) for item in error.get("problems", [])]
        raise ApiError(status, str(error.get("message", "the error has no message")), problems, code)
    told = str(body.get("Message") or body.get("message") or "") if isinstance(body, dict) else ""
    if status in (401, 403):
        raise Stop(
            Exit.UNREACHABLE,
            f"AWS denied the request: {told or status}. Your identity (`aws sts get-caller-identity`) needs "
            "lambda:InvokeFunctionUrl and lambda:InvokeFunction on the operator's function serve_api: attach the "
            "stack's managed policy CallerPolicyArn",
        )
    raise Stop(
        Exit.UNREACHABLE,
        f"the operator's API returned HTTP {status}{f' {told}' if told else ''}. See the log of the function serve_api "
        "for the cause",
    )


def _clock_is_off(date: str) -> str | None:
    """Return what to do when this machine's clock is not that of the answer (its header `date`): signatures expire."""
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        ahead = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError):
        return None
    if abs(ahead) <= _CLOCK_SECONDS:
        return None
    where = "ahead of" if ahead > 0 else "behind"
    return (
        f"the clock of this machine is {abs(ahead) / 60:.0f} minutes {where} AWS's, so AWS refuses its signatures. "
        "Set it, then try again"
    )
