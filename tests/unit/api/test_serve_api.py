"""Requests to the API: each route is found by its own path, errors become answers, and it is logged who asked."""

from typing import Any

import pytest

from ferryman.access import Verb
from ferryman.api import serve_api
from ferryman.api.context import Context
from ferryman.errors import Conflict, FerrymanError, NotFound, PermanentError, ReferenceUnresolved, Refused, Throttled
from ferryman.store.table import Store
from unit.api_world import ENV, JO, World
from unit.fakes.clock import FakeClock, FakeIds


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
