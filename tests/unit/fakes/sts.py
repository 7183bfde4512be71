"""STS as the operator asks it: recomputes the signature of GetCallerIdentity from the secrets that it knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ferryman.clients.sts import Unconfirmed


@dataclass
class FakeSts:
    """`people`: access key → whose it is; each one's secret is `secret-of-<access key>`."""

    people: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    """Access key → its session token, for temporary ones."""
    asked: int = 0
    fails: list[Exception] = field(default_factory=list)
    """Errors to raise first."""

    def credentials(self, key: str) -> Credentials:
        return Credentials(key, f"secret-of-{key}", self.tokens.get(key))

    def ask(self, host: str, headers: Mapping[str, str], body: bytes) -> str:
        self.asked += 1
        if self.fails:
            raise self.fails.pop(0)
        key, _, region, service, _ = headers["authorization"].partition("Credential=")[2].partition(",")[0].split("/")
        if key not in self.people:
            raise Unconfirmed("InvalidClientTokenId")
        if headers.get("x-amz-security-token") != self.tokens.get(key):
            raise Unconfirmed("InvalidClientTokenId")
        names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        request = AWSRequest(
            method="POST", url=f"https://{host}/", data=body, headers={name: headers[name] for name in names}
        )
        request.context["timestamp"] = headers["x-amz-date"]
        signer = SigV4Auth(Credentials(key, f"secret-of-{key}"), service, region)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        if not headers["authorization"].endswith(f"Signature={signer.signature(text, request)}"):
            raise Unconfirmed("SignatureDoesNotMatch")
        return self.people[key]
