"""A problem of a document, and the nearest known name. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


Problem = tuple[str, str]


"""Dotted path, and what is wrong there and what would be right."""


def closest(name: str, known: Iterable[str]) -> str:
    """Return `did you mean …?` for a name that is nearly one of the known ones, else an empty string."""
    by_lower = {one.lower().replace("_", ""): one for one in known}
    match = get_close_matches(name.lower().replace("_", ""), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[match[0]]}?" if match else ""
