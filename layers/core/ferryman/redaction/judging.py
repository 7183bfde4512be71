"""Whether the value beside a telling name is secret. Pure."""

import re

from ferryman.redaction.names import Strength, of_provider, strength, words
from ferryman.redaction.values import HIDDEN, everyday, mixed, random

_PARSED = re.compile(
    r"(?i)(?:unexpected|near|invalid|at|syntax|illegal|bad|missing|expected|unknown|next|or)[ \t]+(?:\w+[ \t]+)?[\"']?$"
)
_ONE_TIME = frozenset({"otp", "totp", "pin", "cvv", "cvc", "mfa"})
_NUMBER = re.compile(r"-?[0-9]{1,19}(?:\.[0-9]{1,10})?%?")
_HEX_KEY = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_PLAIN = re.compile(r"[A-Za-z0-9!@#$%^&*+=~?]{6,200}")
_CODE = re.compile(
    r"""(?x) (?:self|cls|this|os|settings|config|conf|cfg|process|env|environ|request|req|args|kwargs|options|opts|user
    |data|ctx|context|params|app|var|local|module|props|state|client|credentials|secrets?|event|body|payload|input|account|ENV|Rails)
    [.\[?!(] .{0,200} | [A-Za-z_][\w.]{0,80}\( .{0,200} """
)
_PATH_IN_CODE = re.compile(r"[A-Za-z_]\w{0,40}(?:\.[a-z_A-Z]\w{0,40}){1,5}")
_USER_AND_PASSWORD = re.compile(r"[\w.@-]{1,60}:(?!\d{1,5}$)[^\s:/]{4,100}")
_ELEMENT = re.compile(r"<(?:\w{1,16}:)?$")
_NAMED_THING = re.compile(r"[a-z][a-z0-9_-]{1,40}[:/].*|.*\.[a-z0-9]{2,5}|[0-9]{4}/.*")
"""What a `key` finds in a cache or a bucket."""
_ERRORS = re.compile(r"\[[\"'][A-Z][\w ,'-]{8,200}\.[\"']\]")
"""What a form says of a field."""
_ALONE = re.compile(r"\s*(?:[|+>-]\s*)?$")
"""What may stand before the name in a line of a table of two columns."""


def secret(line: str, found: re.Match[str], name: str, says: Strength, value: str) -> bool:
    """Decide whether a value is masked. `name` is the whole name; `says` is what it tells."""
    sign, quote, text = found["sign"] or "", found["quote"], value.strip()
    if not text or text == HIDDEN or everyday(text) or text.startswith(("{", "[[", "[{")):
        return False
    last = (words(name) or [""])[-1]
    if sign and text.isdigit() and 4 <= len(text) <= 8 and (last in _ONE_TIME or "_code" in name):
        return True
    if says is Strength.RANDOM:
        if found["gap"]:
            return of_provider(name) and _HEX_KEY.fullmatch(text) is not None
        return not found["comma"] and _looks_drawn(name, text)
    if name.lower() in ("pwd", "oldpwd") and text.startswith(("/", "~", "C:\\")):
        return False  # where a shell is
    if last in ("token", "tokens", "secret") and _NUMBER.fullmatch(text) and len(text) < 6:
        return False
    if not quote and not any(char.isdigit() for char in text) and _code(text):
        return False
    if found["comma"]:
        return _in_pair(line, found)
    if found["tag"]:
        return _ELEMENT.search(line[max(0, found.start("name") - 20) : found.start("name")]) is not None
    return _after_gap(line, found, text) if found["gap"] else _after_sign(line, found, last, text)


def _after_sign(line: str, found: re.Match[str], last: str, text: str) -> bool:
    sign = found["sign"] or ""
    if _ERRORS.fullmatch(text):
        return False
    if last == "token" and _PARSED.search(line[max(0, found.start("name") - 40) : found.start("name")]):
        return random(text) or (mixed(text) and len(text) >= 8)
    if sign == "→":
        return mixed(text) or random(text)  # or it is the way to a page: `Account → Password → Reset`
    if sign in ("|", "│", "┃", "║"):
        return mixed(text) or line[:2_000].count(sign) <= 3
    if sign == ":" and not found["quote"] and not found["close"].strip("]"):
        return _in_words(line, found, text)
    return True


def _code(text: str) -> bool:
    """Tell whether a value is an expression of a program, which a traceback shows: `settings.DB_PASSWORD`."""
    if _CODE.fullmatch(text):
        return True
    return _PATH_IN_CODE.fullmatch(text) is not None and strength(text) is not Strength.NONE


def _looks_drawn(name: str, text: str) -> bool:
    parts = words(name)
    bare_key = parts[-1] in ("key", "keys") and not (name.isupper() and len(parts) > 1)
    if parts[-1] in ("sig", "signature") and random(text, least=10, hexadecimal=True):
        return True
    if parts[-1] in ("credentials", "creds", "auth") and _USER_AND_PASSWORD.fullmatch(text):
        return True
    if bare_key and _NAMED_THING.fullmatch(text):
        return False
    items = text.strip("[]").split(",") if text.startswith("[") else [text]
    return any(random(item.strip(), hexadecimal=of_provider(name) or not bare_key) for item in items)


def _in_pair(line: str, found: re.Match[str]) -> bool:
    """Tell whether a quoted name and a quoted value are a pair of their own: a tuple, or an option and its argument."""
    if found["name"].startswith("-"):
        return not line.startswith("-", found.end())
    before = line[max(0, found.start("name") - 6) : found.start("name")].rstrip("\\\"'b").rstrip()
    after = line[found.end() : found.end() + 400].lstrip()
    close = re.search(r"\\*[\"']\s*[)\]]", after)
    return before.endswith(("(", "[")) and close is not None and "," not in after[: close.start()]


def _after_gap(line: str, found: re.Match[str], text: str) -> bool:
    """Judge what follows a name behind nothing but white space."""
    name = found["name"]
    if name.startswith("-"):
        return not text.startswith("-") and not found["close"]
    if found["quote"]:
        sure = found["quote"] == "'" or mixed(text) or name.isupper()
        return ("pass" in name.lower() and sure) or random(text)
    in_columns = len(found["gap"]) > 1 or "\t" in found["gap"]
    if in_columns and _ALONE.match(line[max(0, found.start("name") - 60) : found.start("name")]):
        return mixed(text) or random(text)
    return _PLAIN.fullmatch(text.rstrip(".,")) is not None and mixed(text) and any(char.isdigit() for char in text)


def _in_words(line: str, found: re.Match[str], text: str) -> bool:
    """Judge an unquoted value behind a colon: it may as well be a sentence about the name."""
    if any(char.isspace() for char in text) or mixed(text) or random(text, hexadecimal=True):
        return True
    if text.isdigit():
        return len(text) >= 4
    rest = line[found.end() + len(text) : found.end() + len(text) + 3]
    ends = not rest.strip() or rest[0] in ",;)]}\"'\\"
    return ends and len(text) > 2 and (text.isalnum() or not text.isascii() or len(text) >= 6)
