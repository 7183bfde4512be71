"""STS on the local AWS confirms a signature as AWS does, or refuses it."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ferryman import proofs
from ferryman.clients import sts
from ferryman.proofs import Call, Proof
from ferryman_cli.prover import Prover
from ferryman_local.emulator import Emulator
from ferryman_local.patches.private_attributes import module

FUNCTION = "arn:aws:lambda:eu-west-1:000000000000:function:api"
CALL = Call("POST", "/v1/x", "", b"{}")


@pytest.fixture(scope="module")
def people(aws: Callable[[str], Any]) -> dict[str, tuple[Credentials, str]]:
    """Name → credentials, and the ARN that they stand for."""
    iam, name = aws("iam"), f"jo-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
    taken = aws("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="kim")
    session = taken["Credentials"]
    return {
        "root": (Credentials("test", "test"), "arn:aws:iam::000000000000:root"),
        "user": (Credentials(key["AccessKeyId"], key["SecretAccessKey"]), f"arn:aws:iam::000000000000:user/{name}"),
        "session": (
            Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]),
            taken["AssumedRoleUser"]["Arn"],
        ),
    }


@pytest.fixture
def ask(emulator: Emulator) -> Callable[..., str]:
    """Ask with a proof as the operator does; `without` leaves a header out."""

    def ask(proof: Proof, call: Call = CALL, *, without: str = "") -> str:
        audience = proofs.audience(FUNCTION)
        headers = proofs.headers(proof, audience, proofs.binding(audience, proof.nonce, call))
        headers.pop(without, None)
        return sts.caller(audience.host, headers, proofs.BODY, connect=emulator.endpoint)

    return ask


def proof(credentials: Credentials) -> Proof:
    return proofs.decode(Prover(FUNCTION, credentials).proof(CALL.method, f"https://x{CALL.path}", CALL.body))


WHO = pytest.mark.parametrize("who", ["root", "user", "session"])


@WHO
def test_who_signed(ask: Callable[..., str], people: dict[str, tuple[Credentials, str]], who: str) -> None:
    credentials, arn = people[who]

    assert ask(proof(credentials)) == arn


@WHO
def test_what_is_not_confirmed(ask: Callable[..., str], people: dict[str, tuple[Credentials, str]], who: str) -> None:
    credentials, _ = people[who]
    wrong = Credentials(credentials.access_key, "wrong", credentials.token)
    cases: list[tuple[Proof, Call, str]] = [
        (proof(wrong), CALL, ""),
        (proof(credentials), Call("POST", "/v1/other", "", b"{}"), ""),
        (proof(credentials), CALL, proofs.BINDING_HEADER),
        *([(proof(credentials), CALL, "x-amz-security-token")] if credentials.token else []),
    ]
    for made, call, without in cases:
        with pytest.raises(sts.Unconfirmed):
            ask(made, call, without=without)


def test_nobodys_key(ask: Callable[..., str]) -> None:
    with pytest.raises(sts.Unconfirmed, match="InvalidClientTokenId"):
        ask(proof(Credentials("AKIA0000000000000000", "x")))


VECTORS = {  # AWS's Signature Version 4 test suite: AKIDEXAMPLE, us-east-1, service, 20150830T123600Z
    "get-vanilla": (
        "GET",
        b"",
        {},
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "post-x-www-form-urlencoded": (
        "POST",
        b"Param1=value1",
        {"content-type": "application/x-www-form-urlencoded"},
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
}
VECTOR_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize("name", VECTORS)
def test_the_published_vectors(name: str) -> None:
    """Both sides compute what AWS published: the command's signer and the emulator's check."""
    method, body, more, signature = VECTORS[name]
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z", **more}
    signed = ";".join(sorted(headers))
    authorization = (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, "
        f"Signature={signature}"
    )
    request = AWSRequest(method=method, url="https://example.amazonaws.com/", data=body, headers=headers)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", VECTOR_SECRET), "service", "us-east-1")
    assert signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request) == signature

    sigv4 = module("core.sigv4")
    sent = {**headers, "authorization": authorization}
    parsed = sigv4.parse_header_signature(sent)
    check = sigv4.header_signature_failure
    assert check(parsed, VECTOR_SECRET, method, "/", {}, sent, body) is None
    assert check(parsed, VECTOR_SECRET, method, "/", {}, sent, body + b"x")[0] == "SignatureDoesNotMatch"
    assert check(parsed, "other", method, "/", {}, sent, body)[0] == "SignatureDoesNotMatch"
