"""Text without its secrets: what containers, servers and AWS say is quoted to people, and must not carry any. Pure.

Imported by `ferryman.text` at its first use, since compiling the patterns takes time that a function which quotes
nothing does not have to spend. A value is masked; the name that tells of it and all else stay readable. Every pattern
takes time in proportion to the text's length.
"""

import re
from typing import Any

from ferryman.redaction import assignments
from ferryman.redaction.addresses import without_passwords
from ferryman.redaction.blocks import without_private_keys
from ferryman.redaction.commands import without_arguments
from ferryman.redaction.headers import without_credentials
from ferryman.redaction.names import Strength, strength
from ferryman.redaction.shapes import AWS_SECRET, KEYS
from ferryman.redaction.tables import Table
from ferryman.redaction.values import HIDDEN, SHOWN, everyday, mixed, quoted_end, random

__all__ = ["redacted", "redacted_data"]

_LINE_END = re.compile(r"((?:\\{1,8}r)?\\{1,8}n(?![a-z]{0,30}[\\/:])|\r?\n|\r)")
_NAME_IS = re.compile(
    r"(?:-\s++)?\\*+[\"']?(?i:name|key|parameterkey|envname|variable)\\*+[\"']?\s*+[:=]\s*+\\*+[\"']?(?P<name>[\w.$-]{2,80}+)\\*+[\"']?,?"
)
_VALUE_IS = re.compile(r"\s*+(?:-\s++)?\\*+[\"']?(?i:parameter)?(?i:value)\\*+[\"']?\s*+[:=]\s*+\\*+[\"']?")
# A terminal's colours, as they are and as JSON writes them, and characters without width inside of a word.
_UNSEEN = re.compile(
    r"(?:\x1b|\\{1,4}(?:u001[bB]|x1[bB]|033|e)(?=\[))\[[0-9;:]{0,40}[A-Za-z]|\x9b[0-9;:]{0,40}[A-Za-z]"
    r"|(?<=[A-Za-z0-9_])[\u00ad\u200b-\u200d\u2060\ufeff]+(?=[A-Za-z0-9_=:])"
)
_AROUND = " \t\"'`,\\"
_WIDE = 60
"""Characters of a line that may have been broken for its length."""


def redacted(text: str) -> str:
    """Return text with the secrets in it replaced by `[hidden]`; doing it twice changes nothing more.

    A terminal's colours are taken out, too: they stand between names and values, and nobody sees them.

    Hand over whole texts: a key over several lines, or a value on the line after its name, is only seen together.
    """
    if "\x1b" in text or "\\" in text or not text.isascii():
        text = _UNSEEN.sub("", text)
    text = without_private_keys(text.replace(SHOWN, HIDDEN))
    pieces = _LINE_END.split(text)
    shown: list[str] = []
    reader = _Reader()
    for index, piece in enumerate(pieces):
        shown.append(piece if index % 2 else reader.read(piece))
    return "".join(shown).replace(HIDDEN, SHOWN)


def redacted_data(data: Any) -> Any:
    """Return JSON data with the secrets in its texts replaced; a text under a telling name is one as a whole."""
    match data:
        case str():
            return redacted(data)
        case dict():
            return {name: _beside(str(name), value) for name, value in data.items()}
        case list() | tuple():
            return [redacted_data(item) for item in data]
    return data


def _beside(name: str, value: Any) -> Any:
    if isinstance(value, str) and strength(name) is Strength.SURE and not everyday(value):
        return SHOWN
    return redacted_data(value)


class _Reader:
    """Reads line after line, and keeps what one line says of the next."""

    def __init__(self) -> None:
        self._open: tuple[str, int] | None = None
        self._open_lines = 0
        self._block = -1
        self._announced = (Strength.NONE, False)
        self._named = False
        self._before = ""
        self._broken = False
        self._table = Table()

    def read(self, line: str) -> str:
        """Return the line without its secrets."""
        if not line.strip():
            return line
        whole = line
        line = self._continued(line)
        line = self._table.read(line)
        line = without_passwords(line)
        line = without_credentials(line)
        line = without_arguments(line)
        found = assignments.masked(line)
        line = found.line
        for keys in KEYS:
            line = keys.sub(HIDDEN, line)
        line = AWS_SECRET.sub(_aws_secret, line)
        if found.open_quote:
            self._open, self._open_lines = found.open_quote, 3
        if found.block:
            self._block = _indent(whole)
        self._announced = assignments.announced(line)
        name = _NAME_IS.fullmatch(whole.strip()) if len(whole) < 200 else None
        self._named = name is not None and strength(name["name"]) is Strength.SURE
        self._broken = len(whole) >= _WIDE and line != whole and line.rstrip("\"' ").endswith(HIDDEN)
        self._before = whole
        return line

    def _continued(self, line: str) -> str:
        """Mask what belongs to a value that began in an earlier line."""
        if self._open:
            quote, depth = self._open
            end = quoted_end(line, 0, quote, depth)
            self._open_lines -= 1
            if end >= 0 or not self._open_lines:
                self._open = None
            if end >= 0:
                return f"{HIDDEN}{line[end:]}"
            return line
        if self._block >= 0:
            if _indent(line) > self._block:
                return f"{line[: _indent(line)]}{HIDDEN}"
            self._block = -1
        if self._named and (found := _VALUE_IS.match(line)):
            return _without(line, line[found.end() :].strip(_AROUND))
        says, surely = self._announced
        if says is Strength.NONE and not self._broken:
            return line
        start = _shared(self._before, line)
        rest = line[start:].lstrip()
        listed = rest.startswith("- ")
        value = rest.removeprefix("- ").strip(_AROUND)
        if not value or any(char.isspace() for char in value) or not self._hides(value, says, surely, listed=listed):
            return line
        return line[:start] + _without(line[start:], value)

    def _hides(self, value: str, says: Strength, surely: bool, *, listed: bool) -> bool:
        if value.endswith((":", "{", "[")) or "=" in value[:-2] or everyday(value) or value == HIDDEN:
            return False
        if self._broken:
            return len(value) >= 8 and (random(value, least=8) or mixed(value) or value.endswith("="))
        if says is Strength.SURE:
            return mixed(value) or random(value, hexadecimal=True) or (surely and not listed and len(value) > 3)
        return random(value)


def _without(line: str, value: str) -> str:
    """Return a line with its value masked; what nobody could use stays."""
    return line if everyday(value) or not value else HIDDEN.join(line.rsplit(value, 1))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _shared(before: str, line: str) -> int:
    """Return the length of what a log writes before each line: equal in both, except for digits."""
    at = 0
    for one, other in zip(before, line, strict=False):
        if one != other and not (one.isdigit() and other.isdigit()):
            break
        at += 1
    return line.rfind(" ", 0, at) + 1


def _aws_secret(found: re.Match[str]) -> str:
    value = found[0]
    varied = any(char.islower() for char in value) and any(char.isupper() for char in value)
    return HIDDEN if varied and sum(char.isdigit() for char in value) > 1 and random(value, least=40) else value
