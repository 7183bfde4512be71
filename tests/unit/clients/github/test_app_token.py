"""A GitHub App's way in: what GitHub is shown, how long a token is kept, and what nobody is shown."""

import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ferryman.clients.github.app_token import Installations, KeyUnusable, signed_token
from ferryman.clients.github.auth import connect
from ferryman.clients.github.client import Declined, Network
from ferryman.errors import Unavailable
from ferryman.platform import GitHub, GitHubApp
from ferryman.platform.hosts import Hosts
from unit.fakes.clock import FakeClock
from unit.fakes.github import REPOSITORY, SHA, FakeGitHub, said, streamed
from unit.fakes.secrets import FakeSecrets, arn

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any = KEY) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )


class AppGitHub(FakeGitHub):
    """Hands out tokens of installation 77, and checks who asks."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock, self.given = clock, 0
        self.tokens = set()

    def _respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/app/installations/77/access_tokens":
            return super()._respond(request)
        header, claims, signature = request.headers["authorization"].removeprefix("Bearer ").split(".")
        KEY.public_key().verify(decoded(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        said_to_be = json.loads(decoded(claims))
        now = self.clock().timestamp()
        assert said_to_be["iss"] == "Iv1"
        assert said_to_be["iat"] < now < said_to_be["exp"] <= now + 600
        self.given += 1
        self.tokens = {f"ghs_hunter2_{self.given}"}
        expires = (self.clock() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return httpx.Response(201, json={"token": f"ghs_hunter2_{self.given}", "expires_at": expires})


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture
def github(clock: FakeClock) -> AppGitHub:
    return AppGitHub(clock)


@pytest.fixture
def commit(github: AppGitHub, clock: FakeClock) -> Any:
    kept = Installations()
    app = GitHubApp(client_id="Iv1", installation_id="77", private_key_secret_arn=arn("key"))

    def ask(secret: str = "") -> str | None:
        secrets = FakeSecrets(key=secret or pem())
        document = GitHub(repository=REPOSITORY, app=app)
        return connect(
            document, secrets, platform="scr", hosts=Hosts(), clock=clock, network=github.network, installations=kept
        ).commit("abc1234")

    return ask


def test_one_token_lasts_until_shortly_before_its_end(commit: Any, github: AppGitHub, clock: FakeClock) -> None:
    assert [commit(), commit()] == [SHA, SHA]
    clock.forward(minutes=54)
    commit()
    assert github.given == 1
    clock.forward(minutes=2)
    commit()
    assert github.given == 2


def test_a_token_that_was_revoked_is_replaced(commit: Any, github: AppGitHub) -> None:
    commit()
    github.tokens = set()
    assert commit() == SHA
    assert github.given == 2


@pytest.mark.parametrize(
    "secret",
    ["hunter2", pem(ec.generate_private_key(ec.SECP256R1())), pem()[:200], '{"privateKey": "hunter2"}'],
    ids=["no-pem", "another-kind", "cut", "json-without-pem"],
)
def test_a_key_that_is_none(commit: Any, secret: str) -> None:
    with pytest.raises(KeyUnusable, match="no RSA private key") as caught:
        commit(secret)
    assert "hunter2" not in str(caught.value)
    assert "PRIVATE" not in str(caught.value)


@pytest.mark.parametrize("answer", [{"token": 5}, {}, ["x"]], ids=["number", "nothing", "list"])
def test_an_answer_without_a_token(github: AppGitHub, clock: FakeClock, answer: Any) -> None:
    network = Network(httpx.MockTransport(lambda request: streamed(httpx.Response(201, json=answer))))
    with pytest.raises(Unavailable, match="malformed"):
        Installations().token("https://api.github.com", "Iv1", "77", pem, clock=clock, network=network)


def test_an_app_that_is_gone(github: AppGitHub, clock: FakeClock) -> None:
    network = Network(httpx.MockTransport(lambda request: streamed(said(404, "Integration not found"))))
    with pytest.raises(Declined, match="404: Integration not found"):
        Installations().token("https://api.github.com", "Iv1", "77", pem, clock=clock, network=network)


def test_an_expiry_that_makes_no_sense_is_not_relied_on(clock: FakeClock) -> None:
    given: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        given.append(1)
        return streamed(httpx.Response(201, json={"token": "x", "expires_at": "soon"}))

    kept = Installations()
    for _ in range(2):
        kept.token("https://x", "Iv1", "77", pem, clock=clock, network=Network(httpx.MockTransport(answer)))
    assert len(given) == 2


def test_the_signed_token_tells_no_key(clock: FakeClock) -> None:
    header = json.loads(decoded(signed_token("Iv1", pem(), clock()).split(".")[0]))
    assert header == {"alg": "RS256", "typ": "JWT"}
