"""The edge to STS: sending a request that somebody else signed, to learn who that was. Called by `api.callers`."""

import functools
import re
from collections.abc import Mapping

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectionError as Unreachable
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from ferryman.errors import Unavailable

_SECONDS = 3
"""To connect, and to read, in each try."""
_TRIES = 2
_ARN = re.compile(r"<Arn>(arn:[a-z-]{3,20}:(?:iam|sts)::\d{12}:[\w+=,.@/:-]{1,600})</Arn>", re.ASCII)
_CODE = re.compile(r"<Code>(\w{1,100})</Code>")
_PASSING = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded"})


class Unconfirmed(Exception):
    """STS does not confirm the signature. Its text is STS's code, as `ExpiredToken`."""


@functools.cache
def _session() -> URLLib3Session:
    """Return the one session of a sandbox; it reads no proxies from the environment: they would decide who answers."""
    return URLLib3Session(timeout=_SECONDS, max_pool_connections=1)


def caller(host: str, headers: Mapping[str, str], body: bytes, *, connect: str | None = None) -> str:
    """Return the ARN of whoever signed this request to `host`; raise Unconfirmed, or Unavailable when nobody can tell.

    `connect` replaces the place to which the connection goes: the local AWS. Redirects are not followed.
    """
    url = f"{connect.rstrip('/') if connect else f'https://{host}'}/"
    failure = "STS could not be reached"
    session = _session()
    request = AWSRequest("POST", url, dict(headers), body).prepare()
    for _ in range(_TRIES):
        try:
            answer = session.send(request)
        except (Unreachable, HTTPClientError) as error:
            failure = f"STS could not be reached ({type(error).__name__})"
            continue
        text = answer.content[:10_000].decode(errors="replace")
        if answer.status_code == 200 and (found := _ARN.search(text)):
            return found[1]
        code = found[1] if (found := _CODE.search(text)) else str(answer.status_code)
        if 400 <= answer.status_code < 500 and answer.status_code != 429 and code not in _PASSING:
            raise Unconfirmed(code)
        failure = f"STS answered {code}"
    raise Unavailable(f"{failure}, so it is not known who asks; nothing was done")
