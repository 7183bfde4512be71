"""Values beside telling names: where one ends, and whether it looks like a secret or like everyday text. Pure."""

import math
import re
from collections import Counter

SHOWN = "[hidden]"
"""What stands for a secret in what people read."""
HIDDEN = "\ue000"
"""What stands for it while a text is worked on: one character that no pattern takes for a part of a secret."""


def listed(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


LONGEST = 65_536
"""Characters after which a quoted value without an end is taken to end."""

_EVERYDAY = listed(
    """
    true false yes no on off null none nil undefined empty unset missing required optional invalid valid expired ok
    disabled enabled unknown redacted hidden masked filtered changed unchanged default set string str int integer bool
    boolean number bytes object array list dict map any text secret password token bearer basic digest session user
    username name id type value here protected removed omitted example todo n/a na not is was are must should has have
    cannot can't unexpected expected error failed failure rejected denied refused incorrect wrong mismatch found
    the a an this that of for in to and or if when while unable could does did will would may with from authentication
    authorization credentials credential secrets refresh refreshed rotated rotating created updated deleted generated
    verified verifying validating validation loading loaded loads reading read using used resolving resolved skipped
    skipping fetching fetched pending active inactive revoked signature key keys access header cookie request response
    end eof newline identifier keyword operator self.password args kwargs env ssm secretsmanager vault
    ist nicht fehlt ungültig falsch est invalide incorrecte manquant inválida incorrecta неверный неправильный
    """
)
_PLACEHOLDER = re.compile(
    r"""(?x)
    \$[0-9]{1,3} | \$\{[^}]{0,200}\}? | \$\([^)]{0,200}\)? | \$[A-Z_][A-Z0-9_]{0,80} | \{\{.{0,200}
    | <[A-Za-z][A-Za-z _|.-]{0,80}> | %\(?[a-z_]{0,40}\)?[sdv]
    | [*•.x#_-]{1,200} | \[(?i:redacted|hidden|filtered|masked|secret|protected|secure|removed|omitted)[^\]]{0,40}\]
    | \*{2,}.{0,4} | arn:aws[^\s]{0,300} | ssm:/.{0,300} | vault:.{0,200} | process\.env\b.{0,80} | os\.environ.{0,80}
    | \((?:sensitive|known|hidden|redacted|none|not|masked|default|empty|unset)\b.{0,80}
    | -----BEGIN\ [A-Z ]{1,40}-----.{0,80} | \{[a-z_]{0,40}\} | :[a-z_]{1,40} | \?+ | \W
    """
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]+")
_ORDINARY = re.compile(
    r"""(?x)
    [a-z][a-z0-9+.-]{0,20}://.* | arn:.* | sha(?:1|256|384|512)[:-].* | /.* | \./.* | [0-9.,:T_+-]+(?:Z|ms|s|m|h|kb|mb)?
    | [a-zA-Z]:\\.* | (?:[\w-]{1,63}\.){2,8}[a-z]{2,10}(?::\d+)?(?:/.*)?
    """
)
_BOUND = re.compile(r"[ \t]*(?:$|[\w.$\[\]-]{1,60}\\*[\"']?[ \t]?(?:=|:[ \t]?)|[\"'{\[(])")
_PART = re.compile(r"[^;\"'`]*+")
_SIMPLE = re.compile(r"[^\s,;&\"'`<>\\)\]}|]*+")


def everyday(value: str) -> bool:
    """Tell whether a value is a word, a placeholder or a reference: nothing that anybody could use."""
    bare = value.strip().strip("\"'`.,:;!?)(").lower()
    return bare in _EVERYDAY or not bare or _PLACEHOLDER.fullmatch(value.strip()) is not None


def mixed(value: str) -> bool:
    """Tell whether a word is none of a language: it has digits or signs between its letters, or odd capitals."""
    value = value.strip("\"'`.,:;!?()")
    if len(value) < 5 or (value.isalpha() and (value.islower() or value.isupper() or value.istitle())):
        return False
    if _ORDINARY.fullmatch(value):
        return False
    if value.isalpha():
        return sum(char.isupper() for char in value) > 2 and len(value) >= 8 and entropy(value) > 3
    has_letter = any(char.isalpha() for char in value)
    return has_letter and (any(char.isdigit() for char in value) or any(char in "!@#$%^&*+=~?" for char in value))


def random(value: str, *, least: int = 16, hexadecimal: bool = False) -> bool:
    """Tell whether a value looks as if a machine had drawn it. `hexadecimal`: digests and ids count, too."""
    value = value.strip("\"'`")
    if len(value) < least or any(char.isspace() for char in value) or _ORDINARY.fullmatch(value):
        return False
    if _UUID.fullmatch(value):
        return False
    if _HEX.fullmatch(value):
        return hexadecimal
    letters = sum(char.isalpha() for char in value)
    digits = sum(char.isdigit() for char in value)
    if not letters or not value.isascii() or any(char in "(){}[]<>" for char in value):
        return False
    if not digits:
        return least <= 24 <= len(value) and not value.islower() and not value.isupper() and entropy(value) > 4
    if value.count(":") + value.count("/") + value.count("-") + value.count("_") + value.count(".") > len(value) / 5:
        return False
    return entropy(value) > (3.0 if digits >= 3 else 3.4)


def entropy(value: str) -> float:
    """Return Shannon's entropy in bits for each character."""
    value = value[:400]
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())


def quoted_end(line: str, start: int, quote: str, depth: int) -> int:
    """Return where the quote ends that opened before `start` after `depth` backslashes; -1 when it does not end."""
    at, stop = start, min(len(line), start + LONGEST)
    while (at := line.find(quote, at, stop)) >= 0:
        slashes = at
        while slashes > start and line[slashes - 1] == "\\":
            slashes -= 1
        count = at - slashes
        if count <= depth if depth else count % 2 == 0:
            if depth or not line.startswith(quote, at + 1) or at == start:
                return slashes if depth else at
            at += 1  # twice: how SQL, YAML and CSV write the quote itself
        at += 1
    return -1


def bare_end(line: str, start: int, stop: int | None = None) -> int:
    """Return where an unquoted value ends: at white space, or at a sign after which something else begins.

    It is not looked at from `stop` on.
    """
    stop = len(line) if stop is None else min(stop, len(line))
    at = start
    while at < stop:
        at = _SIMPLE.match(line, at, stop).end()  # type: ignore[union-attr]
        if at >= stop or line[at].isspace() or _ends(line, at):
            return at
        at += 1
    return at


def part_end(line: str, start: int) -> int:
    """Return where the part of a connection string ends that begins at `start`: at a semicolon or a quote."""
    return _PART.match(line, start).end()  # type: ignore[union-attr]


def _ends(line: str, at: int) -> bool:
    """Tell whether the sign at `at` ends a value: what follows is nothing, or another item."""
    char, after = line[at], line[at + 1 : at + 2]
    if char == "\\":
        return after in ("n", "r", "t", '"', "'", "\\", "") or line.startswith("\\u00", at)
    if char in "\"'`":
        return not (after.isalnum() and at > 0 and line[at - 1].isalnum())
    if char in ")]}>":
        return not after or after.isspace() or after in ",;.:)]}>\"'\\|<"
    if char == "|":
        return not after or after.isspace()
    if char == "<":
        return after in ("/", "!", "")
    return _BOUND.match(line, at + 1, at + 80) is not None or after.isspace()
