"""Records of what belongs to whom, made for documents that were applied before there were any.

A bounded step of each sweep of reconcile, and of an `apply` that has to know what others own. One transaction for each
platform, so it may stop anywhere and go on later.
"""

import logging
from collections.abc import Callable

from ferryman.clients.aws_errors import Refusal
from ferryman.decisions import ownership
from ferryman.errors import Conflict, InvalidDocument
from ferryman.ids import Clock
from ferryman.platform import Platform, claims, parse
from ferryman.platform.claims import Claims
from ferryman.records import AppliedPlatform, Ownership
from ferryman.records.writes import Remove, Save, Unchanged
from ferryman.store.table import Store

ClaimsOf = Callable[[Platform], Claims]
"""Asks AWS what a document claims."""

_LOG = logging.getLogger("ferryman")


def make_missing(store: Store, claims_of: ClaimsOf, clock: Clock, most: int) -> int:
    """Make the records of at most `most` platforms whose records are missing or outdated; return how many are left."""
    behind = ownership.outdated(store.platforms(), store.ownerships())
    for applied in behind[:most]:
        make(store, applied, claims_of, clock)
    return len(behind[most:])


def complete(store: Store, claims_of: ClaimsOf, clock: Clock, most: int) -> None:
    """Look again at up to `most` platforms of which AWS could not tell everything, the ones seen longest ago first."""
    partial = sorted((item for item in store.ownerships() if not item.complete), key=lambda item: item.at)
    for name in list(dict.fromkeys(item.platform for item in partial))[:most]:
        applied = store.find_platform(name)
        if applied is not None:
            make(store, applied, claims_of, clock)


def current(store: Store) -> tuple[list[Ownership], list[str]]:
    """Return what belongs to whom, and the names of all platforms.

    A record of a platform that has no document, because somebody deleted that in the table, counts for nothing.
    """
    records = store.ownerships()
    names = [applied.name for applied in store.platforms()]
    return [item for item in records if item.platform in names], names


def make(store: Store, applied: AppliedPlatform, claims_of: ClaimsOf, clock: Clock) -> None:
    """Make the records of one applied document. If it is applied again meanwhile, that apply has made them."""
    found = _claims(applied, claims_of)
    for _ in store.attempts():
        register, before = store.ownership_register(clock()), store.ownerships()
        made, gone = ownership.records_of(applied.name, found, applied.generation, before, clock())
        try:
            store.write(
                Unchanged(applied),
                Save(register.but(at=clock())),
                *map(Save, made),
                *map(Remove, gone),
            )
        except Conflict:
            again = store.find_platform(applied.name)
            if again is None or again.rev != applied.rev:
                return
            continue
        return
    raise Conflict(f"the records of what belongs to {applied.name} kept changing; the next attempt reads them again")


def _claims(applied: AppliedPlatform, claims_of: ClaimsOf) -> Claims:
    try:
        return claims_of(parse(applied.document))
    except (InvalidDocument, Refusal) as error:
        _LOG.error("what %s owns can't be read and is taken from its document's text: %s", applied.name, error)
        return claims.unread(applied.document)
