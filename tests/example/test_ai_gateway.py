"""The gateway, in process."""

import sys
from collections.abc import Iterator

import pytest
from scr_ai_gateway.app import create_app
from scr_ai_gateway.settings import ConfigurationError, Settings

from .clients import AppClient


@pytest.fixture
def client() -> Iterator[AppClient]:
    with AppClient(create_app(Settings(version="3f9c2ab"))) as client:
        yield client


def test_health(client: AppClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": "3f9c2ab"}


def test_the_same_prompt_gets_the_same_answer(client: AppClient) -> None:
    request = {"prompt": "Summarise the  wind farm."}

    first, second = (client.post("/v1/complete", json=request).json() for _ in range(2))

    assert first == second
    assert first["model"] == "offline-echo"
    assert first["completion"].endswith(": Summarise the wind farm.")
    assert first["usage"]["prompt_tokens"] == 4


def test_an_answer_is_cut_at_max_tokens(client: AppClient) -> None:
    answer = client.post("/v1/complete", json={"prompt": "one two three four five", "max_tokens": 3}).json()

    assert len(answer["completion"].split()) == answer["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize("body", [{}, {"prompt": ""}, {"prompt": "x", "max_tokens": 0}, {"prompt": "x", "model": "y"}])
def test_a_request_that_is_none_is_refused(client: AppClient, body: dict[str, object]) -> None:
    assert client.post("/v1/complete", json=body).status_code == 422


def test_costs_are_counted_and_told(client: AppClient) -> None:
    answer = client.post("/v1/complete", json={"prompt": "one two three"}).json()
    client.post("/v1/complete", json={"prompt": "one"})

    costs = client.get("/v1/costs").json()

    assert (answer["cost_usd"], answer["recorded"]) == ("0.000007", True)
    assert (costs["kept_in"], costs["total"]["requests"], costs["total"]["prompt_tokens"]) == ("memory", 2, 4)
    assert [row["model"] for row in costs["by_model"]] == ["offline-echo"]


def test_redis_where_its_package_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(ConfigurationError, match="the package redis is not installed"):
        create_app(Settings.from_env({"REDIS_URL": "redis://redis/0"}))
