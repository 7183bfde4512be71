"""Does an answer look as expected? A table."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.clients.http_client import Answer
from ferryman.records import PlannedCheck
from ferryman.steps.smoke_expectations import excerpt, problems, same

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=8,
)


def check(**changes: Any) -> PlannedCheck:
    made = PlannedCheck(name="api", url="https://api", status=[200], attempts=3, delay_seconds=5, timeout_seconds=5)
    return made.but(**changes)


def answer(status: int = 200, body: Any = b"", **more: Any) -> Answer:
    return Answer(
        status, more.pop("headers", {}), body if isinstance(body, bytes) else json.dumps(body).encode(), **more
    )


HEALTH = {
    "version": "abc1234",
    "checks": [{"name": "db", "ok": True}],
    "count": 3,
    "ratio": 0.5,
    "a.b": 1,
    "none": None,
}

PASS = [
    pytest.param(check(), answer(), id="status"),
    pytest.param(check(status=[200, 307]), answer(307), id="one-of-two"),
    pytest.param(
        check(expect_headers={"X-Version": "abc"}), answer(headers={"x-version": " abc"}), id="header-any-case"
    ),
    pytest.param(check(expect_json={"version": "abc1234"}), answer(body=HEALTH), id="field"),
    pytest.param(check(expect_json={"checks.0.ok": True, "checks.0.name": "db"}), answer(body=HEALTH), id="list-index"),
    pytest.param(check(expect_json={"checks": [{"name": "db", "ok": True}]}), answer(body=HEALTH), id="whole-value"),
    pytest.param(check(expect_json={"a.b": 1}), answer(body=HEALTH), id="key-with-a-dot"),
    pytest.param(check(expect_json={"none": None}), answer(body=HEALTH), id="null-is-a-value"),
    pytest.param(check(expect_json={"0": "x"}), answer(body=["x"]), id="list-at-the-top"),
    pytest.param(check(expect_body="ready"), answer(body=b"all ready now"), id="body"),
]

FAIL = [
    pytest.param(check(), answer(503), "expected status 200, got 503", id="status"),
    pytest.param(check(status=[200, 307]), answer(404), "expected status 200 or 307, got 404", id="none-of-two"),
    pytest.param(
        check(expect_headers={"X-Version": "abc"}), answer(), "expected header X-Version: abc, got none", id="no-header"
    ),
    pytest.param(
        check(expect_headers={"X-V": "abc"}), answer(headers={"x-v": "ABC"}), "got ABC", id="header-value-exact"
    ),
    pytest.param(
        check(expect_json={"version": "abc1234"}),
        answer(body={"version": "old"}),
        'to be "abc1234", got "old"',
        id="field",
    ),
    pytest.param(
        check(expect_json={"nope.x": 1}), answer(body=HEALTH), "nope.x to be 1, but it is not there", id="missing"
    ),
    pytest.param(check(expect_json={"none": 1}), answer(body=HEALTH), "got null", id="null-is-not-missing"),
    pytest.param(check(expect_json={"checks.1.ok": True}), answer(body=HEALTH), "not there", id="index-out-of-range"),
    pytest.param(check(expect_json={"checks.-1.ok": True}), answer(body=HEALTH), "not there", id="negative-index"),
    pytest.param(check(expect_json={"checks.²": 1}), answer(body=HEALTH), "not there", id="odd-digit"),
    pytest.param(check(expect_json={"count": "3"}), answer(body=HEALTH), 'to be "3", got 3', id="text-is-no-number"),
    pytest.param(check(expect_json={"checks.0.ok": 1}), answer(body=HEALTH), "to be 1, got true", id="true-is-not-1"),
    pytest.param(
        check(expect_json={"x": 1}), answer(body=b"<html>"), "expected a JSON body, but it is not JSON", id="html"
    ),
    pytest.param(
        check(expect_json={"x": 1}), answer(body=b"[" * 60_000), "expected a JSON body", id="nested-without-end"
    ),
    pytest.param(
        check(expect_json={"x": 1}), answer(body=b"1" * 60_000), "expected a JSON body", id="number-without-end"
    ),
    pytest.param(check(expect_json={"x": 1}), answer(body=b'{"x"', truncated=True), "too long to read", id="cut"),
    pytest.param(
        check(expect_json={"x": 1}),
        answer(body=b"\x1f\x8b", headers={"content-encoding": "gzip"}),
        "encoded as gzip",
        id="gzip",
    ),
    pytest.param(check(expect_body="ready"), answer(body=b"starting"), "with “ready”, got a different one", id="body"),
]


@pytest.mark.parametrize(("expected", "got"), PASS)
def test_passes(expected: PlannedCheck, got: Answer) -> None:
    assert problems(expected, got) == []


@pytest.mark.parametrize(("expected", "got", "told"), FAIL)
def test_tells_expected_and_got(expected: PlannedCheck, got: Answer, told: str) -> None:
    found = problems(expected, got)
    assert len(found) == 1
    assert told in found[0]


def test_tells_all_at_once() -> None:
    expected = check(expect_headers={"X": "1"}, expect_json={"v": 1}, expect_body="ready")
    assert len(problems(expected, answer(500))) == 4


@given(JSON)
def test_every_json_value_is_the_same_as_itself(value: Any) -> None:
    assert same(value, json.loads(json.dumps(value)))


@given(some.binary(max_size=2_000), JSON, some.text())
def test_no_answer_breaks_it(body: bytes, value: Any, path: str) -> None:
    problems(check(expect_json={path: value}, expect_body="x", expect_headers={"x": "y"}), answer(body=body))
    assert "\n" not in excerpt(answer(body=body))
