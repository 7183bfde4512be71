"""Links to an approval's page. A personal link contains a key, which exists only in the mail that carries it."""

from ferryman.messages.approval import APPROVAL, LINK, PERSONAL, REMINDER
from ferryman.notify.context import Context
from ferryman.notify.errors import NotDelivered, NotNeeded
from ferryman.records import Approval, OutboxMessage


def shared_link(base: str, approval: str) -> str:
    """Return the link that anyone may have: its page shows the status, and sends approvers a personal link. Pure."""
    return f"{base.rstrip('/')}/a/{approval}"


def personal_link(base: str, approval: str, nonce: str) -> str:
    """Return the link of one approver. Pure."""
    return f"{shared_link(base, approval)}/{nonce}"


def text_with_link(text: str, link: str | None) -> str:
    """Return a message's text with the link in place of the placeholder, if there is one. Pure."""
    return "\n".join(link if link and line == LINK else line for line in text.split("\n"))


def around_link(text: str) -> tuple[str, str] | None:
    """Return the text before and after the link's placeholder; None when there is no placeholder. Pure."""
    lines = text.split("\n")
    if LINK not in lines:
        return None
    at = lines.index(LINK)
    return "\n".join(lines[:at]), "\n".join(lines[at + 1 :])


def link_for(message: OutboxMessage, context: Context) -> str | None:
    """Return the shared link for a message, or None when the message has none.

    Raise NotNeeded when the message is about a request that has ended, NotDelivered when the page's address is unknown.
    """
    if message.event not in (APPROVAL, REMINDER):
        return None
    approval = pending_approval(message, context)
    return shared_link(page_address(context), approval.deployment)


def page_address(context: Context) -> str:
    """Return the address of the approval pages; raise NotDelivered when it is unknown."""
    if not context.approvals_url:
        raise NotDelivered("the address of the approval page is unknown: APPROVALS_URL is not set for this function")
    return context.approvals_url


def pending_approval(message: OutboxMessage, context: Context) -> Approval:
    """Return the approval that a message is about; raise NotNeeded when no decision is possible or needed any more."""
    approval = context.store.approval(message.owner)
    if approval is None:
        raise NotNeeded("the approval does not exist")
    if approval.status != "Pending":
        raise NotNeeded(f"the request has already ended: {approval.status}")
    if approval.expired_at(context.clock()):
        raise NotNeeded("the request has already expired")
    name = message.channel.removeprefix(PERSONAL)
    if message.event == REMINDER and any(decision.name == name for decision in approval.decisions):
        raise NotNeeded("the approver has already decided")
    return approval
