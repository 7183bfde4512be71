"""Proofs of identity for the operator's API: see `ferryman.proofs`."""

import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ferryman import proofs
from ferryman.proofs import Call, Proof

_REUSED_SECONDS = 50.0
"""How long a proof for reading is sent again; the operator remembers it for a minute."""


class Prover:
    """Signs proofs for one operator. `credentials` are botocore's; `function` is the ARN of the API's function."""

    def __init__(self, function: str, credentials: Any, now: Callable[[], float] = time.time) -> None:
        self._audience = proofs.audience(function)
        self._credentials = credentials
        self._now = now
        self._reading: tuple[str, float] | None = None
        self._reused = False

    def proof(self, method: str, url: str, body: bytes) -> str:
        """Return the header value for a request: for GET one that may be sent again, else one for this request only."""
        if method != "GET":
            parts = urlsplit(url)
            return self._sign(Call(method, parts.path, parts.query, body))
        now = self._now()
        self._reused = self._reading is not None and self._reading[1] - _REUSED_SECONDS <= now < self._reading[1]
        if self._reading is None or not self._reused:
            self._reading = (self._sign(None), now + _REUSED_SECONDS)
        return self._reading[0]

    def renewed(self) -> bool:
        """Tell whether the last proof was an older one, and have the next one signed anew.

        This machine may have slept in between.
        """
        reused, self._reused, self._reading = self._reused, False, None
        return reused

    def _sign(self, call: Call | None) -> str:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        nonce = secrets.token_hex(16)
        bound = {proofs.BINDING_HEADER: proofs.binding(self._audience, nonce, call)}
        request = AWSRequest(
            method="POST",
            url=f"https://{self._audience.host}/",
            data=proofs.BODY,
            headers={"content-type": proofs.CONTENT_TYPE, **bound},
        )
        SigV4Auth(self._credentials.get_frozen_credentials(), "sts", self._audience.region).add_auth(request)
        return proofs.encode(
            Proof(
                authorization=request.headers["Authorization"],
                date=request.headers["X-Amz-Date"],
                token=request.headers.get("X-Amz-Security-Token") or "",
                nonce=nonce,
                reads=call is None,
            )
        )
