"""How an approval ends without a decision, and how the waiting step hears of any end. Called by reconcile.

Every end is one transaction over the approval and its deployment, so that exactly one of them happens.
"""

from typing import Any

from ferryman.awaiting import EndApproval
from ferryman.ids import Clock, NewId
from ferryman.store import Store
from ferryman.view import View


def end(action: EndApproval, view: View, *, store: Store, clock: Clock, new_id: NewId) -> None:
    """Void a pending approval; raise Conflict when somebody decided meanwhile."""
    raise NotImplementedError


def remind(view: View, *, store: Store, clock: Clock, new_id: NewId) -> None:
    """Queue the reminders, once; raise Conflict when somebody was faster."""
    raise NotImplementedError


def tell(view: View, *, store: Store, states: Any, clock: Clock) -> None:
    """Answer the waiting step with what stands in the table; an answer that comes too late counts as given."""
    raise NotImplementedError
