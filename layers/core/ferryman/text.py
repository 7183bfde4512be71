"""Text from containers, servers and AWS, made fit to be shown and sent: cleaned, bounded, without secrets. Pure.

Called by whatever quotes a log line or an answer's body to people (messages, smoke tests).
"""

import re
import unicodedata
from collections.abc import Iterable

_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_HIDDEN = "[hidden]"

# What a log line must not carry into a chat: the password of a URL, the value beside a telling name, known key shapes.
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://[^\s/:@]{0,200}):[^\s/]{1,500}@"), rf"\1:{_HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)"
            r"[a-z0-9_-]{0,32}[\"']?\s{0,3}[=:]\s{0,3})(\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
        ),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), _HIDDEN),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"), _HIDDEN),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"), _HIDDEN),
    (re.compile(r"https://hooks\.slack(?:-gov)?\.com/\S+"), f"https://hooks.slack.com/{_HIDDEN}"),
)  # fmt: skip


def clean(text: str, *, limit: int = 4_000) -> str:
    """Return text without terminal codes, control and invisible characters and secrets; newlines stay.

    `limit` is in characters; what is longer ends in an ellipsis.
    """
    # Bounded first: the patterns below shall not run over megabytes.
    text = text[: limit * 2]
    text = _TERMINAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    text = "".join(char for char in text if char == "\n" or unicodedata.category(char)[0] != "C")
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, *, limit: int = 300) -> str:
    """Return cleaned text as a single line."""
    return clean(" ".join(text[: limit * 2].split()), limit=limit)


def sentence(text: str, *, capital: bool = False) -> str:
    """Return text that ends as a sentence does, or with a command in backticks; `capital`: its first letter is one."""
    text = text.strip()
    text = f"{text[:1].upper()}{text[1:]}" if capital else text
    return text if text.endswith((".", "!", "?", "`")) else f"{text}."


def tail(lines: Iterable[str], *, count: int = 30, width: int = 500) -> list[str]:
    """Return the last `count` lines that say something, cleaned and each at most `width` characters long."""
    cleaned = [one for line in lines for one in clean(line, limit=width).split("\n") if one.strip()]
    return [line.rstrip() for line in cleaned[-count:]]


def bounded(text: str, size: int) -> str:
    """Return text that takes at most `size` bytes as UTF-8, cut at a line where it is longer."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= size:
        return text
    note = "\n[cut: the rest is in `ferryman events`]\n"
    kept = encoded[: size - len(note)].decode("utf-8", "ignore")
    return (kept[: kept.rfind("\n")] if "\n" in kept else kept) + note
