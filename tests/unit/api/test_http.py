"""Requests in the form of a function URL: identity, bodies, routes, errors."""

import base64
import json
from typing import Any

import pytest

from ferryman.api import serve_api
from ferryman.api.http import parse
from ferryman.store.table import Store
from unit.api_world import ENV, JO, World, event, prove
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def test_who_the_event_says_is_nobody(world: World) -> None:
    """Whoever may invoke the function can write any event: only a proof counts (test_callers)."""
    made = event("GET", "/v1/platforms", who=None)
    made["requestContext"]["authorizer"] = {"iam": {"userArn": JO, "accountId": "123456789012"}}

    answer = serve_api.serve(made, world.operator, world.log, prove)

    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (403, "ProofMissing")


def test_only_the_raw_query_counts() -> None:
    """It is what a proof covers; a hand-written event could name another query beside it."""
    made = event("GET", "/v1/platforms", query={"a": "1"}) | {"queryStringParameters": {"a": "2"}}

    assert parse(made).query == {"a": "1"}


@pytest.mark.parametrize("encoded", [True, False])
def test_a_body_may_come_as_base64(encoded: bool) -> None:
    text = json.dumps({"reason": "größer"})
    made = event("POST", f"{ENV}/hold")
    made |= {"isBase64Encoded": encoded, "body": base64.b64encode(text.encode()).decode() if encoded else text}

    assert parse(made).body == {"reason": "größer"}


@pytest.mark.parametrize(
    ("body", "encoded"),
    [
        pytest.param("{", False, id="broken-json"),
        pytest.param("%%%", True, id="broken-base64"),
        pytest.param(base64.b64encode(b"\xff\xfe{").decode(), True, id="not-text"),
        pytest.param("[" * 100_000, False, id="too-deep"),
    ],
)
def test_a_body_that_is_not_json_is_a_bad_request(world: World, body: str, encoded: bool) -> None:
    made = event("POST", f"{ENV}/hold") | {"body": body, "isBase64Encoded": encoded}

    answer = serve_api.serve(made, world.operator, world.log, prove)

    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize("value", ["0", "501", "-1", "many", "9" * 40, "²"])
def test_a_limit_is_checked(world: World, scr_document: dict[str, Any], value: str) -> None:
    world.applied(scr_document)

    status, body = world.call("GET", f"{ENV}/history", limit=value)

    assert (status, "1 to 500" in body["error"]["message"]) == (400, True)
