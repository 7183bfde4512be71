"""Identity of approvers: finds entries for the same person, which would count as two approvals. Pure."""

import unicodedata
from collections.abc import Iterable
from typing import Protocol

from ferryman.platform.values import is_reference


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
        """ARN of the caller, as IAM reports it."""


def folded(name: str) -> str:
    """Return a name in a form for comparison: without differences in case, spaces and Unicode normalization."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def twice(people: Iterable[Person]) -> str | None:
    """Return which two entries have the same identifier, and which one; None if all differ."""
    seen: dict[tuple[str, str], Person] = {}
    for person in people:
        for what, value in _known_by(person):
            other = seen.setdefault((what, value), person)
            if other is not person:
                # Without the value: a resolved value can be confidential where this message is shown.
                return f"{other.name!r} and {person.name!r} have the same {what}"
    return None


def not_a_caller(arn: str) -> str | None:
    """Return a message if no caller can have this ARN, otherwise None. AWS reports a caller's session, not the role."""
    if ":role/" not in arn:
        return None
    return (
        f"{arn[:120]!r} is the ARN of a role, but AWS reports a caller by session; write "
        "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION (`aws sts get-caller-identity` shows it), or an IAM user's ARN"
    )


def _known_by(person: Person) -> Iterable[tuple[str, str]]:
    yield "name", folded(person.name)
    if person.email:
        # Names of parameters are case-sensitive.
        yield "email", person.email if is_reference(person.email) else person.email.strip().casefold()
    if person.slack:
        yield "slack", person.slack
    if person.arn:
        yield "arn", person.arn.strip()
