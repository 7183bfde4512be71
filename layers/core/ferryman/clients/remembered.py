"""Answers of AWS that one sandbox remembers for a while, so that not every call asks again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ferryman.ids import Clock

_MOST = 200
"""Answers that one sandbox remembers; then it begins anew."""


@dataclass
class Remembered[Answer]:
    """Answers by key. An error is not remembered."""

    clock: Clock
    _known: dict[str, tuple[Answer, datetime]] = field(default_factory=dict)

    def get(self, key: str, ask: Callable[[str], Answer], counts: Callable[[Answer], timedelta]) -> Answer:
        """Return the answer to a key, asked anew when the last one no longer counts; raise what `ask` raises."""
        known, now = self._known.get(key), self.clock()
        if known is not None and now < known[1]:
            return known[0]
        found = ask(key)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = (found, now + counts(found))
        return found
