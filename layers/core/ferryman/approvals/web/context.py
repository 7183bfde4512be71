"""The dependencies of the public functions: the store, a clock, ids, and the effects outside the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ferryman.approvals import record_decision
from ferryman.approvals.record_decision import Attempt, Verdict
from ferryman.ids import Clock, NewId
from ferryman.store.table import Store

if TYPE_CHECKING:
    from ferryman.approvals.web.slack_signing import SigningSecrets


@dataclass(frozen=True)
class Context:
    """What a request needs, to either of them."""

    store: Store
    nudge: Callable[[str, str], None]
    """Tells reconcile to look at an environment of a platform."""
    text: Callable[[str], str]
    """Returns a value of the document, or what the parameter that it refers to holds; raises ReferenceUnresolved."""
    clock: Clock
    new_id: NewId

    def decide_approval(self, approval: str, attempt: Attempt) -> Verdict:
        """Record a person's decision, or say why it does not count."""
        return record_decision.decide_approval(
            approval,
            attempt,
            store=self.store,
            nudge=self.nudge,
            text=self.text,
            clock=self.clock,
            new_id=self.new_id,
        )


@dataclass(frozen=True)
class Pages(Context):
    """What a request to the pages may need."""

    pass_on: Callable[[dict[str, Any]], dict[str, Any]]
    """Has the function for Slack answer an event that came to the pages' address."""


@dataclass(frozen=True)
class SlackApp(Context):
    """What a request of Slack may need."""

    secrets: "SigningSecrets"
    respond: Callable[[str, dict[str, Any]], None]
    """Sends a person in Slack a message that only they see; must not raise."""
