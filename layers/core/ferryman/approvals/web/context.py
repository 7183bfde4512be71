"""The dependencies of the approval pages: the store, a clock, ids, and the effects outside the table."""

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
    """Tells reconcile to look at an environment of a platform."""
    secrets: SigningSecrets
    respond: Callable[[str, dict[str, Any]], None]
    """Sends a person in Slack a message that only they see; must not raise."""
    clock: Clock
    new_id: NewId

    def decide_approval(self, approval: str, attempt: Attempt) -> Verdict:
        """Record a person's decision, or say why it does not count."""
        return record_decision.decide_approval(
            approval, attempt, store=self.store, nudge=self.nudge, clock=self.clock, new_id=self.new_id
        )  # fmt: skip
