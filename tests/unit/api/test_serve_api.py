"""Requests to the API: each route is found by its own path, errors become answers, and it is logged who asked."""

from typing import Any

import pytest

from ferryman.access import Verb
from ferryman.api import serve_api
from ferryman.api.context import Context
from ferryman.errors import Conflict, FerrymanError, NotFound, PermanentError, ReferenceUnresolved, Refused, Throttled
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import ENV, JO, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import FakeDynamoDb


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/", 404, "NotFound", id="root"),
        pytest.param("GET", "/v1/platforms/scr/nonsense", 404, "NotFound", id="unknown-path"),
        pytest.param("DELETE", "/v1/platforms/scr", 405, "MethodNotAllowed", id="unknown-method"),
        pytest.param("GET", f"{ENV}/hold", 405, "MethodNotAllowed", id="get-of-an-action"),
        pytest.param("GET", "/v1/platforms/none", 404, "NotFound", id="unknown-platform"),
    ],
)
def test_paths(world: World, method: str, path: str, status: int, code: str) -> None:
    found, body = world.call(method, path)

    assert (found, body["error"]["code"]) == (status, code)


def test_every_route_is_found_by_its_own_path() -> None:
    for method, pattern, _, route in serve_api.ROUTES:
        segments = [part.strip("{}") for part in pattern.split("/")]
        assert serve_api.find(method, segments)[0] is route


@pytest.mark.parametrize("route", serve_api.ROUTES, ids=lambda route: f"{route[0]} {route[1]}")
def test_other_methods_of_a_path_do_nothing(world: World, route: tuple[Any, ...]) -> None:
    """HEAD in particular, which anything that looks at addresses may send."""
    method, pattern, _, _ = route
    path = "/" + pattern.format(platform="scr", environment="staging", deployment="D", tag="v1")
    accepted = {accepted for accepted, other, _, _ in serve_api.ROUTES if other == pattern}
    for other in {"HEAD", "OPTIONS", "GET", "POST", "PUT", "PATCH", "DELETE", method.lower()} - accepted:
        status, body = world.call(other, path)
        if other.upper() not in accepted:
            assert (status, body["error"]["code"]) == (405, "MethodNotAllowed"), other


@pytest.mark.parametrize("pattern", [pattern for method, pattern, _, _ in serve_api.ROUTES if method == "GET"])
def test_a_get_writes_nothing(
    world: World, pattern: str, scr_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.applied(scr_document)
    world.put(make.deployment(), make.release(), make.state())

    def written(*args: Any, **how: Any) -> None:
        pytest.fail("a GET wrote to the table")

    for operation in ("transact_write_items", "update_item", "put_item", "delete_item"):
        monkeypatch.setattr(FakeDynamoDb, operation, written)
    path = "/" + pattern.format(platform="scr", environment="staging", deployment=make.deployment().id, tag="v1.2.3")
    status, body = world.call("GET", path)
    assert status in (200, 400, 404, 409), body


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(NotFound("x"), 404, id="not-found"),
        pytest.param(Refused("x"), 409, id="refused"),
        pytest.param(Conflict("x"), 409, id="conflict"),
        pytest.param(ReferenceUnresolved("x"), 422, id="reference"),
        pytest.param(PermanentError("x"), 422, id="any-permanent"),
        pytest.param(Throttled("x"), 503, id="throttled"),
        pytest.param(ValueError("x"), 500, id="unexpected"),
    ],
)
def test_errors_become_answers(world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int) -> None:
    def fails(operator: Context, request: Any) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(serve_api, "ROUTES", (("GET", "fails", Verb.ASK, fails),))
    found, body = world.call("GET", "/fails")

    assert (found, "x" in body["error"]["message"]) == (status, True)
    assert isinstance(error, FerrymanError) or any(said == "request failed" for said, _ in world.log.said)


def test_every_request_is_logged_with_who_asked(world: World) -> None:
    world.call("GET", "/v1/platforms")

    assert world.log.said[0] == ("request", {"who": JO, "method": "GET", "path": "/v1/platforms"})
