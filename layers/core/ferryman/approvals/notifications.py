"""The messages about a requested approval, for the transaction that records its change.

An error while making them is logged and never prevents a decision from being recorded. Called by the other modules
of this package; the texts are in `messages.approval`.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from ferryman.messages import approval as messages_approval
from ferryman.platform import Platform
from ferryman.records import Approval, Deployment
from ferryman.records.writes import Add
from ferryman.store.documents import document_of
from ferryman.store.table import Store

_LOG = logging.getLogger("ferryman")


def of_reminder(store: Store, approval: Approval, deployment: Deployment, at: datetime) -> list[Add]:
    """Make the reminders for those who have not decided."""
    return _made(
        store, approval, lambda document: messages_approval.for_reminder(approval, deployment, document, at)
    )  # fmt: skip


def of_end(store: Store, approval: Approval, deployment: Deployment, at: datetime) -> list[Add]:
    """Make the messages for the end of an approval, with or without a decision."""
    return _made(store, approval, lambda document: messages_approval.for_ended(approval, deployment, document, at))


def _made(store: Store, approval: Approval, make: Callable[[Platform], list[Add]]) -> list[Add]:
    document = document_of(store, approval.platform)
    if document is None:
        return []
    try:
        return make(document)
    except Exception:  # noqa: BLE001 - any error is logged; the decision is recorded all the same
        _LOG.exception("the messages of approval %s could not be made", approval.deployment)
        return []
