"""Whether a message about an approval still makes sense when it is sent."""

from ferryman.ids import Clock
from ferryman.messages.approval import PERSONAL, REMINDER
from ferryman.notify.errors import NotNeeded
from ferryman.records import Approval, OutboxMessage
from ferryman.store.table import Store


def open_request(message: OutboxMessage, store: Store, clock: Clock) -> Approval:
    """Return the approval that a message asks for; raise NotNeeded when nobody can or need decide any more."""
    approval = store.approval(message.owner)
    if approval is None:
        raise NotNeeded("there is no such approval")
    if approval.status != "Pending":
        raise NotNeeded(f"the request ended meanwhile: {approval.status}")
    if clock() >= approval.expires_at:
        raise NotNeeded("the request expired meanwhile")
    name = message.channel.removeprefix(PERSONAL)
    if message.event == REMINDER and any(decision.name == name for decision in approval.decisions):
        raise NotNeeded("they have decided meanwhile")
    return approval
