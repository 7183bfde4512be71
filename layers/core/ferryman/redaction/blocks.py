"""Private keys over several lines (PEM, PGP, PuTTY), also where one or both ends were cut off. Pure."""

import re

from ferryman.redaction.values import HIDDEN, random

_HINT = re.compile(r"PRIVATE KEY|Private-Lines|[A-Za-z0-9+/]{60}|b3BlbnNzaC1rZXktdjE")
_EDGE = re.compile(
    r"-----(BEGIN|END) ([A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?|CERTIFICATE|[A-Z ]{0,40}PUBLIC KEY)(?:-----)?"
)
# What separates lines: also as escapes inside JSON, and as escapes of escapes.
_LINE_END = re.compile(r"((?:\\{1,8}r)?\\{1,8}n|\\{1,8}u000[aA]|\r?\n|\r|%0[aA])")
_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash): .*")
_BODY = re.compile(r"=?[A-Za-z0-9+/]+={0,2}")
_KNOWN_START = re.compile(r"(?:MII[A-Za-z]|b3BlbnNzaC1rZXktdjE)")
_INLINE = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----[ \t]*+)[A-Za-z0-9+/=]++(?:[ \t]++[A-Za-z0-9+/=]++)*+"
)
_INLINE_END = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{16,}+(?=[ \t]{0,4}-----END [A-Z0-9 ]{0,60}PRIVATE KEY)")
_QUOTES = "\"',+;()[]{}|\\"
_FULL = 40
"""Characters of a line of a key that is not its last one, at least."""


def without_private_keys(text: str) -> str:
    """Return text with the bodies of private keys masked; their first and last lines stay."""
    if not _HINT.search(text):
        return text
    text = _INLINE.sub(rf"\1{HIDDEN}", text)
    text = _INLINE_END.sub(HIDDEN, text)
    # Every other piece is what separates two lines.
    pieces = _LINE_END.split(text)
    lines, ends = pieces[::2], pieces[1::2]
    hidden = _hidden(lines)
    if not hidden:
        return text
    shown: list[str] = []
    before = False
    for index, line in enumerate(lines):
        masked = _masked(line) if index in hidden else line
        if masked == HIDDEN and before:
            # One mark is enough for the lines of a key that follow each other.
            shown[-1:] = ends[index : index + 1]
            continue
        before = masked == HIDDEN
        shown += [masked, *ends[index : index + 1]]
    return "".join(shown)


def _hidden(lines: list[str]) -> set[int]:
    """Return the numbers of the lines that belong to a private key's body."""
    found: set[int] = set()
    public = False
    for index, line in enumerate(lines):
        edges = [(edge[1], "PRIVATE" in edge[2]) for edge in _EDGE.finditer(line)]
        for edge, private in edges:
            public = edge == "BEGIN" and not private
            if private:
                found.update(_after(lines, index) if edge == "BEGIN" else _before(lines, index))
        if edges or public or index in found:
            continue
        if line.lstrip().startswith("Private-Lines"):
            found.update(_after(lines, index))
        elif _KNOWN_START.match(_body(line)) and len(_body(line)) >= _FULL:
            found.update((index, *_after(lines, index)))
        elif _of_a_middle(line) and index and _of_a_middle(lines[index - 1]):
            found.update((index - 1, index, *_after(lines, index)))
    return found


def _after(lines: list[str], start: int) -> list[int]:
    found: list[int] = []
    for index in range(start + 1, len(lines)):
        line = lines[index]
        body = _body(line)
        if "-----" in line:
            break
        if not line.strip(_QUOTES + " ") or _HEADER.search(line):
            continue
        if len(body) < _FULL:
            # The last line is shorter; a word of another line, behind others, is none.
            last = body and (body == line.strip(_QUOTES + " \t") or not body.isalpha() or body.endswith("="))
            return [*found, index] if last and (len(body) != len(body.rstrip("=")) or not body.islower()) else found
        found.append(index)
    return found


def _before(lines: list[str], end: int) -> list[int]:
    found: list[int] = []
    for index in range(end - 1, -1, -1):
        line = lines[index]
        body = _body(line)
        if "-----" in line or not body or (found and len(body) < _FULL):
            break
        if not found and len(body) < _FULL and body != line.strip(_QUOTES + " \t") and not body.endswith("="):
            break
        found.append(index)
    return found


def _of_a_middle(line: str) -> bool:
    word = line.strip(_QUOTES + " \t")
    return 60 <= len(word) <= 76 and _BODY.fullmatch(word) is not None and random(word)


def _body(line: str) -> str:
    """Return the last word of a line, when it has the signs of base64 only."""
    words = line[-400:].rsplit(None, 1)
    word = words[-1].strip(_QUOTES) if words else ""
    return word if _BODY.fullmatch(word) else ""


def _masked(line: str) -> str:
    body = _body(line)
    before, _, after = line.rpartition(body) if body else (line, "", "")
    return f"{before}{HIDDEN}{after}" if body else line
