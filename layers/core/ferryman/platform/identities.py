"""Identity of approvers: finds entries for the same person, which would count as two approvals. Pure."""

import contextlib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol

from ferryman import arns
from ferryman.platform.values import is_reference

_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Domains whose mailboxes ignore dots: https://support.google.com/mail/answer/7436150."""


class Person(Protocol):
    """The identifiers of an approver, as written in the document or resolved."""

    @property
    def name(self) -> str:
        """The person's name."""

    @property
    def email(self) -> str | None:
        """Email address for the personal link."""

    @property
    def slack(self) -> str | None:
        """Slack user id."""

    @property
    def arn(self) -> str | None:
        """ARN of the caller, as IAM reports it, or of a role that is declared as this person's."""


def folded(name: str) -> str:
    """Return a name in a form for comparison: without differences in case, spaces and Unicode normalization."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def twice(people: Iterable[Person]) -> str | None:
    """Return which two entries have the same identifier, and which one; None if all differ."""
    seen: dict[tuple[str, str], Person] = {}
    for person in people:
        for what, value in _written(person):
            other = seen.setdefault((what, value), person)
            if other is not person:
                return _same(other, person, what)
    return None


def one_human(people: Iterable[Person]) -> str | None:
    """Return which two entries are of one human although they are written differently; None if all differ.

    Stricter than `twice`, which documents were always held against: stored ones may fail here.
    """
    seen: dict[tuple[str, str], Person] = {}
    for person in people:
        for what, value in marks(person):
            other = seen.setdefault((what, value), person)
            if other is not person:
                return _same(other, person, what)
    return None


def namesakes(people: Sequence[Person], name: str) -> frozenset[str]:
    """Return the names (folded) of all entries of the human whose entry has this name; at least the name itself."""
    known = {folded(person.name): marks(person) for person in people}
    found, mine = {folded(name)}, known.get(folded(name), frozenset())
    while more := {other for other, theirs in known.items() if other not in found and theirs & mine}:
        found |= more
        mine = mine.union(*(known[other] for other in more))
    return frozenset(found)


def owner(people: Iterable[Person], caller: str) -> str | None:
    """Return whose entry a caller's ARN belongs to: also by another permission set, or by a mail address in a name."""
    mine = _of_arn(caller)
    for person in people:
        if person.arn and arns.acts_as(caller, person.arn):
            return person.name
        if mine & marks(person):
            return person.name
    return None


def marks(person: Person) -> frozenset[tuple[str, str]]:
    """Return all that one human has alone: entries that share one of them are the same human's."""
    found = {("name", folded(person.name))}
    if person.email:
        found.add(("email", person.email if is_reference(person.email) else mailbox(person.email)))
    if person.slack:
        found.add(("slack", person.slack))
    return frozenset(found | _of_arn(person.arn.strip())) if person.arn else frozenset(found)


def mailbox(address: str) -> str:
    """Return an address in a form for comparison: without case, a `+tag`, a name, and where nobody sees dots, those."""
    bare = address.rpartition("<")[2].partition(">")[0].strip()
    local, _, domain = unicodedata.normalize("NFKC", bare).casefold().rpartition("@")
    domain = domain.rstrip(".")
    if not domain.isascii():
        with contextlib.suppress(UnicodeError):
            domain = domain.encode("idna").decode()
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def _of_arn(text: str) -> frozenset[tuple[str, str]]:
    """Return what an ARN tells of a human. A permission set is not the person: the session's name is."""
    arn = arns.read(text)
    if arn is None:
        return frozenset({("arn", text)})
    if arn.kind == "role":
        return frozenset({("role", f"{arn.account}/{arn.name}")})
    name = arn.session if arn.identity_center else arn.name if arn.kind == "user" else ""
    found = {("arn", text)}
    if arn.identity_center:
        found = {("Identity Center user", f"{arn.account}/{name.casefold()}")}
    if "@" in name.strip("@"):
        found.add(("email", mailbox(name)))
    return frozenset(found)


def _written(person: Person) -> Iterable[tuple[str, str]]:
    yield "name", folded(person.name)
    if person.email:
        # Names of parameters are case-sensitive.
        yield "email", person.email if is_reference(person.email) else person.email.strip().casefold()
    if person.slack:
        yield "slack", person.slack
    if person.arn:
        yield "arn", person.arn.strip()


def _same(one: Person, other: Person, what: str) -> str:
    # Without the value: a resolved value can be confidential where this message is shown.
    return f"{one.name!r} and {other.name!r} have the same {what}"
