"""Text from containers, servers and AWS, made fit to be shown and sent: cleaned, bounded, without secrets. Pure.

Called by whatever quotes a log line or an answer's body to people (messages, smoke tests).
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Words without digits, or short ones; and what a word may not be beside of.
_PLAIN = re.compile(r"(?:(?:[A-Za-z/.,()']++|[A-Za-z0-9/.,()'_-]{1,15}+)(?:[ \n]++|$))*+")
_TELLING = re.compile(r"(?i)pass|pwd|secret|token|key|cred|auth|-[pua]\b|bearer|basic|login")
_LEFT_OUT = "[truncated: the command `events` shows the rest]"
_MIDDLE = " […] "
_NARROW = 100
"""Bytes to which `bounded` cuts a line before it leaves out whole lines."""

_CONTEXT = 2
"""How much more than what is shown is looked at: what is masked gets shorter, and the cut is behind what is seen."""


def clean(text: str, *, limit: int = 4_000) -> str:
    """Return text without terminal codes, control and invisible characters and secrets; newlines stay.

    `limit` is in characters; what is longer ends in an ellipsis. Hand over whole texts: a secret that was cut no longer
    looks like one.
    """
    return _shortened(_cleaned(_first(text, limit * _CONTEXT)), limit)


def one_line(text: str, *, limit: int = 300) -> str:
    """Return cleaned text as a single line."""
    # Cleaned first: a key over several lines, or a value on the line after its name, is only seen by its lines.
    return _shortened(" ".join(_cleaned(_first(text, limit * _CONTEXT)).split()), limit)


def person(who: str) -> str:
    """Return the name that people would recognise in an IAM ARN: its last part; anything else as it is."""
    return who.rsplit("/", 1)[-1] if who.startswith("arn:") and "/" in who else who


def redacted(text: str) -> str:
    """Return text with the secrets in it replaced by `[hidden]`, and nothing else changed."""
    if _plain(text):
        return text
    # Its patterns take a while to compile, and many functions quote nothing.
    from ferryman.redaction import redacted

    return redacted(text)


def redacted_lines(lines: list[str]) -> list[str]:
    """Return the lines of one text with the secrets in them replaced, also those that go over several lines."""
    return redacted("\n".join(lines)).split("\n") if lines else lines


def redacted_data(data: Any) -> Any:
    """Return JSON data with the secrets in its texts replaced; a text under a telling name is one as a whole."""
    if data is None or isinstance(data, bool | int | float) or data == {} or (isinstance(data, str) and _plain(data)):
        return data
    if isinstance(data, dict) and all(
        isinstance(item, str) and _plain(f"{name} {item}") for name, item in data.items()
    ):
        return data
    from ferryman.redaction import redacted_data

    return redacted_data(data)


def _plain(text: str) -> bool:
    """Tell at once of most texts of our own that no secret is in them."""
    return len(text) < 300 and _PLAIN.fullmatch(text) is not None and _TELLING.search(text) is None


def _cleaned(text: str) -> str:
    text = _TERMINAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    if not text.replace("\n", "").isprintable():
        text = "".join(char for char in text if char == "\n" or unicodedata.category(char)[0] != "C")
    return redacted(text)


def _first(text: str, size: int) -> str:
    """Return the first characters, up to white space: half a secret is not recognised."""
    if len(text) <= size:
        return text
    words = text[:size].rsplit(None, 1)
    return words[0] if len(words) == 2 and len(words[1]) < size // 2 else text[:size]


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(items: Iterable[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    *first, last = list(items) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def sentence(text: str, *, capital: bool = False) -> str:
    """Return text that ends as a sentence does, or with a command in backticks; `capital`: its first letter is one."""
    text = text.strip()
    text = f"{text[:1].upper()}{text[1:]}" if capital else text
    return text if text.endswith((".", "!", "?", "`")) else f"{text}."


def tail(lines: Iterable[str], *, count: int = 30, width: int = 500) -> list[str]:
    """Return the last `count` lines that say something, cleaned and each at most `width` characters long."""
    # Cleaned together: a secret may begin in one line and go on in the next.
    cleaned = _cleaned("\n".join(_first(line, width * _CONTEXT) for line in lines))
    return [_shortened(line.rstrip(), width) for line in cleaned.split("\n") if line.strip()][-count:]


def bounded(text: str, size: int) -> str:
    """Return text that takes at most `size` bytes as UTF-8 and keeps its first and last lines.

    Where it is longer, its longest lines are cut first, all to one length; where there are too many lines, those in the
    middle are left out. `size` must have room for the note that says so.
    """
    if byte_length(text) <= size:
        return text
    lines = text.split("\n")
    widest = max(0, (size - len(lines)) // len(lines))
    if widest >= _NARROW:
        return "\n".join(_narrowed(lines, size))
    lines = [_cut(line, _NARROW) for line in lines]
    room = size - len(_LEFT_OUT) - 2
    last = _upto(reversed(lines), room // 2)[::-1]
    first = _upto(lines[: len(lines) - len(last)], room - sum(byte_length(line) + 1 for line in last))
    if len(first) + len(last) == len(lines):
        return "\n".join(lines)
    return "\n".join([*first, _LEFT_OUT, *last])


def shortened(text: str, size: int) -> str:
    """Return text that takes at most `size` bytes as UTF-8; where it is longer, its middle is left out.

    What happened stands at the beginning, and what to do next at the end.
    """
    if len(text) * 4 <= size or byte_length(text) <= size:
        return text
    room = max(0, size - len(_MIDDLE.encode()))
    raw = text.encode("utf-8", "replace")
    first, last = raw[: room * 2 // 3], raw[len(raw) - room // 3 :]
    return f"{first.decode('utf-8', 'ignore')}{_MIDDLE}{last.decode('utf-8', 'ignore')}" if room else ""


def byte_length(text: str) -> int:
    """Return how many bytes text takes as UTF-8: DynamoDB, SNS and SES count these, not characters."""
    return len(text.encode("utf-8", "replace"))


def _narrowed(lines: list[str], size: int) -> list[str]:
    """Cut the longest lines to the greatest length with which all of them take at most `size` bytes."""
    left, count = size - len(lines) + 1, len(lines)
    width = 0
    for length in sorted(byte_length(line) for line in lines):
        width = left // count
        if length > width:
            break
        left, count = left - length, count - 1
    return [_cut(line, width) for line in lines]


def _cut(line: str, size: int) -> str:
    if byte_length(line) <= size:
        return line
    return line.encode("utf-8", "replace")[: size - len("…".encode())].decode("utf-8", "ignore") + "…"


def _upto(lines: Iterable[str], size: int) -> list[str]:
    """Return the first lines that, each with a line end, take at most `size` bytes."""
    found: list[str] = []
    for line in lines:
        size -= byte_length(line) + 1
        if size < 0:
            break
        found.append(line)
    return found
