"""Reading a state machine: every state, also those inside Maps, and what it says."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LITERAL = re.compile(r"'([A-Za-z]+)'")


@dataclass(frozen=True)
class State:
    """One state and the group (`States` of a machine or of a Map) that it can go to."""

    name: str
    data: dict[str, Any]
    group: dict[str, Any]

    @property
    def lambda_task(self) -> bool:
        return self.data["Type"] == "Task"

    @property
    def waits(self) -> bool:
        return str(self.data.get("Resource", "")).endswith(".waitForTaskToken")

    @property
    def function(self) -> str:
        return str(self.data["Arguments"]["FunctionName"]).strip("${}")

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.data["Arguments"]["Payload"])


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def states(machine: dict[str, Any]) -> Iterator[State]:
    group = machine["States"]
    for name, data in group.items():
        yield State(name, data, group)
        if "ItemProcessor" in data:
            yield from states(data["ItemProcessor"])


def targets(data: dict[str, Any]) -> list[str]:
    found = [data.get("Next"), data.get("Default")]
    found += [choice.get("Next") for choice in data.get("Choices", [])]
    found += [catch.get("Next") for catch in data.get("Catch", [])]
    return [name for name in found if name]


def groups(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The machine itself and every Map's processor: each has StartAt and States."""
    yield machine
    for data in machine["States"].values():
        if "ItemProcessor" in data:
            yield from groups(data["ItemProcessor"])


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
