"""Disturbances of the event stream, for tests: events are lost, duplicated, delayed or reordered."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ferryman_local.relay.events import Event

type Kind = Literal["drop", "duplicate", "delay", "reorder", "hold"]
type Match = Callable[[Event], bool]


@dataclass(frozen=True)
class Outcome:
    """How an event is delivered: `copies` times, `delay` seconds late."""

    event: Event
    copies: int = 1
    delay: float = 0.0


@dataclass(eq=False)
class Disturbance:
    """The handle of a disturbance: how often it applied (`hits`), its held events (`held`), and `remove` to end it."""

    kind: Kind
    match: Match
    times: int | None
    seconds: float
    hits: int = 0
    held: list[Outcome] = field(default_factory=list)
    removed: bool = False

    def remove(self) -> None:
        """End the disturbance. Held events stay held until they are released."""
        self.removed = True

    def strikes(self, event: Event) -> bool:
        return not self.removed and (self.times is None or self.hits < self.times) and self.match(event)


class Disturbances:
    """All active disturbances. They apply in the order in which they were added. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Disturbance] = []

    def add(self, disturbance: Disturbance) -> Disturbance:
        with self._lock:
            self._all.append(disturbance)
        return disturbance

    def apply(self, event: Event) -> Outcome | None:
        """How to deliver an event, or None if it is lost or held until `release`."""
        outcome = Outcome(event)
        with self._lock:
            for disturbance in self._all:
                if not disturbance.strikes(event):
                    continue
                disturbance.hits += 1
                if disturbance.kind == "drop":
                    return None
                if disturbance.kind in ("hold", "reorder"):
                    disturbance.held.append(outcome)
                    return None
                if disturbance.kind == "duplicate":
                    outcome = Outcome(event, outcome.copies + 1, outcome.delay)
                else:
                    outcome = Outcome(event, outcome.copies, outcome.delay + disturbance.seconds)
        return outcome

    def release(self, only: Disturbance | None = None) -> list[Outcome]:
        """End disturbances that hold events; return these events in order of arrival, those of a `reorder` reversed."""
        freed: list[Outcome] = []
        with self._lock:
            for disturbance in self._all:
                if disturbance.kind not in ("hold", "reorder") or (only is not None and disturbance is not only):
                    continue
                disturbance.removed = True
                batch = disturbance.held
                freed += reversed(batch) if disturbance.kind == "reorder" else batch
                disturbance.held = []
            self._all = [disturbance for disturbance in self._all if not disturbance.removed]
        return freed

    def clear(self) -> list[Outcome]:
        """End all disturbances; return the held events."""
        freed = self.release()
        with self._lock:
            self._all.clear()
        return freed
