"""What the website works with: the store, a clock, ids, and the few effects it has outside of the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ferryman.approvals import record_decision
from ferryman.approvals.record_decision import Attempt, Verdict
from ferryman.approvals.web.slack_signing import SigningSecrets
from ferryman.ids import Clock, NewId
from ferryman.store.table import Store


@dataclass(frozen=True)
class Context:
    """Everything that a request may need."""

    store: Store
    nudge: Callable[[str, str], None]
    """Have reconcile look at an environment of a platform."""
    secrets: SigningSecrets
    respond: Callable[[str, dict[str, Any]], None]
    """Send a person in Slack a word that only they see; must not raise."""
    clock: Clock
    new_id: NewId

    def decide_approval(self, approval: str, attempt: Attempt) -> Verdict:
        """Take down what somebody decided, or tell why not."""
        return record_decision.decide_approval(
            approval, attempt, store=self.store, nudge=self.nudge, clock=self.clock, new_id=self.new_id
        )  # fmt: skip
