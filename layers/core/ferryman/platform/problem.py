"""A problem in a document, suggestions for misspelled names, and what a check found. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ferryman.platform.claims import Claims

Problem = tuple[str, str]
"""A dotted path, and a message that says what is wrong there and how to correct it."""


def closest(name: str, known: Iterable[str]) -> str:
    """Return `did you mean …?` for a name that resembles a known one, otherwise an empty string."""
    by_lower = {one.lower().replace("_", ""): one for one in known}
    match = get_close_matches(name.lower().replace("_", ""), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[match[0]]}?" if match else ""


@dataclass(frozen=True)
class Findings:
    """What `apply` and `ferryman verify` tell of a document and of AWS."""

    problems: list[Problem]
    notes: list[Problem]
    """What is right, and may not be expected: containers that change with the named one, and ones that stay."""
    claims: "Claims"
    """What the document would own. No default: without it, nothing would be refused that belongs to others."""
    live: dict[str, dict[str, str]] = field(default_factory=dict)
    """Environment → service → task definition that it runs."""
