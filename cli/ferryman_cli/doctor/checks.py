"""What a check is, and what stands for something that could not be read. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a check found."""

    OK = "ok"
    WARNING = "warning"
    """It works, but something will go wrong or cannot be told."""
    PROBLEM = "problem"
    BLIND = "can't look"
    """The caller may not read what the check is about."""


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, what was found, and what to do about it."""

    name: str
    verdict: Verdict
    message: str
    next_step: str = ""

    def view(self) -> dict[str, str]:
        """Return the check as `-o json` prints it."""
        return {"name": self.name, "status": self.verdict, "message": self.message, "nextStep": self.next_step}


@dataclass(frozen=True)
class Blind:
    """In place of an answer of AWS: why there is none."""

    needs: str = ""
    """The IAM action that the caller lacks; empty when something else went wrong."""
    why: str = ""


Answer = dict[str, Any]
Seen = Answer | Blind | None
"""What AWS answered; None: what was asked for does not exist."""


def ok(name: str, message: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(name, Verdict.OK, message)


def warning(name: str, message: str, next_step: str) -> Check:
    """Return a check that found something to know."""
    return Check(name, Verdict.WARNING, message, next_step)


def problem(name: str, message: str, next_step: str) -> Check:
    """Return a check that found something wrong."""
    return Check(name, Verdict.PROBLEM, message, next_step)


def blind(name: str, seen: Blind) -> Check:
    """Return a check that could not look."""
    if seen.needs:
        step = "Run it with an identity that has this permission, or take this line as unknown"
        return Check(name, Verdict.BLIND, f"can't look, needs {seen.needs}", step)
    return Check(name, Verdict.BLIND, f"can't look: {seen.why}", "Try again, or look in the AWS console")
