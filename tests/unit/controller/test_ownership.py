"""What a sweep does about ownership: it makes missing records and reports what is owned twice."""

import pytest

from ferryman.platform import parse
from ferryman.records import AppliedPlatform
from ferryman.records.writes import Save
from unit import builders as make
from unit import operating
from unit.operating import World


def second(world: World) -> None:
    """Apply a platform on the same services, as an earlier version let everybody do."""
    document = operating.document().dump()
    document["metadata"]["name"] = "shop"
    world.store.write(
        Save(
            AppliedPlatform(
                name="shop", generation=1, document=parse(document).dump(), applied_by="kim", applied_at=make.AT
            )
        )
    )


def test_a_sweep_records_what_the_applied_documents_own(world: World) -> None:
    world.sweep()
    things = {item.environment: item.things for item in world.store.ownerships()}
    assert {thing.partition("/")[2] for thing in things["staging"] if thing.startswith("service:")} == {
        "scr-api",
        "scr-web",
    }
    assert any(thing.startswith("topic:") for thing in things[""])
    assert "OwnedTwice" not in world.counted


def test_what_two_own_goes_on_and_is_reported(world: World, caplog: pytest.LogCaptureFixture) -> None:
    second(world)
    world.sweep()
    assert world.counted.count("OwnedTwice") == 4, "both environments, and both platforms for their topic"
    assert "service scr-api of cluster" in caplog.text
    assert "belongs to environment staging of platform shop" in caplog.text


def test_a_sweep_goes_on_when_aws_does_not_answer_for_one(world: World) -> None:
    second(world)
    world.ecs.refuse("describe_task_definition", "AccessDeniedException")
    world.sweep()
    world.sweep()
    assert {item.platform for item in world.store.ownerships()} == {"scr", "shop"}
