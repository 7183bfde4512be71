"""How long the command waits for the operator's API."""

import threading
from collections.abc import Iterator

import pytest
from botocore.credentials import Credentials

from ferryman_cli import transport
from ferryman_cli.exits import Stop
from ferryman_cli.transport import Api
from unit.fakes.dripping import DRIPS, SECONDS, Dripping, assert_closed, serving


@pytest.fixture(params=[pytest.param(drip, id=name) for name, drip in DRIPS.items()])
def dripping(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    yield from serving(request.param)


@pytest.mark.parametrize("detour", [True, False], ids=["detour", "direct"])
def test_an_api_whose_answer_arrives_byte_by_byte_is_given_up(
    dripping: Dripping, detour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_CALL_SECONDS", SECONDS)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    threads = threading.active_count()
    url, connect = ("https://abc.lambda-url.eu-west-1.on.aws/", dripping.url) if detour else (dripping.url, None)
    api = Api(url, credentials=Credentials("id", "key"), region="eu-west-1", connect=connect)
    with pytest.raises(Stop, match="no response from the operator's API"):
        api.post("/v1/x", repeatable=False)
    assert_closed(dripping, threads)
