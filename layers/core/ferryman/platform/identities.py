"""Telling people apart: two entries that are one human would count as two approvals. Pure."""

import unicodedata
from collections.abc import Iterable
from typing import Protocol

from ferryman.platform.values import is_reference


class Person(Protocol):
    """What an approver is known by, as the document says it or resolved."""

    @property
    def name(self) -> str:
        """What people call them."""

    @property
    def email(self) -> str | None:
        """Where their link goes."""

    @property
    def slack(self) -> str | None:
        """Their user id."""

    @property
    def arn(self) -> str | None:
        """How IAM names the caller."""


def folded(name: str) -> str:
    """Return a name without what the eye does not see: case, spaces, the same letter in another coding."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def twice(people: Iterable[Person]) -> str | None:
    """Return which two entries are the same person, and by what; None when all differ."""
    seen: dict[tuple[str, str], Person] = {}
    for person in people:
        for what, value in _known_by(person):
            other = seen.setdefault((what, value), person)
            if other is not person:
                # Not the value: a resolved one may be nobody's business where this is told.
                return f"{other.name!r} and {person.name!r} have the same {what}"
    return None


def not_a_caller(arn: str) -> str | None:
    """Return what is wrong with an ARN that no caller ever has, or None: AWS names a caller by the session."""
    if ":role/" not in arn:
        return None
    return (
        f"{arn[:120]!r} is a role, and AWS never names a caller so; write "
        "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION (`aws sts get-caller-identity` shows it), or an IAM user's ARN"
    )


def _known_by(person: Person) -> Iterable[tuple[str, str]]:
    yield "name", folded(person.name)
    if person.email:
        # Names of parameters know upper and lower case.
        yield "email", person.email if is_reference(person.email) else person.email.strip().casefold()
    if person.slack:
        yield "slack", person.slack
    if person.arn:
        yield "arn", person.arn.strip()
