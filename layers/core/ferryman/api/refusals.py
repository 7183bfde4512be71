"""Record calls that were refused for want of a role, for the audit. Called by `serve_api`."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ferryman.access import Verb
from ferryman.api.http import Request
from ferryman.errors import FerrymanError, NotPermitted
from ferryman.messages import timeline
from ferryman.platform.values import NAME
from ferryman.records import EventType

if TYPE_CHECKING:
    from ferryman.api.context import Context

_LOG = logging.getLogger("ferryman")
_AGAIN_WRITE, _AGAIN_READ = timedelta(minutes=1), timedelta(hours=1)
"""How long the same refusal of the same caller is not recorded again: a script may try for ever."""
_MOST = 500


@dataclass
class Refusals:
    """What was refused lately, so that it is recorded without flooding the audit. One per sandbox."""

    _until: dict[tuple[str, ...], datetime] = field(default_factory=dict)

    def is_new(self, key: tuple[str, ...], now: datetime, again: timedelta) -> bool:
        """Whether this has to be recorded; from now on, it was."""
        if now < self._until.get(key, now):
            return False
        self._until = {old: until for old, until in self._until.items() if now < until}
        if len(self._until) < _MOST:
            self._until[key] = now + again
        return True


@contextmanager
def recorded(operator: "Context", request: Request, verb: Verb) -> Iterator[None]:
    """Write a refusal into the timeline of its environment or platform, too. A failure to do so changes no answer."""
    try:
        yield
    except NotPermitted as error:
        try:
            _record(operator, request, verb, error)
        except FerrymanError as failed:
            _LOG.warning("a refusal could not be recorded: %s", failed)
        raise


def _record(operator: "Context", request: Request, verb: Verb, error: NotPermitted) -> None:
    platform, env = request.params.get("platform", ""), request.params.get("environment")
    if re.fullmatch(NAME, platform) is None:
        return
    at, again = operator.clock(), _AGAIN_READ if request.method == "GET" else _AGAIN_WRITE
    if not operator.refusals.is_new((request.who, verb, platform, env or ""), at, again):
        return
    applied = operator.store.find_platform(platform)
    known = applied is not None and env in applied.document["spec"]["environments"]
    operator.store.write(
        timeline.environment_event(
            platform,
            env if known else None,
            EventType.REQUEST_REFUSED,
            f"{verb} was refused: {error}",
            at=at,
            new_id=operator.new_id,
            who=request.who,
            detail={"how": "cli", "identity": request.who, "source": request.source},
        )
    )
