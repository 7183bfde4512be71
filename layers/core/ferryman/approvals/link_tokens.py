"""The keys in personal links. They are made when the mail is sent; only their SHA-256 is stored.

Called by notify (`new`, `remember`) and by the approval pages (`holder`).
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime

from ferryman.errors import Conflict
from ferryman.records import Approval, Nonce, limits
from ferryman.records.writes import Save
from ferryman.store.table import Store

KEPT_IN_ALL = limits.COUNTS["Approval.nonces"]
KEPT = 32
"""Links per approver that work at the same time. The oldest one is dropped, so that the record stays small.

Every attempt to send a mail makes one, even if it fails: 32 are enough for three mails whose attempts all fail.
"""
_BYTES = 32
_LONGEST = 128
"""Characters that are compared; no nonce is longer."""
_SIZE = 43
_LIKE_ONE = re.compile(rf"[A-Za-z0-9_-]{{{_SIZE},}}")


def new() -> tuple[str, str]:
    """Return a new nonce, which goes into one mail and nowhere else, and its SHA-256 in hex, which is stored."""
    plain = secrets.token_urlsafe(_BYTES)
    return plain, hashed(plain)


def hashed(plain: str) -> str:
    """Return the SHA-256 (hex) of a presented nonce."""
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def holder(approval: Approval, plain: str) -> str | None:
    """Return the approver whose link contains this nonce, or None. Takes constant time, right or wrong."""
    presented = hashed(plain[:_LONGEST])
    found: str | None = None
    for nonce in approval.nonces:
        # Compare all of them, even after a match.
        if hmac.compare_digest(nonce.hash, presented):
            found = nonce.approver
    return found


def remember(store: Store, deployment: str, approver: str, hash: str, at: datetime) -> bool:  # noqa: A002
    """Store the hash of a nonce before its mail is sent. Return False and store nothing when no decision is open.

    Safe to repeat. Raise Conflict when the approval kept changing.
    """
    for _ in store.attempts():
        approval = store.approval(deployment)
        if approval is None or not approval.open_at(at):
            return False
        if approval.approver(approver) is None:
            return False
        if any(nonce.hash == hash for nonce in approval.nonces):
            return True
        try:
            store.write(_save(approval, Nonce(approver=approver, hash=hash, at=at)))
        except Conflict:
            continue
        return True
    raise Conflict(f"approval {deployment} kept changing; the next attempt reads it again")


def forget(store: Store, deployment: str, hash: str) -> None:  # noqa: A002
    """Remove the hash of a nonce whose mail was not sent. Raise Conflict when the approval kept changing."""
    for _ in store.attempts():
        approval = store.approval(deployment)
        if approval is None or all(nonce.hash != hash for nonce in approval.nonces):
            return
        try:
            store.write(Save(approval.but(nonces=[nonce for nonce in approval.nonces if nonce.hash != hash])))
        except Conflict:
            continue
        return
    raise Conflict(f"approval {deployment} kept changing; the next attempt reads it again")


def hidden(approval: Approval, text: str) -> str:
    """Return text without the approval's nonces: some people paste their link into the reason field."""
    return _LIKE_ONE.sub(lambda found: "[hidden]" if _holds(approval, found[0]) else found[0], text)


def _holds(approval: Approval, word: str) -> bool:
    # The nonce may be surrounded by other characters of its alphabet.
    return any(holder(approval, word[at : at + _SIZE]) for at in range(min(len(word), 600) - _SIZE + 1))


def _save(approval: Approval, nonce: Nonce) -> Save:
    most = min(KEPT, KEPT_IN_ALL // max(1, len(approval.approvers)))
    mine = [item for item in approval.nonces if item.approver == nonce.approver]
    dropped = {item.hash for item in mine[: max(0, len(mine) + 1 - most)]}
    kept = [item for item in approval.nonces if item.hash not in dropped]
    return Save(approval.but(nonces=[*kept, nonce]))
