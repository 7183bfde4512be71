"""The registry of channels: every kind of destination has a module, and none is imported before it is used."""

import subprocess
import sys
from importlib import import_module
from typing import get_args

import pytest

from ferryman.notify import dispatch
from ferryman.notify.destinations import Mailbox
from ferryman.platform import GitHub
from ferryman.platform.channels import Channel

KINDS = [*get_args(get_args(Channel)[0]), Mailbox, GitHub]
HEAVY = {"slack_sdk", "httpx", "jinja2", "ferryman.steps", "ferryman.approvals"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_destination_has_a_module(kind: type) -> None:
    assert callable(import_module(f"ferryman.notify.{dispatch.MODULES[kind]}").send)


def test_the_registry_has_no_other_kinds() -> None:
    assert set(dispatch.MODULES) == set(KINDS)


def loaded_after(code: str) -> set[str]:
    """The modules that a new interpreter has loaded once it has run some code."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)})
    return set(done.stdout.split())


def test_starting_up_imports_no_channel() -> None:
    loaded = loaded_after("import ferryman.notify.notify, ferryman.notify.dispatch")
    assert "ferryman.notify.dispatch" in loaded
    assert loaded & {f"ferryman.notify.{name}" for name in dispatch.MODULES.values()} == set()
    assert loaded & HEAVY == set()


def test_a_message_imports_the_module_of_its_own_channel_only() -> None:
    code = """
from datetime import UTC, datetime
from ferryman.notify.context import Context
from ferryman.notify.dispatch import deliver
from ferryman.platform import TopicChannel
from ferryman.records import OutboxMessage

class Client:
    def publish(self, **note): print("published")

message = OutboxMessage(owner="1", event="outcome", channel="team", platform="scr", environment=None, subject="s",
                        text="t", created_at=datetime.now(UTC))
deliver(TopicChannel(type="sns", topic_arn="arn:aws:sns:x"), message, Context(lambda name: Client(), None, None, ""))
"""
    loaded = loaded_after(code)
    assert "published" in loaded
    assert loaded & {f"ferryman.notify.{name}" for name in dispatch.MODULES.values()} == {"ferryman.notify.sns"}
    assert loaded & HEAVY == set()
