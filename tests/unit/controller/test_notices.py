"""A hold that ends by itself, and the reminders of one: what is recorded, told, and started."""

from datetime import timedelta

from ferryman.records import Hold, OutboxMessage
from unit.fakes.clock import FakeClock
from unit.operating import World, document

V1 = "aaaaaaa1"


def hold(world: World, **changes: object) -> None:
    made = Hold(reason="load test", who="ada", at=world.clock()).but(**changes)
    world.store.update_state("scr", "staging", lambda state: state.but(hold=made))


def subjects(world: World) -> list[str]:
    found: list[OutboxMessage] = world.store.unsent(limit=100)
    return [message.subject for message in found if message.subject.startswith(("[Held]", "[Resumed]"))]


def test_a_hold_that_is_over_is_lifted_told_and_what_waited_starts(world: World, clock: FakeClock) -> None:
    hold(world, until=world.clock() + timedelta(minutes=30))
    for component in document().spec.components:
        world.receive(world.push(component, V1))
    world.sweep()
    assert world.state.active is None
    clock.forward(minutes=30)
    world.sweep()
    assert world.state.hold is None
    assert world.state.active is not None
    assert world.state.active.version == V1
    events = [(str(event.type), event.message) for event in world.store.timeline("scr#staging", limit=100)]
    assert ("Resumed", "the hold ended by itself (ada: load test)") in events
    assert set(subjects(world)) == {"[Resumed] scr/staging: automation continues"}


def test_a_hold_is_reminded_of_once_a_day(world: World, clock: FakeClock) -> None:
    hold(world)
    world.sweep()
    assert subjects(world) == []
    clock.forward(hours=24)
    world.sweep()
    world.sweep()
    first = subjects(world)
    assert set(first) == {"[Held] scr/staging: automation has been on hold for 24h"}
    clock.forward(hours=24)
    world.sweep()
    assert len(subjects(world)) == 2 * len(first)
    assert world.state.hold is not None
