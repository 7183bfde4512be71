"""Who calls: a signature that STS confirms, for this operator, this call, now and once."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ferryman import proofs
from ferryman.api.callers import Callers
from ferryman.api.http import HttpError, Request, parse
from ferryman.errors import Throttled, Unavailable
from ferryman.proofs import Call, Proof
from ferryman.store.table import Store
from ferryman_cli.prover import Prover
from unit.api_world import ENV, JO, KIM, event
from unit.fakes.sts import FakeSts

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:ferryman-ServeApi"
OTHER = "arn:aws:lambda:eu-west-1:123456789012:function:other-ServeApi"
URL = "https://abc.lambda-url.eu-west-1.on.aws"
BODY = b'{"reason":"demo"}'


@dataclass
class Operator:
    """One operator, a fake STS, and what a caller sends."""

    store: Store
    sts: FakeSts = field(
        default_factory=lambda: FakeSts({"AKIAJO": JO, "ASIAKIM": KIM}, {"ASIAKIM": "session/token+=="})
    )
    late: timedelta = timedelta()
    """How far the operator's clock is ahead of the caller's."""

    def __post_init__(self) -> None:
        self.callers = self.sandbox()

    def sandbox(self, function: str = FUNCTION) -> Callers:
        clock = lambda: datetime.now(UTC) + self.late  # noqa: E731 - botocore signs with the real time
        return Callers(audience=proofs.audience(function), store=self.store, clock=clock, ask=self.sts.ask)

    def header(
        self, method: str, path: str, body: bytes = b"", *, key: str = "AKIAJO", function: str = FUNCTION
    ) -> str:
        return Prover(function, self.sts.credentials(key)).proof(method, f"{URL}{path}", body)

    def prove(self, header: str, method: str = "POST", path: str = f"{ENV}/hold", body: bytes = BODY) -> str:
        return self.callers.prove(request(header, method, path, body))

    def refused(self, header: str, *arguments: Any) -> str:
        with pytest.raises(HttpError) as caught:
            self.prove(header, *arguments)
        assert caught.value.status == 403
        return caught.value.code


def request(header: str, method: str = "POST", path: str = f"{ENV}/hold", body: bytes = BODY) -> Request:
    path, _, query = path.partition("?")
    made = event(method, path, body=body, who=None) | {"rawQueryString": query}
    return parse(made | {"headers": {"X-Ferryman-Proof": header} if header else {}})


@pytest.fixture
def operator(store: Store) -> Operator:
    return Operator(store)


@pytest.mark.parametrize(("key", "who"), [("AKIAJO", JO), ("ASIAKIM", KIM)], ids=["user", "session"])
@pytest.mark.parametrize("path", [f"{ENV}/hold", f"{ENV}/a%20b%2Fc?x=1&y=%2F%C3%A9"])
def test_a_caller_is_who_signed(operator: Operator, key: str, who: str, path: str) -> None:
    assert operator.prove(operator.header("POST", path, BODY, key=key), "POST", path) == who


def test_without_a_proof_the_command_is_told_to_be_updated(operator: Operator) -> None:
    with pytest.raises(HttpError, match="Update the `ferryman` command") as caught:
        operator.prove("")
    assert (caught.value.status, caught.value.code) == (403, "ProofMissing")
    assert operator.sts.asked == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("PUT", f"{ENV}/hold", BODY, id="method"),
        pytest.param("POST", "/v1/platforms/scr/environments/production/hold", BODY, id="path"),
        pytest.param("POST", f"{ENV}/hold?force=true", BODY, id="query"),
        pytest.param("POST", f"{ENV}%2Fhold", BODY, id="path-that-is-split-elsewhere"),
        pytest.param("POST", f"{ENV}/hold", b'{"reason":"other"}', id="body"),
        pytest.param("POST", f"{ENV}/hold", b"", id="no-body"),
    ],
)
def test_a_proof_counts_for_the_call_that_it_was_made_for(
    operator: Operator, method: str, path: str, body: bytes
) -> None:
    header = operator.header("POST", f"{ENV}/hold", BODY)

    assert operator.refused(header, method, path, body) == "ProofRefused"
    assert operator.prove(header) == JO


def test_a_proof_for_another_operator_does_not_count(operator: Operator) -> None:
    assert operator.refused(operator.header("POST", f"{ENV}/hold", BODY, function=OTHER)) == "ProofRefused"


def test_the_operator_has_one_name_whatever_alias_it_was_called_by(operator: Operator) -> None:
    operator.callers = operator.sandbox(f"{FUNCTION}:live")

    assert operator.prove(operator.header("POST", f"{ENV}/hold", BODY)) == JO


def test_a_call_is_carried_out_once(operator: Operator) -> None:
    header = operator.header("POST", f"{ENV}/hold", BODY)
    assert operator.prove(header) == JO

    assert operator.refused(header) == "ProofUsed"
    operator.callers = operator.sandbox()
    assert operator.refused(header) == "ProofUsed"
    assert operator.prove(operator.header("POST", f"{ENV}/hold", BODY)) == JO


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(f"{ENV}?dryRun=true&dryRun=false", b"", id="parameter-twice"),
        pytest.param(f"{ENV}/%FF", b"", id="path-not-text"),
        pytest.param(f"{ENV}?a=%FE", b"", id="query-not-text"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_before_it_is_signed_for(path: str, body: bytes) -> None:
    with pytest.raises(HttpError) as caught:
        request("", "PUT", path, body)
    assert (caught.value.status, caught.value.code) == (400, "BadRequest")


def test_the_order_of_parameters_is_signed(operator: Operator) -> None:
    header = operator.header("POST", f"{ENV}/hold?a=1&b=2", BODY)

    assert operator.refused(header, "POST", f"{ENV}/hold?b=2&a=1") == "ProofRefused"


class TestReading:
    def test_one_proof_serves_for_a_minute(self, operator: Operator) -> None:
        prover = Prover(FUNCTION, operator.sts.credentials("AKIAJO"))
        for path in ("/v1/platforms", ENV, f"{ENV}/history"):
            assert operator.prove(prover.proof("GET", URL + path, b""), "GET", path, b"") == JO
        assert operator.sts.asked == 1

        operator.late = timedelta(seconds=61)
        assert operator.prove(prover.proof("GET", URL + ENV, b""), "GET", ENV, b"") == JO
        assert operator.sts.asked == 2

    def test_the_command_signs_anew_before_the_minute_is_over(self, operator: Operator) -> None:
        now = [0.0]
        prover = Prover(FUNCTION, operator.sts.credentials("AKIAJO"), now=lambda: now[0])
        first = prover.proof("GET", URL, b"")
        now[0] = 49
        assert prover.proof("GET", URL, b"") == first
        now[0] = 51
        assert prover.proof("GET", URL, b"") != first

    def test_it_is_for_reading_only(self, operator: Operator) -> None:
        header = operator.header("GET", ENV)

        assert operator.prove(header, "GET", ENV, b"") == JO
        for method in ("POST", "PUT", "DELETE", "HEAD", ""):
            assert operator.refused(header, method, ENV, b"") == "ProofInvalid"

    def test_what_was_refused_is_not_remembered(self, operator: Operator) -> None:
        header = operator.header("GET", ENV)
        known = operator.sts.people.pop("AKIAJO")
        assert operator.refused(header, "GET", ENV, b"") == "ProofRefused"

        operator.sts.people["AKIAJO"] = known
        assert operator.prove(header, "GET", ENV, b"") == JO

    def test_it_does_not_become_one_for_a_call(self, operator: Operator) -> None:
        proof = proofs.decode(operator.header("GET", ENV))

        assert operator.refused(proofs.encode(changed(proof, reads=False))) == "ProofRefused"

    def test_what_is_remembered_is_bounded(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ferryman.api.callers._MOST", 3)
        for _ in range(9):
            assert operator.prove(operator.header("GET", ENV), "GET", ENV, b"") == JO
        assert len(operator.callers._known) == 3


def changed(proof: Proof, **fields: Any) -> Proof:
    return Proof(**{**proof.__dict__, **fields})


def signed(
    key: str = "AKIAJO", *, secret: str | None = None, region: str = "eu-west-1", service: str = "sts", **more: str
) -> Proof:
    """A proof as a hostile caller may make it: signed with what it has, for what it likes."""
    audience = proofs.audience(FUNCTION)
    nonce = "0" * 32
    bound = proofs.binding(audience, nonce, Call("POST", f"{ENV}/hold", "", BODY))
    headers = {"content-type": proofs.CONTENT_TYPE, proofs.BINDING_HEADER: bound, **more}
    made = AWSRequest(
        method="POST",
        url=f"https://{audience.host}/",
        data=proofs.BODY,
        headers={name: value for name, value in headers.items() if value},
    )
    SigV4Auth(Credentials(key, secret or f"secret-of-{key}"), service, region).add_auth(made)
    return Proof(made.headers["Authorization"], made.headers["X-Amz-Date"], "", nonce)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        pytest.param(lambda: signed(), None, id="good"),
        pytest.param(lambda: signed(secret="wrong"), "ProofRefused", id="wrong-secret"),
        pytest.param(lambda: signed("AKIANOBODY"), "ProofRefused", id="unknown-key"),
        pytest.param(lambda: signed(region="us-east-1"), "ProofInvalid", id="wrong-region"),
        pytest.param(lambda: signed(service="lambda"), "ProofInvalid", id="wrong-service"),
        pytest.param(lambda: signed(**{proofs.BINDING_HEADER: ""}), "ProofInvalid", id="binding-not-signed"),
        pytest.param(lambda: signed(**{proofs.BINDING_HEADER: "f" * 64}), "ProofRefused", id="binding-of-another-call"),
        pytest.param(lambda: signed(**{"x-extra": "1"}), "ProofInvalid", id="more-signed-than-we-send"),
        pytest.param(lambda: changed(signed(), nonce="1" * 32), "ProofRefused", id="another-nonce"),
        pytest.param(lambda: changed(signed(), date="20200101T000000Z"), "ProofInvalid", id="another-day"),
        pytest.param(lambda: changed(signed(), date="20201301T990000Z"), "ProofInvalid", id="no-date"),
        pytest.param(lambda: changed(signed(), token="made-up"), "ProofInvalid", id="token-not-signed"),
        pytest.param(lambda: changed(signed(), reads=True), "ProofInvalid", id="call-as-reading"),
    ],
)
def test_what_a_hostile_caller_signs(operator: Operator, make: Callable[[], Proof], code: str | None) -> None:
    header = proofs.encode(make())

    if code is None:
        assert operator.prove(header) == JO
    else:
        assert operator.refused(header) == code


def test_a_session_without_its_token_is_nobody(operator: Operator) -> None:
    proof = signed("ASIAKIM")

    assert operator.refused(proofs.encode(proof)) == "ProofRefused"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("%%%", id="not-base64"),
        pytest.param("e30", id="empty-object"),
        pytest.param(base64.urlsafe_b64encode(b"[" * 5000).decode(), id="deep"),
        pytest.param("A" * 100_000, id="long"),
        pytest.param("é" * 10, id="not-ascii"),
        pytest.param(base64.urlsafe_b64encode(json.dumps({"reads": 1}).encode()).decode(), id="fields"),
    ],
)
def test_what_is_no_proof(operator: Operator, header: str) -> None:
    assert operator.refused(header) == "ProofInvalid"
    assert operator.sts.asked == 0


@pytest.mark.parametrize("name", ["authorization", "date", "token", "nonce"])
@pytest.mark.parametrize("value", ["x\r\nhost: evil.example", "", "é", None, 5, ["a"]], ids=repr)
def test_no_field_smuggles_anything(operator: Operator, name: str, value: Any) -> None:
    if (name, value) == ("token", ""):
        return
    data = {**signed().__dict__, name: value}

    assert operator.refused(base64.urlsafe_b64encode(json.dumps(data).encode()).decode()) == "ProofInvalid"
    assert operator.sts.asked == 0


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)], ids=["behind", "ahead"])
def test_a_clock_that_is_off_is_told_both_times(operator: Operator, late: timedelta) -> None:
    operator.late = late

    with pytest.raises(HttpError, match=r"was signed at ..:..:.. UTC, and it is ..:..:.. UTC now. Set your clock"):
        operator.prove(operator.header("POST", f"{ENV}/hold", BODY))
    assert operator.sts.asked == 0


@pytest.mark.parametrize(
    "error", [Unavailable("STS could not be reached"), Throttled("STS")], ids=["down", "throttled"]
)
def test_while_sts_does_not_answer_nothing_is_done_and_the_proof_is_not_used_up(
    operator: Operator, error: Exception
) -> None:
    header = operator.header("POST", f"{ENV}/hold", BODY)
    operator.sts.fails.append(error)

    with pytest.raises(type(error)):
        operator.prove(header)
    assert operator.prove(header) == JO
