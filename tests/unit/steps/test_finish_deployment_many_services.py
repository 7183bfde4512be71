"""As many services as the document allows, all of which fail and log much: all go back, and the end is recorded."""

from ferryman.records import Phase, limits, step_keys
from unit.fakes.clock import FakeClock, FakeIds
from unit.large_world import CHANNELS, LargeWorld

LINES = ["😀" * 400] * 20
"""20 lines of 400 characters of four bytes: the most that is read of a log. Names of services have 255 characters."""


def test_200_services_that_crash_and_log_emoji_all_go_back_and_the_outcome_is_told(
    clock: FakeClock, new_id: FakeIds
) -> None:
    world = LargeWorld(clock, new_id, limits.MOST_SERVICES, name=f"{'s' * 251}-{{}}")
    assert [len(wave.services) for wave in world.begin().waves] == [40] * 5
    world.admit()
    for service in world.names:
        world.point(service)
        world.crash(service, LINES)
        assert world.answer(world.watch(service)) == {
            "service": service, "verdict": "Failed", "reason": "BreakerTripped",
        }  # fmt: skip
    for service in reversed(world.names):
        assert world.update(service, "back").verdict == "Started"
        world.ecs.complete(service)
        assert world.answer(world.watch(service, "back"))["verdict"] == "Succeeded"
    assert world.finish().phase == "RolledBack"

    running = {name: world.ecs.services[name]["taskDefinition"] for name in world.names}
    assert running == world.old
    assert world.state.active is None
    told = {message.channel: message.text for message in world.store.unsent()}
    assert set(told) == set(CHANNELS)
    assert "What to do next" in told["team"]
    assert "What failed: rollout of ssss" in told["team"]
    deployment = world.store.deployment("scr", "staging", world.id)
    assert deployment.phase is Phase.ROLLED_BACK
    assert len(deployment.steps) == 2 + 2 * limits.MOST_SERVICES
    assert all(step.logs == [] for step in deployment.steps.values())
    assert world.store.log(world.id, step_keys.rollout(world.names[-1], "forward")) == LINES
    table = world.dynamodb
    print(
        f"\nlargest item: {table.largest_item:,} bytes; largest transaction: {table.largest_transaction:,} bytes; "
        f"most actions: {table.most_actions}"
    )
    assert table.largest_item <= limits.ROOM
