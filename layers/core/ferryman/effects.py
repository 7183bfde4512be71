"""What code may cause outside of the table: counting a metric, and asking for an environment to be reconciled."""

from collections.abc import Callable
from typing import Protocol

Count = Callable[[str], None]
"""Counts one occurrence of a metric."""


class Gauge(Protocol):
    """Writes a duration in seconds as a metric."""

    def __call__(self, name: str, seconds: float, **dimensions: str) -> None:
        """Write it."""


class Nudges(Protocol):
    """What `clients.nudge.Nudge` offers."""

    def environment(self, platform: str, environment: str, delay_seconds: int = 0) -> None:
        """Have an environment reconciled, after so many seconds (0 to 900: SQS allows no more)."""
