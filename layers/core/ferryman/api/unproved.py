"""Calls whose sender is not proved: counted, logged, and a few of them entered into the platform's timeline.

Anybody who may invoke the function can send any number of them. So a sandbox reads and writes nothing once `MOST` were
entered within an hour, by whichever sandbox, and nothing of the proof is kept.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ferryman.api.http import HttpError, Request, how
from ferryman.errors import Conflict, FerrymanError
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.records import EventType
from ferryman.records.writes import Save
from ferryman.store.table import Store
from ferryman.text import one_line

MOST = 20
"""Entries within any hour, in the timelines of all platforms together."""
_HOUR = timedelta(hours=1)
_REMEMBERED = timedelta(minutes=1)
"""How long a sandbox remembers which platforms there are."""

_LOG = logging.getLogger("ferryman")


@dataclass
class Unproved:
    """Keeps account of unproved calls. One per sandbox."""

    store: Store
    clock: Clock
    new_id: NewId
    count: Callable[[str], None]
    """Count one in a metric."""
    _full_until: datetime | None = None
    _places: dict[str, set[str]] = field(default_factory=dict)
    _looked_at: datetime | None = None

    def __call__(self, request: Request | None, error: HttpError) -> None:
        """Take note of a call that was refused; None for one that could not be read. Raise nothing."""
        self.count("CallUnproved")
        what = f"{request.method} {one_line(request.path, limit=200)}" if request else "a call that can't be read"
        source = request.source if request else ""
        _LOG.warning("unproved call: %s (%s)", what, error.code, extra={"code": error.code, "source": source})
        if request is None:
            return
        try:
            self._enter(request, error.code, what)
        except FerrymanError as failed:
            _LOG.warning("an unproved call could not be entered into the timeline: %s", failed)

    def _enter(self, request: Request, code: str, what: str) -> None:
        now = self.clock()
        if self._full_until is not None and now < self._full_until:
            return
        place = self._place(request, now)
        if place is None:
            return
        record = self.store.unproved_calls()
        recent = [at for at in record.entries if now - at < _HOUR]
        if len(recent) < MOST:
            recent.append(now)
            last = "; more within the hour are counted and logged only" if len(recent) == MOST else ""
            text = f"a call that does not prove who sent it was refused: {what} ({code}){last}"
            told = timeline.environment_event(
                *place, EventType.REQUEST_REFUSED, text, at=now, new_id=self.new_id, who="unproved",
                detail={**how(request), "how": "unproved", "code": code},
            )  # fmt: skip
            try:
                self.store.write(Save(record.but(entries=recent)), told)
            except Conflict:
                # Another call was entered meanwhile: under an attack, one line less tells as much.
                return
        if len(recent) >= MOST:
            self._full_until = min(recent) + _HOUR

    def _place(self, request: Request, now: datetime) -> tuple[str, str | None] | None:
        """Return the platform and environment that a path names, as far as they exist."""
        if request.segments[:2] != ["v1", "platforms"] or len(request.segments) < 3:
            return None
        if self._looked_at is None or now - self._looked_at >= _REMEMBERED:
            self._looked_at = now
            self._places = {one.name: set(one.document["spec"]["environments"]) for one in self.store.platforms()}
        environments = self._places.get(request.segments[2])
        if environments is None:
            return None
        named = request.segments[4] if len(request.segments) > 4 else ""
        return request.segments[2], named if named in environments else None
