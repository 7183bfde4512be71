"""Split a message's text into prose and log lines. Pure."""

from dataclasses import dataclass

from ferryman.messages.outbox import LOG


@dataclass(frozen=True)
class Part:
    """A piece of a message: prose, or quoted log lines."""

    text: str
    log: bool


def parts_of(text: str) -> list[Part]:
    """Split a message's text into parts, in order; empty parts are left out."""
    found: list[Part] = []
    lines: list[str] = []
    log = False
    for line in [*text.split("\n"), None]:
        is_log = line is not None and line.startswith(LOG)
        if line is None or is_log != log:
            if "".join(lines).strip():
                found.append(Part("\n".join(lines).strip("\n"), log))
            lines, log = [], is_log
        if line is not None:
            lines.append(line.removeprefix(LOG) if is_log else line)
    return found
