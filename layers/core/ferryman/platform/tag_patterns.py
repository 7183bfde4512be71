"""Matching a document's `tagPattern` in time proportional to the tag's length, whatever the pattern is. Pure.

Python's `re` tries one way through a pattern after the other, so that `(a|a)*b` takes years for a tag of 60 characters.
A pattern that has few ways through is left to it. For any other, all ways are followed side by side, one character of
the tag after the other (https://swtch.com/~rsc/regexp/regexp2.html), with the same result. That can't be done for
patterns that look around or back (`(?=…)`, `\\1`): `apply` refuses them, and a document that an earlier version stored
keeps its meaning.
"""

import functools
import math
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from re import _compiler, _parser  # type: ignore[attr-defined]
from typing import Any

_MOST_INSTRUCTIONS = 4_000
"""`[0-9]{7,40}` takes about 80."""
_MOST_WAYS = 100_000
"""Of the longest tag, for `re`: about a hundredth of a second."""
_LONGEST_TAG = 128
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageIdentifier.html"""
_ALPHABET = f"{string.ascii_letters}{string.digits}_.-"

Groups = Mapping[str, str | None]


@functools.lru_cache(maxsize=64)
def problem(pattern: str) -> str | None:
    """Return why a pattern (a valid one) may take long and can't be made fast; None when it is matched quickly."""
    if _ways(_parsed(pattern)) <= _MOST_WAYS:
        return None
    try:
        _program(pattern)
    except _NotRegularError as error:
        return str(error)
    return None


@functools.lru_cache(maxsize=2_048)
def full_match(pattern: str, tag: str) -> Groups | None:
    """Return the named groups of a pattern that matches the whole tag, else None."""
    if problem(pattern) is not None or _ways(_parsed(pattern)) <= _MOST_WAYS:
        found = re.fullmatch(pattern, tag)
        return found.groupdict() if found else None
    return _run(_program(pattern), tag)


class _NotRegularError(Exception):
    """A pattern can't be matched by following all ways through it side by side."""


@dataclass
class _Program:
    """Instructions: `char` (characters), `split` (first choice, second), `jump`, `save` (slot), `at` (kind), `end`."""

    groups: Mapping[str, int]
    code: list[tuple[str, Any, Any]] = field(default_factory=list)

    def add(self, kind: str, one: Any = None, other: Any = None) -> int:
        if len(self.code) >= _MOST_INSTRUCTIONS:
            raise _NotRegularError("its repetitions are too many; write smaller numbers in {…}")
        self.code.append((kind, one, other))
        return len(self.code) - 1


@functools.lru_cache(maxsize=64)
def _parsed(pattern: str) -> Any:
    # Python's own parser, so that no pattern means anything else here.
    return _parser.parse(pattern)


def _ways(items: Any) -> float:
    """Return how many ways `re` may try at most with the longest tag."""
    ways = 1.0
    for operator, argument in items:
        match str(operator):
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, body = argument
                inner = _ways(body)
                if least == most and inner == 1:
                    continue
                if inner > 1:
                    # Each round may go each way.
                    if min(int(most), _LONGEST_TAG) * math.log(inner) > math.log(_MOST_WAYS):
                        return float("inf")
                    ways *= inner ** min(int(most), _LONGEST_TAG)
                ways *= min(int(most), _LONGEST_TAG) + 1 - min(int(least), _LONGEST_TAG)
            case "BRANCH":
                ways *= sum(_ways(branch) for branch in argument[1])
            case "SUBPATTERN":
                ways *= _ways(argument[3])
            case "ATOMIC_GROUP":
                ways *= _ways(argument)
            case "ASSERT" | "ASSERT_NOT":
                ways *= _ways(argument[1])
            case "GROUPREF_EXISTS":
                ways *= sum(_ways(branch) for branch in argument[1:] if branch is not None)
        if ways > _MOST_WAYS:
            return float("inf")
    return ways


@functools.lru_cache(maxsize=64)
def _program(pattern: str) -> _Program:
    parsed = _parsed(pattern)
    program = _Program(dict(parsed.state.groupdict))
    _emit(program, parsed, parsed.state.flags, parsed.state)
    program.add("end")
    return program


def _emit(program: _Program, items: Any, flags: int, state: Any) -> None:
    for operator, argument in items:
        match str(operator):
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                program.add("char", _characters((operator, argument), flags, state))
            case "SUBPATTERN":
                group, added, removed, body = argument
                if group is not None:
                    program.add("save", 2 * group)
                _emit(program, body, (flags | added) & ~removed, state)
                if group is not None:
                    program.add("save", 2 * group + 1)
            case "BRANCH":
                _emit_branch(program, argument[1], flags, state)
            case "MAX_REPEAT" | "MIN_REPEAT":
                _emit_repeat(program, argument, flags, state, greedy=str(operator) == "MAX_REPEAT")
            case "AT":
                program.add("at", str(argument))
            case _:
                raise _NotRegularError(
                    "it looks around or back; write it without (?=…), (?!…), (?<…), (?>…), *+ and \\1"
                )


def _emit_branch(program: _Program, branches: Any, flags: int, state: Any) -> None:
    ends = []
    for index, branch in enumerate(branches):
        split = program.add("split") if index + 1 < len(branches) else None
        if split is not None:
            program.code[split] = ("split", split + 1, None)
        _emit(program, branch, flags, state)
        if split is not None:
            ends.append(program.add("jump"))
            program.code[split] = ("split", split + 1, len(program.code))
    for end in ends:
        program.code[end] = ("jump", len(program.code), None)


def _emit_repeat(program: _Program, argument: Any, flags: int, state: Any, *, greedy: bool) -> None:
    least, most, body = argument
    if int(most) > 1 and body.getwidth()[0] == 0:
        # What `re` does with empty rounds can't be told without going its ways.
        raise _NotRegularError("it repeats a part that may be empty; write that part so that it takes a character")
    for _ in range(int(least)):
        _emit(program, body, flags, state)

    def choice(at: int, inside: int, behind: int) -> None:
        program.code[at] = ("split", inside, behind) if greedy else ("split", behind, inside)

    if str(most) == "MAXREPEAT":
        loop = program.add("split")
        _emit(program, body, flags, state)
        program.add("jump", loop)
        choice(loop, loop + 1, len(program.code))
        return
    splits = []
    for _ in range(int(most) - int(least)):
        splits.append(program.add("split"))
        _emit(program, body, flags, state)
    for at in splits:
        choice(at, at + 1, len(program.code))


def _characters(item: tuple[Any, Any], flags: int, state: Any) -> frozenset[str]:
    """Return the characters of tags that one item of a pattern takes; `re` itself says which."""
    one = _parser.SubPattern(state, [item])
    matcher = _compiler.compile(one, flags)
    return frozenset(char for char in _ALPHABET if matcher.fullmatch(char))


def _run(program: _Program, tag: str) -> Groups | None:
    """Follow all ways side by side; of those that reach the end, the one that `re` would try first counts."""
    threads = list(_followed(program, 0, {}, tag, 0, set()))
    for at, char in enumerate(tag):
        seen: set[int] = set()
        threads = [
            later
            for place, slots in threads
            if program.code[place][0] == "char" and char in program.code[place][1]
            for later in _followed(program, place + 1, slots, tag, at + 1, seen)
        ]
    for place, slots in threads:
        if program.code[place][0] == "end":
            return {
                name: tag[slots[2 * group] : slots[2 * group + 1]] if 2 * group + 1 in slots else None
                for name, group in program.groups.items()
            }
    return None


def _followed(
    program: _Program, start: int, slots: dict[int, int], tag: str, at: int, seen: set[int]
) -> Iterator[tuple[int, dict[int, int]]]:
    """Yield, in the order of preference, the places where a character or the end is wanted."""
    left = [(start, slots)]
    while left:
        place, slots = left.pop()
        if place in seen:
            continue
        seen.add(place)
        kind, one, other = program.code[place]
        if kind == "jump":
            left.append((one, slots))
        elif kind == "split":
            left += [(other, slots), (one, slots)]
        elif kind == "save":
            left.append((place + 1, {**slots, one: at}))
        elif kind == "at":
            if _holds(one, tag, at):
                left.append((place + 1, slots))
        else:
            yield place, slots


def _holds(kind: str, tag: str, at: int) -> bool:
    match kind:
        case "AT_BEGINNING" | "AT_BEGINNING_STRING":
            return at == 0
        case "AT_END" | "AT_END_STRING":
            return at == len(tag)
    if not tag:
        return False  # As `re` has it, for \\B, too.
    before, after = (bool(re.fullmatch(r"\w", char)) for char in (tag[at - 1 : at] if at else "", tag[at : at + 1]))
    return (before != after) is (kind == "AT_BOUNDARY")
