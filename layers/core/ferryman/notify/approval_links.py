"""Links to an approval's page. Pure. The personal one is a key: it is in that one mail, and nowhere else."""

from ferryman.ids import Clock
from ferryman.messages.approval import LINK, PERSONAL, REMINDER
from ferryman.notify.errors import NotNeeded
from ferryman.records import Approval, OutboxMessage
from ferryman.store.table import Store


def shared(base: str, approval: str) -> str:
    """Return the link that anybody may have: it shows, and lets an approver ask for their own."""
    return f"{base.rstrip('/')}/a/{approval}"


def personal(base: str, approval: str, nonce: str) -> str:
    """Return the link of one approver."""
    return f"{shared(base, approval)}/{nonce}"


def filled(text: str, link: str) -> str:
    """Put a link in its place."""
    return "\n".join(link if line == LINK else line for line in text.split("\n"))


def halves(text: str) -> tuple[str, str] | None:
    """Return what stands before the link and what stands after it; None when there is no place for one."""
    lines = text.split("\n")
    if LINK not in lines:
        return None
    at = lines.index(LINK)
    return "\n".join(lines[:at]), "\n".join(lines[at + 1 :])


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
