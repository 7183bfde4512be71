"""Which tags a `tagPattern` is written for, as far as examples tell. Pure; called by `apply`, and to explain a tag."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from ferryman.platform.tag_patterns import full_match
from ferryman.platform.tag_report import is_image_tag
from ferryman.platform.values import SEMVER

SEMVER_PROBES = (
    "v0.1.0", "v1.2.3", "v10.20.30", "v1.2.30", "v2024.9.3", "v2024.10.1", "v2024.10.15", "v24.10.1", "v20241001.1.0",
    "v1.2.3-1", "v1.2.3-rc.1", "v1.2.3-rc1", "v1.2.3-rc-1", "v1.2.3-RC1", "v1.2.3-alpha", "v1.2.3-alpha.1",
    "v1.2.3-beta.1", "v1.2.3-beta1", "v1.2.3-dev", "v1.2.3-dev.4", "v1.2.3-pre.1", "v1.2.3-SNAPSHOT",
    "v1.2.3-build.45", "v1.2.3-45-g3f9c2ab", "v1.2.3-3f9c2ab", "v1.2.3-g3f9c2ab", "v1.2.3-main.45", "v1.2.3-pr.12",
    "v1.2.3-20241001", "v1.2.3-20241001120000", "v1.2.3-hotfix.1", "v1.2.3-hotfix-1", "v2024.10.15-1",
    "v0.0.0-20241001120000-3f9c2ab12345",
)  # fmt: skip
"""Tags that Ferryman takes for semver tags: versions, pre-releases, `git describe`, Go's pseudo-versions, calver."""

USUAL_VERSIONS = (
    "3f9c2ab", "3f9c2ab1", "3f9c2ab12345", "3f9c2ab0d1e2f3a4b5c6d7e8f90123456789abcd", "sha-3f9c2ab", "git-3f9c2ab",
    "main-3f9c2ab", "123-3f9c2ab", "1733011200-3f9c2ab", "20241001-3f9c2ab", "20241001120000-3f9c2ab", "20241001.1",
    "2024.10.1", "2024.10.01-5", "2024.09.3", "2024-10-01", "1.2.3", "1.2.3-rc.1", "1.2", "v1.2", "v1", "1", "123",
    "build-123", "b123", "r123", "v1.2.3.4", "release-1.2.3", "release-v1.2.3", "REL1.2.3",
)  # fmt: skip
"""Tags that may be versions."""

_PADDED = (
    ("v2024.09.3", "v2024.9.3"), ("v2024.9.03", "v2024.9.3"), ("v2024.09.03", "v2024.9.3"), ("v24.09.3", "v24.9.3"),
    ("v2024.09.03-1", "v2024.9.3-1"), ("v2024.10.03", "v2024.10.3"), ("v1.02.3", "v1.2.3"), ("v01.2.3", "v1.2.3"),
)  # fmt: skip
"""A number with a leading zero is no semver tag. A pattern asks for the zero only if it refuses the number without."""

_MOST = 40
"""Examples of each part of a pattern."""
_LONGEST = 200
"""Characters of an example; a tag has at most 128."""


def semver_matches(pattern: str) -> list[str]:
    """Return probes that the pattern matches and that Ferryman takes for semver tags."""
    return [probe for probe in SEMVER_PROBES if is_semver(pattern, probe)]


def is_semver(pattern: str, text: str) -> bool:
    """Return whether a pattern matches a text that Ferryman takes for a semver tag."""
    return is_image_tag(text) and SEMVER.fullmatch(text) is not None and full_match(pattern, text) is not None


def version_matches(pattern: str, known: Iterable[str] = ()) -> Iterator[str]:
    """Yield examples of tags that the pattern makes versions, of which no semver tag is one.

    Taken from `known` tags, from the usual forms of versions, and from what the pattern itself spells.
    """
    padded = (zero for zero, bare in _PADDED if full_match(pattern, bare) is None)
    for example in (*known, *USUAL_VERSIONS, *padded, *spelled(pattern)):
        match = full_match(pattern, example)
        if match is not None and match["version"] and is_image_tag(example) and not SEMVER.fullmatch(example):
            yield example


def spelled(pattern: str) -> list[str]:
    """Return texts that a pattern spells: each of its alternatives once, numbers without leading zeros.

    They need not match it: assertions and references are left out.
    """
    return _sequence(_parser.parse(pattern))


def _sequence(parts: Any) -> list[str]:
    """Return what parts in a row spell: the first text of each, then one part at a time by its other texts."""
    choices = [_texts(str(operation), argument) for operation, argument in parts]
    first = [texts[0] for texts in choices]
    found = ["".join(first)]
    for at, texts in enumerate(choices):
        found += ["".join([*first[:at], text, *first[at + 1 :]]) for text in texts[1:]]
    return list(dict.fromkeys(text[:_LONGEST] for text in found))[:_MOST]


def _texts(operation: str, argument: Any) -> list[str]:
    """Return what one part spells, at least one text; it may be empty."""
    match operation:
        case "LITERAL":
            return [chr(argument)]
        case "NOT_LITERAL":
            return [next(character for character in "1ax" if ord(character) != argument)]
        case "ANY":
            # Most often a dot that was meant as one.
            return ["."]
        case "IN":
            return list(islice(_members(argument), _MOST)) or ["-"]
        case "BRANCH":
            each = [_sequence(alternative) for alternative in argument[1]]
            return [*(texts[0] for texts in each), *(text for texts in each for text in texts[1:])][:_MOST]
        case "SUBPATTERN":
            return _sequence(argument[3])
        case "ATOMIC_GROUP":
            return _sequence(argument)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, repeated = min(int(argument[0]), _LONGEST), min(int(argument[1]), _LONGEST), argument[2]
            counts = dict.fromkeys(min(count, most) for count in (max(least, 1), least, least + 1, least + 3))
            texts = _sequence(repeated)
            repeats = [texts[0] * count for count in counts]
            return [text[:_LONGEST] for text in [*repeats, *(text * max(min(least, most), 1) for text in texts[1:])]][
                :_MOST
            ]
    return [""]


def _members(members: Any) -> Iterator[str]:
    """Yield characters of a class, one for each range in it; a zero comes last."""
    spelled = [str(operation) for operation, _ in members]
    if "NEGATE" in spelled:
        outside = re.compile(r"[A-Za-z0-9._-]")
        listed = {chr(value) for operation, value in members if str(operation) == "LITERAL"}
        yield from (character for character in "a1x_" if character not in listed and outside.match(character))
        return
    zero = False
    for operation, value in members:
        match str(operation):
            case "LITERAL":
                zero = zero or value == ord("0")
                if value != ord("0"):
                    yield chr(value)
            case "RANGE":
                low, high = value
                yield chr(low + 1) if low == ord("0") and high > low else chr(low)
            case "CATEGORY":
                yield {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "a"}.get(str(value), "-")
    if zero:
        yield "0"
