"""Shared messages about an approval: they hold the shared link, which is no key."""

import logging
from typing import Any

import pytest

from ferryman.messages import approval as messages_approval
from unit import asked
from unit.fakes.services import WEBHOOK, FakeServices
from unit.fakes.slack import FakeSlack
from unit.notify_world import BASE, World


def test_shared_messages_hold_the_shared_link(world: World, run: Any, services: FakeServices, slack: FakeSlack) -> None:
    world.ask("team", "ops", "hook")
    assert run().sent == 3
    shared = f"{BASE}/a/{asked.ID}"
    assert f"\n{shared}\n" in services.notes[0]["Message"]
    (mail,) = services.mails
    assert f"\n{shared}\n" in mail["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert f'<a href="{shared}"' in mail["Content"]["Simple"]["Body"]["Html"]["Data"]
    ((_, posted),) = slack.posted
    assert f"<{shared}|Review the request>" in [block["text"]["text"] for block in posted["blocks"]]
    assert posted["unfurl_links"] is posted["unfurl_media"] is False
    assert messages_approval.LINK not in str(services.notes + services.mails) + str(slack.posted)
    assert world.approval.nonces == []


def test_httpx_does_not_log_addresses(
    world: World, run: Any, slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("httpx").setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    world.ask("hook")
    assert run().sent == 1
    assert [url for url, _ in slack.posted] == [WEBHOOK]
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert "hunter2" not in caplog.text
