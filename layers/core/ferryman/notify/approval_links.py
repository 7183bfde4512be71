"""Links to an approval's page. The personal one is a key: it is in that one mail, and nowhere else."""

from ferryman.messages.approval import APPROVAL, LINK, PERSONAL, REMINDER
from ferryman.notify.context import Context
from ferryman.notify.errors import NotDelivered, NotNeeded
from ferryman.records import Approval, OutboxMessage


def shared_link(base: str, approval: str) -> str:
    """Return the link that anybody may have: it shows, and lets an approver ask for their own. Pure."""
    return f"{base.rstrip('/')}/a/{approval}"


def personal_link(base: str, approval: str, nonce: str) -> str:
    """Return the link of one approver. Pure."""
    return f"{shared_link(base, approval)}/{nonce}"


def text_with_link(text: str, link: str | None) -> str:
    """Return a message's text with the link in its place, if it has a place for one. Pure."""
    return "\n".join(link if link and line == LINK else line for line in text.split("\n"))


def around_link(text: str) -> tuple[str, str] | None:
    """Return the text before the link and the text after it; None when there is no place for one. Pure."""
    lines = text.split("\n")
    if LINK not in lines:
        return None
    at = lines.index(LINK)
    return "\n".join(lines[:at]), "\n".join(lines[at + 1 :])


def link_for(message: OutboxMessage, context: Context) -> str | None:
    """Return the shared link that belongs into a message, None if none does.

    Raise NotNeeded when the message asks about something that has ended, NotDelivered when the page's address is not
    known.
    """
    if message.event not in (APPROVAL, REMINDER):
        return None
    approval = pending_approval(message, context)
    return shared_link(page_address(context), approval.deployment)


def page_address(context: Context) -> str:
    """Return the address of the approval pages; raise NotDelivered when it is not known."""
    if not context.approvals_url:
        raise NotDelivered("the address of the approval page is not known: the function lacks APPROVALS_URL")
    return context.approvals_url


def pending_approval(message: OutboxMessage, context: Context) -> Approval:
    """Return the approval that a message asks for; raise NotNeeded when nobody can or need decide any more."""
    approval = context.store.approval(message.owner)
    if approval is None:
        raise NotNeeded("there is no such approval")
    if approval.status != "Pending":
        raise NotNeeded(f"the request ended meanwhile: {approval.status}")
    if approval.expired_at(context.clock()):
        raise NotNeeded("the request expired meanwhile")
    name = message.channel.removeprefix(PERSONAL)
    if message.event == REMINDER and any(decision.name == name for decision in approval.decisions):
        raise NotNeeded("they have decided meanwhile")
    return approval
