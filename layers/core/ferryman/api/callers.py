"""Who calls: taken from a proof that the caller signed and STS confirms, never from what the event says.

Called by `serve_api`, once for each call. See `ferryman.proofs` for what a proof is, and docs/security.md.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ferryman import proofs
from ferryman.api.http import HttpError, Request
from ferryman.clients.sts import Unconfirmed
from ferryman.errors import AlreadyThere
from ferryman.ids import Clock
from ferryman.proofs import Audience, BadProof, Call, Proof
from ferryman.records import UsedProof
from ferryman.records.writes import Once
from ferryman.store.table import Store

WINDOW = timedelta(minutes=5)
"""How far the caller's clock may be from ours."""
_REMEMBERED = timedelta(seconds=60)
"""How long a confirmed proof for reading counts without asking STS again."""
_MOST = 500
"""Proofs for reading that one sandbox remembers."""

AskSts = Callable[[str, Mapping[str, str], bytes], str]
"""Send a signed request (host, headers, body) and return the signer's ARN; raise Unconfirmed or Unavailable."""


@dataclass
class Callers:
    """Proves callers of one operator. One per sandbox: it remembers proofs for reading."""

    audience: Audience
    store: Store
    clock: Clock
    ask: AskSts
    _known: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def prove(self, request: Request) -> str:
        """Return the caller's ARN; raise HttpError 403 when it is not proved, Unavailable when STS does not answer."""
        header = request.headers.get(proofs.PROOF_HEADER, "")
        if not header:
            raise _unproved(
                "ProofMissing",
                "this request does not prove who sends it. Update the `ferryman` command: the operator is newer",
            )
        try:
            proof = proofs.decode(header)
            proofs.check(proof, self.audience)
        except BadProof as error:
            raise _unproved("ProofInvalid", f"the proof of identity is not valid: {error}") from None
        now = self.clock()
        if abs(now - proof.signed_at()) > WINDOW:
            raise _unproved(
                "ProofExpired",
                f"the proof of identity was signed at {proof.signed_at():%H:%M:%S} UTC, and it is {now:%H:%M:%S} UTC "
                "now. Set your clock, then try again",
            )
        return self._read(proof, header, request, now) if proof.reads else self._once(proof, request, now)

    def _read(self, proof: Proof, header: str, request: Request, now: datetime) -> str:
        if request.method != "GET":
            raise _unproved("ProofInvalid", "the proof of identity is for reading, and this request is not")
        key = hashlib.sha256(header.encode()).hexdigest()
        found = self._known.get(key)
        if found is not None and now < found[1]:
            return found[0]
        who = self._confirmed(proof, None)
        self._known = {old: known for old, known in self._known.items() if now < known[1]}
        if len(self._known) < _MOST:
            self._known[key] = (who, now + _REMEMBERED)
        return who

    def _once(self, proof: Proof, request: Request, now: datetime) -> str:
        call = Call(request.method, request.path, request.raw_query, request.raw_body)
        who = self._confirmed(proof, call)
        bound = proofs.binding(self.audience, proof.nonce, call)
        try:
            # Kept for longer than the proof could count, whatever the clocks say.
            self.store.write(Once(UsedProof(binding=bound, at=now), expires_at=int((now + 12 * WINDOW).timestamp())))
        except AlreadyThere:
            raise _unproved(
                "ProofUsed", "this request was received before; it was not carried out a second time. Sign it anew"
            ) from None
        return who

    def _confirmed(self, proof: Proof, call: Call | None) -> str:
        bound = proofs.binding(self.audience, proof.nonce, call)
        try:
            return self.ask(self.audience.host, proofs.headers(proof, self.audience, bound), proofs.BODY)
        except Unconfirmed as error:
            code = str(error)
            # A wrong secret does not get as far as here: AWS checks the signature for the function URL first.
            other = "It is for another operator or call: compare FERRYMAN_API_FUNCTION with the output ApiFunctionArn"
            todo = other if code == "SignatureDoesNotMatch" else "Log in again, then try again"
            raise _unproved("ProofRefused", f"AWS does not confirm who signed this request ({code}). {todo}") from None


def _unproved(code: str, message: str) -> HttpError:
    return HttpError(403, code, message)
