"""The mail with an approver's personal link; and mails to approvers that have no link, because nothing is asked.

The key in the link is made here. Its hash, and only its hash, is stored before the mail is sent. So the link in a mail
that arrives always works, and no key can be read from the table, a log or an error.
"""

from ferryman.approvals import link_tokens, standing
from ferryman.errors import Throttled
from ferryman.messages.override import EVENT
from ferryman.notify import mail
from ferryman.notify.approval_links import page_address, pending_approval, personal_link
from ferryman.notify.context import Context
from ferryman.notify.destinations import Mailbox
from ferryman.notify.errors import NotDelivered, NotNeeded
from ferryman.records import OutboxMessage


def send(message: OutboxMessage, mailbox: Mailbox, context: Context) -> None:
    """Mail an approver their link. Raise NotNeeded when they have nothing left to decide."""
    sender = context.text(mailbox.sender)
    if message.event.startswith(EVENT):
        if mailbox.address is None:
            raise NotNeeded(f"{mailbox.approver} is no longer an approver with a mail address")
        mail.send_mail(message, sender, [context.text(mailbox.address).strip()], context.client("sesv2"))
        return
    approval = pending_approval(message, context)
    approver = approval.approver(mailbox.approver)
    if approver is None or not approver.email:
        raise NotNeeded(f"{mailbox.approver} is not an approver with a mail address")
    applied = context.store.find_platform(approval.platform)
    if applied and standing.lost(approval, approver.name, "mail", applied.document, context.text) is not None:
        raise NotNeeded(f"the platform document no longer lists {mailbox.approver} with this mail address")
    base, ses = page_address(context), context.client("sesv2")
    nonce, hashed = link_tokens.new()
    if not link_tokens.remember(context.store, approval.deployment, mailbox.approver, hashed, context.clock()):
        raise NotNeeded("the request has already ended")
    link = personal_link(base, approval.deployment, nonce)
    try:
        mail.send_mail(message, sender, [approver.email], ses, link)
    except Throttled as error:
        # Nothing was sent, and this may go on for long: keys of mails that arrived must not give way to these.
        link_tokens.forget(context.store, approval.deployment, hashed)
        raise Throttled(f"SES asked to slow down: {str(error).replace(nonce, '[hidden]')}") from None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a failed delivery
        # An error may quote what was sent.
        raise NotDelivered(f"SES did not accept the mail: {str(error).replace(nonce, '[hidden]')}") from None
