"""Count the different wrong words on a link; more than `MOST` of them pause typing there.

Called by the approval pages. Whoever has a link can cause `MOST` small writes in ten minutes. Its owner is told once
for a request, however many links they have: a program that checks mails may open the link in that message, too.
Another link of the same person is not affected.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ferryman.errors import Conflict
from ferryman.ids import Clock, NewId
from ferryman.messages import approval as messages_approval
from ferryman.messages import timeline
from ferryman.records import Approval, EventType, WrongWords, step_keys
from ferryman.records.writes import Save, Write
from ferryman.store.table import Store

MOST = 20
"""Different wrong words that change nothing."""
PAUSE = timedelta(minutes=10)
SHARED = "shared"
"""The link of the shared page, where a document allows unverified decisions."""
_KEPT = timedelta(days=7)
_TRIES = 7
_HASH = 8
"""Characters: two of 20 words are alike in one of 20 million cases, and any of a thousand guesses fits a password."""


@dataclass(frozen=True)
class Typed:
    """A wrong word and where it was typed."""

    link: str
    owner: str | None
    """Whose link it is; None on the shared page."""
    word: str
    source: str


def paused_until(store: Store, deployment: str, link: str, now: datetime) -> datetime | None:
    """Return until when typing is paused on a link, or None."""
    return _paused(store.wrong_words(deployment, link), now)


def count(store: Store, approval: Approval, typed: Typed, *, clock: Clock, new_id: NewId) -> bool:
    """Count a wrong word, unless it is empty or was counted before; tell whether typing is paused now.

    Raise Conflict when the count kept changing: the word is then refused in any case.
    """
    word = typed.word.strip().casefold()
    if not word:
        return False
    for _ in store.attempts(_TRIES):
        now = clock()
        before = store.wrong_words(approval.deployment, typed.link)
        if _paused(before, now) is not None:
            return True
        after = _counted(before or _new(approval, typed), word)
        if after is None:
            return False
        pauses = len(after.words) > MOST
        told: list[Write] = []
        if pauses:
            after = after.but(words=[], paused_until=now + PAUSE)
            told = _told(store, approval, typed, now, new_id)
        try:
            store.write(_save(approval, after), *told)
        except Conflict:
            continue
        return pauses
    raise Conflict(f"the wrong words of a link of {approval.deployment} kept changing; try again")


def _paused(record: WrongWords | None, now: datetime) -> datetime | None:
    until = record.paused_until if record is not None else None
    return until if until is not None and now < until else None


def _new(approval: Approval, typed: Typed) -> WrongWords:
    return WrongWords(deployment=approval.deployment, link=typed.link, salt=secrets.token_hex(16))


def _save(approval: Approval, record: WrongWords) -> Save:
    return Save(record, expires_at=int((approval.expires_at + _KEPT).timestamp()))


def _counted(record: WrongWords, word: str) -> WrongWords | None:
    hashed = hashlib.sha256(f"{record.salt}:{word}".encode("utf-8", "replace")).hexdigest()[:_HASH]
    return None if hashed in record.words else record.but(words=[*record.words, hashed])


def _told(store: Store, approval: Approval, typed: Typed, at: datetime, new_id: NewId) -> list[Write]:
    """Return a line for the timeline and a mail with a fresh link to the link's owner, unless they had one before."""
    once = WrongWords(deployment=approval.deployment, link=_owner(typed.owner), salt="")
    if store.wrong_words(approval.deployment, once.link) is not None:
        return []
    whose = f"{typed.owner}'s link" if typed.owner else "the shared link"
    line = timeline.approval_event(
        approval,
        EventType.DECISION_REFUSED,
        f"more than {MOST} different wrong versions were typed on {whose}: typing is paused there for "
        f"{PAUSE.total_seconds() / 60:.0f} minutes",
        at=at,
        new_id=new_id,
        who=typed.owner or "shared link",
        step=step_keys.APPROVAL,
        detail={"refused": "TypingPaused", "source": typed.source[:200]},
    )
    mails = messages_approval.for_pause(approval, typed.owner, MOST, at) if typed.owner else []
    return [_save(approval, once), line, *mails]


def _owner(name: str | None) -> str:
    """Return the key of the record that says that somebody was told. No link's key looks like it."""
    return f"owner-{hashlib.sha256((name or SHARED).encode()).hexdigest()[:32]}"
