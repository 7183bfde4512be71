"""Two platforms that claim the same services, at the same time and with faults: never does either's belong to both."""

import copy
from typing import Any

import pytest

from ferryman.records import Ownership
from ferryman.store import items, keys
from simulation.choices import Choices
from simulation.documents import PLATFORM
from simulation.people import People
from simulation.surroundings import Surroundings

RIVAL = "rival"
SEEDS = range(10)


def run(world: Surroundings, seconds: float) -> None:
    until = world.scheduler.seconds + seconds
    while world.scheduler.next_at() <= until:
        world.scheduler.step()


def owners(world: Surroundings) -> dict[str, set[str]]:
    """Thing → the platforms that own it."""
    found: dict[str, set[str]] = {}
    for item in world.table.partition(keys.OWNERSHIP, ""):
        record = Ownership.model_validate(items.plain(item))
        for thing in record.things:
            found.setdefault(thing, set()).add(record.platform)
    return found


def applied(world: Surroundings) -> set[str]:
    return {name for name in (PLATFORM, RIVAL) if world.table.get(*keys.platform(name).values()) is not None}


@pytest.mark.parametrize("seed", SEEDS)
def test_only_one_of_two_platforms_gets_what_both_claim(seed: int) -> None:
    world = Surroundings(Choices(f"ownership {seed}"), "push", chance=0.04)
    people = People(world)
    rival = copy.deepcopy(world.document)
    rival["metadata"]["name"] = RIVAL
    both: list[Any] = []

    def watch(before: Any, after: Any) -> None:
        both.extend(thing for thing, names in owners(world).items() if len(names) > 1)

    world.table.observers.append(watch)
    for _ in range(6):
        people.apply()
        people.ask("ada", "PUT", f"/v1/platforms/{RIVAL}", rival, "", "rival")
        run(world, 20)
    world.choices.faults = 0.0
    run(world, 3600)
    people.apply()
    people.ask("ada", "PUT", f"/v1/platforms/{RIVAL}", rival, "", "rival")
    run(world, 60)

    assert both == []
    assert len(applied(world)) == 1, "one of them got it, and nothing is blocked for ever"
    last = {what: (status, body) for _, what, _, status, body in people.answers[-2:]}
    won, lost = ("apply", "rival") if applied(world) == {PLATFORM} else ("rival", "apply")
    assert last[won][0] == 200
    assert (last[lost][0], last[lost][1]["error"]["code"]) == (409, "OwnedElsewhere")
