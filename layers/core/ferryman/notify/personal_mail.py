"""The mail with an approver's own link. Called by `notify.dispatch`.

The key in the link is made here, and only its hash is kept, before the mail goes out: a mail that arrives always works,
and nobody who reads the table, a log or an error finds a key.
"""

from ferryman.approvals import link_tokens
from ferryman.clients.aws_types import SESClient
from ferryman.ids import Clock
from ferryman.notify import approval_links, mail
from ferryman.notify.approval_links import open_request
from ferryman.notify.errors import NotDelivered, NotNeeded
from ferryman.records import OutboxMessage
from ferryman.store.table import Store


def send(
    message: OutboxMessage, approver: str, sender: str, *, base: str, ses: SESClient, store: Store, clock: Clock
) -> None:
    """Mail an approver their link. Raise NotNeeded when there is nothing to decide for them any more."""
    approval = open_request(message, store, clock)
    person = approval.approver(approver)
    if person is None or not person.email:
        raise NotNeeded(f"{approver} is no approver with a mail address")
    if not base:
        raise NotDelivered("the address of the approval page is not known: the function lacks APPROVALS_URL")
    plain, hashed = link_tokens.new()
    if not link_tokens.remember(store, approval.deployment, approver, hashed, clock()):
        raise NotNeeded("the request ended meanwhile")
    link = approval_links.personal(base, approval.deployment, plain)
    try:
        mail.send(message, sender, [person.email], ses, link)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a failed delivery
        # An error may quote what was sent.
        raise NotDelivered(f"SES did not take the mail: {str(error).replace(plain, '[hidden]')}") from None
