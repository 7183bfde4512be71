"""`ferryman doctor` asks whether the channels work: nothing is sent unless it says so."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from ferryman.clients.github.client import Network
from ferryman.contracts import Probe, Probed
from ferryman.notify import probe
from ferryman.notify.context import Context
from ferryman.records import AppliedPlatform
from ferryman.records.writes import Save
from unit.builders import AT
from unit.fakes.github import FakeGitHub
from unit.fakes.services import FakeServices
from unit.fakes.slack import FakeSlack
from unit.notify_world import BASE, World

Ask = Callable[..., dict[str, Probed]]


@pytest.fixture
def ask(world: World, services: FakeServices, slack: FakeSlack, github: FakeGitHub) -> Ask:
    def answer(request: httpx.Request) -> httpx.Response:
        return slack(request) if request.url.host.endswith("slack.com") else github(request)

    network = Network(httpx.MockTransport(answer), github.network.sleep, github.network.monotonic)
    context = Context(services, world.store, world.clock, f"{BASE}/", network)
    platform = AppliedPlatform(name="scr", generation=1, document=world.document, applied_by="anna", applied_at=AT)
    world.store.write(Save(platform))

    def once(platform: str = "scr", *, send: bool = False) -> dict[str, Probed]:
        found = probe.run(Probe(platform=platform, send=send), context, ThreadPoolExecutor)
        return {one.name: one for one in found}

    return once


def test_nothing_is_sent(ask: Ask, slack: FakeSlack, services: FakeServices) -> None:
    found = ask()
    assert {name: one.works for name, one in found.items()} == {
        "team": None, "ops": None, "ops-mail": None, "hook": None, "bot": True, "buttons": True, "github": True,
    }  # fmt: skip
    assert {method for method, _ in slack.calls} == {"auth.test"}
    assert slack.posted == []
    assert found["bot"].message == "Slack knows the bot as ferryman; nothing was sent"
    assert "access to https://github.com/scr-platform/scr" in found["github"].message


def test_a_test_message_goes_to_each_channel(ask: Ask, slack: FakeSlack) -> None:
    found = ask(send=True)
    assert {one.works for one in found.values()} == {True}, found
    assert [(method, body["text"]) for method, body in slack.calls] == [
        ("chat.postMessage", "Test message of Ferryman for scr")
    ] * 2
    assert len(slack.posted) == 1


def test_what_slack_says_is_told_and_stops_no_other_channel(ask: Ask, slack: FakeSlack) -> None:
    refused = httpx.Response(200, json={"ok": False, "error": "not_in_channel"})
    slack.faults["chat.postMessage"] = [refused, refused]
    found = ask(send=True)
    assert [one.name for one in found.values() if one.works is False] == ["bot", "buttons"]
    assert found["bot"].message == "Slack answered not_in_channel"


def test_a_channel_that_a_later_version_wrote_is_a_finding_of_its_own(ask: Ask, world: World) -> None:
    known = world.store.platform("scr")
    known.document["spec"]["channels"]["odd"] = {"type": "pigeon"}
    world.store.write(Save(known))
    found = ask()
    assert found["odd"].works is False
    assert found["bot"].works


def test_a_platform_that_does_not_exist_has_no_channels(ask: Ask) -> None:
    assert ask("nothing") == {}
