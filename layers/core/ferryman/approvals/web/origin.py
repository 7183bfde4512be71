"""Whether a request came over the domain of the approval pages: CloudFront adds a header that holds a secret.

Secrets Manager keeps the value before beside the current one (`AWSPREVIOUS`, `AWSCURRENT`): both count, so a rotation
loses no request. A value of its own is used, and not origin access control: that wants a hash of the body from whoever
sends a POST, and neither a form nor Slack sends one. docs/production.md#the-url-of-the-approval-pages
"""

import hmac
import logging
from datetime import datetime, timedelta

from ferryman.approvals.web.http import Request
from ferryman.clients.aws_errors import Refusal, code_of, translated
from ferryman.clients.aws_types import MakeClient
from ferryman.clients.secrets import value_in
from ferryman.errors import TransientError, Unavailable
from ferryman.ids import Clock

HEADER = "x-ferryman-origin"
KEPT = timedelta(minutes=5)
"""How long values are used before they are read again."""
PAUSE = timedelta(seconds=10)
"""A value that is not known may be new: it is looked up at most so often, whoever sends how many."""
SHORTEST = 32
"""Characters of a value; a shorter one never counts, least of all an empty one."""
_STAGES = ("AWSCURRENT", "AWSPREVIOUS")
_LOG = logging.getLogger("ferryman")


class Origin:
    """Knows the values of the header that count. One instance lives as long as its sandbox."""

    def __init__(self, client: MakeClient, clock: Clock, secret: str) -> None:
        """`secret` is the ARN of the secret; empty when the pages have no domain of their own."""
        self._client = client
        self._clock = clock
        self._secret = secret
        self._values: list[bytes] = []
        self._tried: datetime | None = None

    def sent(self, request: Request) -> bool:
        """Tell whether the request came over the domain; always True where there is none. Raise Unavailable."""
        if not self._secret:
            return True
        presented = request.headers.get(HEADER, "").encode("utf-8", "replace")
        self._look(KEPT)
        if self._counts(presented):
            return True
        self._look(PAUSE)
        return self._counts(presented)

    def _counts(self, presented: bytes) -> bool:
        found = [hmac.compare_digest(value, presented) for value in self._values]
        return any(found)

    def _look(self, age: timedelta) -> None:
        """Read the values, if none is known or that was longer ago than `age`. When they can't be read, they stay."""
        now = self._clock()
        if not self._values or self._tried is None or now - self._tried > age:
            self._tried = now
            try:
                self._values = [value for stage in _STAGES if (value := self._read(stage))]
            except (TransientError, Refusal, ValueError) as error:
                _LOG.error("cannot read the secret of the approval pages' origin: %s", _said(error))
        if not self._values:
            raise Unavailable("no value of the approval pages' origin secret is known")

    def _read(self, stage: str) -> bytes | None:
        try:
            with translated():
                found = self._client("secretsmanager").get_secret_value(SecretId=self._secret, VersionStage=stage)
        except Refusal as error:
            # A secret that was never rotated has no value before.
            if stage == "AWSPREVIOUS" and code_of(error) == "ResourceNotFoundException":
                return None
            raise
        value = value_in(str(found.get("SecretString") or ""), "originSecret")
        if len(value) < SHORTEST:
            _LOG.error("a value of the approval pages' origin secret has fewer than %d characters", SHORTEST)
            return None
        return value.encode()


def _said(error: Exception) -> str:
    return code_of(error) if isinstance(error, Refusal) else type(error).__name__
