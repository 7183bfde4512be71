"""Calls whose sender is not proved: counted and logged, a few of them entered into the timeline."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from ferryman.api.http import HttpError, Request
from ferryman.api.serve_api import serve
from ferryman.api.unproved import MOST, Unproved
from ferryman.errors import Conflict, Unavailable
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit.api_world import ENV, World, event, prove
from unit.fakes.clock import FakeClock, FakeIds

PROOF = "eyJhdXRob3JpemF0aW9uIjoiQVdTNC1ITUFDLVNIQTI1NiJ9"


class Operator(World):
    """An operator with sandboxes, each of which keeps its own account."""

    def sandbox(self) -> Unproved:
        self.counted: list[str] = getattr(self, "counted", [])
        return Unproved(self.store, self.clock, self.new_id, self.counted.append)

    def refuse(self, sandbox: Unproved, path: str = f"{ENV}/hold", body: bytes = b"") -> int:
        made = event("POST", path, body=body, who=None)
        made["headers"] = {"x-ferryman-proof": PROOF}
        status: int = serve(made, self.operator, self.log, prove, sandbox)["statusCode"]
        return status

    def lines(self, owner: str = "scr#staging") -> list[Any]:
        return [line for line in self.store.timeline(owner) if line.who == "unproved"]


@pytest.fixture
def operator(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> Operator:
    made = Operator(store, clock, new_id)
    made.applied(scr_document)
    return made


def test_one_is_counted_logged_and_entered(operator: Operator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "ferryman")
    assert operator.refuse(operator.sandbox()) == 403

    assert operator.counted == ["CallUnproved"]
    assert f"unproved call: POST {ENV}/hold (ProofMissing)" in caplog.text
    (line,) = operator.lines()
    assert line.message == f"a call that does not prove who sent it was refused: POST {ENV}/hold (ProofMissing)"
    assert (str(line.type), line.detail["how"], line.detail["code"]) == ("RequestRefused", "unproved", "ProofMissing")
    assert line.detail["source"] == "203.0.113.7, ferryman/1"
    assert PROOF not in caplog.text + str(line)


def test_it_stands_in_the_audit(operator: Operator) -> None:
    operator.refuse(operator.sandbox())
    body = operator.call("GET", "/v1/platforms/scr/audit")[1]
    assert [row["who"] for row in body["acts"]] == ["unproved"]


def test_at_most_so_many_come_into_timelines_within_any_hour(operator: Operator) -> None:
    sandboxes = [operator.sandbox(), operator.sandbox()]
    for number in range(3 * MOST):
        operator.refuse(sandboxes[number % 2])
        operator.clock.forward(minutes=1)
    assert len(operator.counted) == 3 * MOST
    assert len(operator.lines()) == MOST
    assert "more within the hour are counted and logged only" in operator.lines()[-1].message
    operator.refuse(operator.sandbox())
    assert len(operator.lines()) == MOST + 1
    times = [line.at for line in operator.lines()]
    assert all(later - at >= timedelta(hours=1) for at, later in zip(times, times[MOST:], strict=False))


def test_then_a_sandbox_neither_reads_nor_writes(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = operator.sandbox()
    for _ in range(MOST):
        operator.refuse(sandbox)
    touched: list[str] = []
    for name in ("write", "unproved_calls", "platforms", "find_platform"):
        monkeypatch.setattr(operator.store, name, lambda *_, name=name: touched.append(name))
    for _ in range(5):
        operator.refuse(sandbox)
    assert touched == []


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/v1/platforms/scr", "scr"),
        ("/v1/platforms/scr/environments/nowhere/hold", "scr"),
        ("/v1/platforms/scr/audit", "scr"),
        (f"{ENV}/\u202e%0aadmin approved", "scr#staging"),
    ],
)
def test_it_goes_to_what_the_path_names_as_far_as_that_exists(operator: Operator, path: str, owner: str) -> None:
    operator.refuse(operator.sandbox(), path)
    (line,) = operator.lines(owner)
    assert line.message.isprintable()


@pytest.mark.parametrize("path", ["/v1/platforms/other/environments/staging/hold", "/", "/x/y/z", "/v1/platforms"])
def test_no_timeline_is_made_up(operator: Operator, path: str) -> None:
    operator.refuse(operator.sandbox(), path)
    assert operator.counted == ["CallUnproved"]
    assert operator.store.unproved_calls().entries == []


def test_what_cannot_be_read_is_counted(operator: Operator) -> None:
    assert operator.refuse(operator.sandbox(), body=b"{") == 400
    assert operator.counted == ["CallUnproved"]
    assert operator.lines() == []


def test_who_is_proved_and_refused_is_not_counted(operator: Operator) -> None:
    sandbox = operator.sandbox()
    assert serve(event("POST", "/v1/nothing"), operator.operator, operator.log, prove, sandbox)["statusCode"] == 404
    assert operator.counted == []


@pytest.mark.parametrize("error", [Conflict("another"), Unavailable("down")])
def test_an_account_that_cannot_be_kept_changes_no_answer(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(operator.store, "write", fails)
    assert operator.refuse(operator.sandbox()) == 403


def test_two_at_once_write_no_more_than_fits(operator: Operator) -> None:
    """Between the read and the write of one, another fills the hour."""
    sandbox, before = operator.sandbox(), operator.store.unproved_calls()
    operator.store.write(Save(before.but(entries=[operator.clock.at] * MOST)))
    read = operator.store.unproved_calls
    operator.store.unproved_calls = lambda: before  # type: ignore[method-assign]
    sandbox(Request("POST", ["v1", "platforms", "scr"], {}, None), HttpError(403, "ProofMissing", ""))
    operator.store.unproved_calls = read  # type: ignore[method-assign]
    assert operator.lines("scr") == []
    assert len(operator.store.unproved_calls().entries) == MOST
