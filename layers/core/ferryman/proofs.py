"""A caller's proof of identity: a signature that only they could make, bound to one call of the API. Pure.

The command signs the request `sts:GetCallerIdentity` and sends only the signature. The operator builds the same request
itself, sends it to STS, and takes the caller from STS's answer (`api.callers`). So an identity does not depend on how
the function was invoked: whoever may invoke it directly can write any event, but no signature of somebody else.

The signature covers a header with the hash of the function's ARN, the method, path, query and body, and a random value,
so a proof counts for one operator and one call. A proof for reading covers no path; it counts
for GET only, as often as it is sent within five minutes.

Source: the IAM User Guide, "Signature Version 4"; the method is that of HashiCorp Vault's AWS auth.
"""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

PROOF_HEADER = "x-ferryman-proof"
"""Header of an API call that carries the proof."""
BINDING_HEADER = "x-ferryman-binding"
"""Header of the signed request to STS that binds it to the call."""
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
_LONGEST = 12_000
"""Characters of a header value; a session token has about 1,500."""
_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-eusc": "amazonaws.eu",
}
_FIELDS = {"authorization", "date", "token", "nonce", "reads"}
_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[A-Za-z0-9]{4,128})/(?P<day>\d{8})/(?P<region>[a-z0-9-]{1,40})"
    r"/sts/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]{1,200}), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_DATE = re.compile(r"\d{8}T\d{6}Z")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{0,8192}")
_NONCE = re.compile(r"[0-9a-f]{32}")


class BadProof(Exception):
    """A proof that cannot be what the command sends."""


@dataclass(frozen=True)
class Audience:
    """The operator that a proof is for: its API function."""

    arn: str
    """Without a version or an alias."""
    region: str
    host: str
    """STS's host in that region."""


@dataclass(frozen=True)
class Call:
    """What a proof is for; None in its place: for reading."""

    method: str
    path: str
    query: str
    body: bytes


@dataclass(frozen=True)
class Proof:
    """What the caller sends along with a call."""

    authorization: str
    date: str
    """`X-Amz-Date` of the signed request: 20261201T013000Z."""
    token: str
    """`X-Amz-Security-Token`; empty for a user's own keys."""
    nonce: str
    """32 hex digits, new for each proof."""
    reads: bool = False

    def signed_at(self) -> datetime:
        """Return when the proof was signed, by the caller's clock; raise BadProof."""
        try:
            return datetime.strptime(self.date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise BadProof("its date is not one") from None


def audience(function_arn: str) -> Audience:
    """Return what a function's ARN stands for; raise ValueError."""
    parts = function_arn.split(":")
    if len(parts) not in (7, 8) or parts[0] != "arn" or parts[2] != "lambda" or parts[5] != "function":
        raise ValueError(f"{function_arn!r} is not the ARN of a Lambda function")
    return Audience(":".join(parts[:7]), parts[3], f"sts.{parts[3]}.{_SUFFIXES.get(parts[1], 'amazonaws.com')}")


def segments(path: str) -> list[str]:
    """Return the decoded parts of a raw path, as the API finds its route by them; raise ValueError."""
    return [unquote(part, errors="strict") for part in path.split("/") if part]


def parameters(query: str) -> list[tuple[str, str]]:
    """Return the decoded parameters of a raw query, in their order; raise ValueError."""
    return parse_qsl(query, keep_blank_values=True, errors="strict")


def binding(audience: Audience, nonce: str, call: Call | None) -> str:
    """Return the value of the binding header (hex). Path and query count by what the API reads in them.

    Raise ValueError when they are not text.
    """
    lines: list[object] = ["ferryman-read-v1" if call is None else "ferryman-call-v1", audience.arn, nonce]
    if call is not None:
        body = hashlib.sha256(call.body).hexdigest()
        lines += [call.method, segments(call.path), parameters(call.query), body]
    return hashlib.sha256(json.dumps(lines, separators=(",", ":")).encode()).hexdigest()


def encode(proof: Proof) -> str:
    """Return a proof as a header value."""
    data = {name: getattr(proof, name) for name in sorted(_FIELDS)}
    return base64.urlsafe_b64encode(json.dumps(data, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(text: str) -> Proof:
    """Return the proof of a header value, with every field checked by its form; raise BadProof."""
    if len(text) > _LONGEST:
        raise BadProof("it is too long")
    try:
        data = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadProof("it cannot be read") from None
    if not isinstance(data, dict) or set(data) != _FIELDS or not isinstance(data["reads"], bool):
        raise BadProof("its fields are not those of a proof")
    forms = {"authorization": _SIGNATURE, "date": _DATE, "token": _TOKEN, "nonce": _NONCE}
    for name, form in forms.items():
        if not isinstance(data[name], str) or form.fullmatch(data[name]) is None:
            raise BadProof(f"its {name} has the wrong form")
    proof = Proof(**data)
    proof.signed_at()
    return proof


def check(proof: Proof, audience: Audience) -> None:
    """Raise BadProof unless the signature is for STS in the operator's region and covers just what it has to."""
    found = _SIGNATURE.fullmatch(proof.authorization)
    if found is None:
        raise BadProof("its authorization has the wrong form")
    if found["region"] != audience.region:
        raise BadProof(f"it is signed for {found['region']}, and this operator runs in {audience.region}")
    if found["day"] != proof.date[:8]:
        raise BadProof("its dates differ")
    wanted = {"content-type", "host", "x-amz-date", BINDING_HEADER} | (
        {"x-amz-security-token"} if proof.token else set()
    )
    if found["headers"].split(";") != sorted(wanted):
        raise BadProof("its signature does not cover the headers that it has to")


def headers(proof: Proof, audience: Audience, bound: str) -> dict[str, str]:
    """Return the headers of the request to STS. Of the caller's it has only what `decode` and `check` let through."""
    token = {"x-amz-security-token": proof.token} if proof.token else {}
    return {
        "host": audience.host,
        "content-type": CONTENT_TYPE,
        "x-amz-date": proof.date,
        BINDING_HEADER: bound,
        "authorization": proof.authorization,
        **token,
    }
