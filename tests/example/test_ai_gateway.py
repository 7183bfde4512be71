"""The gateway, in process."""

from collections.abc import Iterator

import pytest
from scr_ai_gateway.app import create_app
from scr_ai_gateway.settings import Settings

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
