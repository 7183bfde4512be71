"""Record a person's request in one transaction with its timeline; and refused requests, for the audit.

Called by the routes that start something (`api.start`) or close a gate (`api.freeze_and_waive`).
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ferryman.api.context import Context
from ferryman.api.control import how
from ferryman.api.http import Request
from ferryman.decisions.requests.common import Outcome
from ferryman.errors import FerrymanError, Refused
from ferryman.messages import timeline
from ferryman.platform import Platform
from ferryman.records import EnvironmentState, EventType
from ferryman.records.writes import Write

_LOG = logging.getLogger("ferryman")


@dataclass(frozen=True)
class Asked:
    """A request: where, and by whom."""

    operator: Context
    request: Request
    platform: Platform
    env: str

    def event(self, type: EventType, message: str, **detail: Any) -> Write:
        """Make a line of the environment's timeline, with who, how and from where."""
        return timeline.environment_event(
            self.platform.name,
            self.env,
            type,
            message,
            at=self.operator.clock(),
            new_id=self.operator.new_id,
            who=self.request.who,
            detail={**how(self.request), **detail},
        )

    @contextmanager
    def recorded(self, doing: str) -> Iterator[None]:
        """Record a refusal in the timeline, too, for the audit. A failure to do so does not change the answer."""
        try:
            yield
        except Refused as error:
            try:
                self.operator.store.write(self.event(EventType.REQUEST_REFUSED, f"{doing} was refused: {error}"))
            except FerrymanError as failed:
                _LOG.warning("a refusal could not be recorded: %s", failed)
            raise

    def write[O: Outcome](self, outcome_on: Callable[[EnvironmentState], O], also: Callable[[O], list[Write]]) -> O:
        """Decide on the current state and write the result with `also`; decide again when the state has changed."""
        decided: list[O] = []

        def change(state: EnvironmentState) -> EnvironmentState | None:
            decided.append(outcome_on(state))
            return decided[-1].state

        store = self.operator.store
        store.update_state(self.platform.name, self.env, change, lambda _: also(decided[-1]))
        return decided[-1]
