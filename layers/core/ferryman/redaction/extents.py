"""Where the value ends that stands beside a telling name. Pure."""

import re

from ferryman.redaction.names import Strength, strength
from ferryman.redaction.values import bare_end, everyday, listed, part_end, quoted_end

JUDGED = 300
"""Characters of an unquoted value by which it is judged: what is not secret is looked at again for names in it."""
_ALONE = re.compile(r"\s*(?:(?:export|set|setx|ENV|ARG|declare -x)\s+|-\s+|\$env:|[+>]\s+)?[\"']?[\w.$-]*$")
_STEPS = re.compile(r";\s*[\w .-]{1,60}=")
_ENCODED = re.compile(r"[^\s&%\"']*(?:%(?!26)[0-9A-Fa-f]{2}[^\s&%\"']*){0,40}")
_HTML_QUOTES = ("&quot;", "&apos;", "&#34;", "&#39;", "&#x22;", "&#x27;", "&#X22;", "&#X27;")
_PROSE = listed(
    """
    is was are must should has have cannot can't could not no the a an this that of for in to and or if when while
    with from may been be at on by does did will would it its your our you we they ist nicht für und est pas les des
    une para por del que non così because after before than as into via until since
    """
)


def value_end(line: str, found: re.Match[str], start: int) -> int:
    """Return where the value ends that begins at `start`; -1: with the line, though its quote is open."""
    sign = found["sign"] or ""
    if found["quote"]:
        return quoted_end(line, start, found["quote"], len(found["slashes"]))
    if line.endswith(_HTML_QUOTES, max(0, start - 6), start):
        close = line.find("&", start, start + 8_192)
        return close if close >= 0 else bare_end(line, start)
    if found["tag"]:
        ends = [at for mark in ("]]>", "<") if (at := line.find(mark, start, start + 8_192)) >= 0]
        return min(ends, default=len(line))
    if sign in ("|", "│", "┃", "║"):
        cell = line[start : start + 4_096].partition(sign)[0].rstrip()
        return start + len(cell)
    if sign.startswith("%"):
        found_end = _ENCODED.match(line, start)
        return found_end.end() if found_end else start
    end = bare_end(line, start, start + JUDGED)
    if line.startswith("<", start) and (close := line.find(">", start, start + 80)) >= 0:
        return bare_end(line, close + 1, close + JUDGED)
    if line.startswith("[", start) and (close := line.find("]", start, start + 4_096)) >= 0:
        return bare_end(line, close + 1, close + JUDGED)
    if sign == "=":
        return _of_assignment(line, found, start, end)
    return _of_yaml(line, found, start, end) if sign == ":" else end


def _of_assignment(line: str, found: re.Match[str], start: int, end: int) -> int:
    before = line[max(0, found.start("name") - 80) : found.start("name")]
    if before.rstrip().endswith(";") and _STEPS.search(line, end, end + 200):
        return part_end(line, start)
    if found["name"].lower() == "sharedaccesssignature":
        return part_end(line, start)
    if line[end : end + 1] not in ("&", ",", ";", '"', "'") and len(before) < 40 and _ALONE.match(before):
        rest = line[start:].rstrip()
        if not any(char.isspace() for char in rest):
            return start + len(rest)
    return end


def _of_yaml(line: str, found: re.Match[str], start: int, end: int) -> int:
    """Return where the value of a line of YAML ends: a passphrase may have spaces, a sentence is none."""
    if found.start("name") >= 60 or end == len(line) or not _ALONE.match(line[: found.start("name")]):
        return end
    rest = line[start : start + 200].split(" #")[0].rstrip()
    parts = rest.split()
    short = len(parts) <= 6 and len(rest) < 120
    if short and not _sentence(parts) and strength(found["name"]) is Strength.SURE:
        return start + len(rest)
    return end


def _sentence(parts: list[str]) -> bool:
    """Tell whether words say something about the secret, or are more than one item."""
    if not parts or everyday(parts[0]) or any("=" in part or part.endswith(":") for part in parts):
        return True
    return any(part.lower().strip(".,:;!?") in _PROSE for part in parts)
