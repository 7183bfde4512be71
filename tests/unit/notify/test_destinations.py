"""Where a message goes."""

from datetime import timedelta
from typing import Any

from ferryman.records import OutboxMessage
from ferryman.records.writes import Add
from unit import asked
from unit.builders import AT
from unit.fakes.services import FakeServices
from unit.notify_world import World


def test_a_channel_of_the_document_may_be_named_github(world: World, run: Any, services: FakeServices) -> None:
    world.document["spec"]["channels"]["github"] = world.document["spec"]["channels"]["team"]
    world.ask()
    row = OutboxMessage(
        owner=asked.ID, event="outcome", channel="github", platform="scr", environment="production",
        subject="[Failed] x", text="x", created_at=AT + timedelta(0),
    )  # fmt: skip
    world.store.write(Add(row))
    assert run().sent == 1
    assert len(services.notes) == 1
