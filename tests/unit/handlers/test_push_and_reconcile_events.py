"""The recorded events of receive_push and reconcile, through the real handlers' models and functions."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ferryman.releases.receive_push import PushEvent
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World

EVENTS = Path(__file__).parents[3] / "events"


def recorded(function: str, scenario: str) -> Any:
    return json.loads((EVENTS / function / f"{scenario}.json").read_text())


def scenarios(function: str) -> list[str]:
    return sorted(path.stem for path in (EVENTS / function).glob("*.json"))


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    world.run_services()
    world.apply()
    world.ecr.push("scr-api", "3f9c2ab", "api")
    return world


PUSHES = {
    "deleted": "Ignored (DELETE SUCCESS)",
    "moving_tag": "scr: Ignored (moving tag)",
    "semver_pushed": "scr: Waiting (v1.4.0 is waiting for images of api, web that carry it)",
    "unknown_repository": "Ignored (no platform has this repository)",
    "untagged": "Ignored (untagged)",
    "untagged_child": "Ignored (untagged)",
    "version_pushed": "scr: Recorded",
}


@pytest.mark.parametrize("scenario", scenarios("receive_push"))
def test_pushes(world: World, scenario: str) -> None:
    event = recorded("receive_push", scenario)
    if scenario == "malformed":
        with pytest.raises(ValidationError):
            PushEvent.model_validate(event)
    else:
        assert world.receive(event) == [PUSHES[scenario]]


@pytest.mark.parametrize("scenario", scenarios("reconcile"))
def test_wakeups(world: World, scenario: str) -> None:
    world.release("4a0d3bc")
    event = recorded("reconcile", scenario)
    failed = (
        {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
        if "malformed" in scenario
        else None
    )
    assert world.wake(event) == (failed or {"batchItemFailures": []})
    world.look()
    # The end of a scan concerns environments that ask for scans, and this one does not.
    assert world.told() == ([] if "scan" in scenario else [("4a0d3bc", "Pending")])
