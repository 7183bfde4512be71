"""Values beside telling names, in one line: assignments, JSON at any depth, options, tables, XML, sentences. Pure."""

import re
from dataclasses import dataclass

from ferryman.redaction.names import Strength, of_provider, strength, words
from ferryman.redaction.values import HIDDEN, bare_end, everyday, mixed, quoted_end, random

# A name, what closes its quote, and what stands between it and its value.
_NAMED = re.compile(
    r"""(?x)
    (?<![\w.$-]) (?P<name> [\w.$-]++ ) (?P<close> \\*+ ["'`]? \]? )
    (?: (?P<pair> [ \t]{0,8}+ (?:</key>[ \t]{0,8}+<string> | [,;}]?+ [ \t\\]{0,8}+ ["']? (?:[Pp]arameter)?(?:[Vv]alue|VALUE|[Vv]al) \\*+ ["']?
          [ \t]{0,8}+ (?::|=>|=) [ \t]{0,8}+) )
      | [ \t]*+ (?P<sign> =>|:=|->|={1,3}+|:(?!:|/[/\w])|%3[dD]|%3[aA]|[|│┃║] ) [ \t]*+
      | (?P<tag> (?:[ \t][^<>]{0,120})? > )
      | [ \t]*+ (?P<comma> , ) [ \t]*+ (?=\\*["'])
      | (?P<gap> [ \t]++ )
    )
    (?: (?:[brufBRUF]{1,2}|[A-Za-z]{2,12}\()? (?P<slashes> \\*+ ) (?P<quote> ["'`] ) )?
    """
)
_WEAK = frozenset({"key", "id", "code", "phrase", "string", "keys"})
_BEFORE = re.compile(r"(?:[A-Za-z]{2,20}[ \t]){1,2}$")
_SAYS = re.compile(r"(?i)(?:is|was|are|ist|equals|of|to|as|est|es)(?:[ \t]+(?:now|set[ \t]to))?[ \t]*:?[ \t]+[\"'`]?")
_PARSED = re.compile(r"(?i)(?:unexpected|near|invalid|at|syntax|illegal|bad|missing|expected|unknown|next|or)[ \t]+(?:\w+[ \t]+)?[\"']?$")
_BLOCK = re.compile(r"[|>][-+0-9]{0,2}[ \t]*$")
_ALONE = re.compile(r"\s*(?:(?:export|set|setx|ENV|ARG|declare -x)\s+|-\s+|\$env:|[+>]\s+)?[\"']?[\w.$-]*$")
_STEPS = re.compile(r";\s*[\w .-]{1,60}=")
_ONE_TIME = frozenset({"otp", "totp", "pin", "cvv", "cvc", "mfa"})
_NUMBER = re.compile(r"-?[0-9]{1,19}(?:\.[0-9]{1,10})?%?")
_PLAIN = re.compile(r"[A-Za-z0-9!@#$%^&*+=~?]{6,200}")
_CODE = re.compile(
    r"""(?x) (?:self|cls|this|os|settings|config|conf|cfg|process|env|environ|request|req|args|kwargs|options|opts|user|data|ctx
    |context|params|app|var|local|module|props|state|client|credentials|secrets?|event|body|payload|input|account|ENV|Rails)
    [.\[?!(] .{0,200} | [A-Za-z_][\w.]{0,80}\( .{0,200} | [A-Za-z_]\w{0,40}(?:\.[a-z_A-Z]\w{0,40}){1,5} """
)
_PROSE = frozenset(
    """
    is was are must should has have cannot can't could not no the a an this that of for in to and or if when while
    with from may been be at on by does did will would it its your our you we they ist nicht für und est pas les des
    une para por del que non così because after before than as into via until since
    """.split()
)
_NAME_AT_END = re.compile(r"(?P<name>[\w.$-]{2,80})(?P<close>\\{0,4}[\"'`]?\]?)[ \t]*(?P<sign>=>|:=|[:=])?[ \t]*(?P<open>\\{0,4}[\"'])?[ \t]*$")


@dataclass(frozen=True)
class Masked:
    """A line without its secrets, and what the line after it is to be looked at for."""

    line: str
    open_quote: tuple[str, int] | None = None
    """The quote, and the backslashes before it, of a value that does not end in this line."""
    block: bool = False
    """A YAML block begins whose lines are the value."""


def masked(line: str) -> Masked:
    """Return a line with the values beside telling names masked. Takes time in proportion to its length."""
    shown: list[str] = []
    at = done = 0
    open_quote: tuple[str, int] | None = None
    block = False
    while found := _NAMED.search(line, at):
        at = found.end("name")
        says = strength(_full_name(line, found))
        if says is Strength.NONE:
            continue
        start, block = found.end(), bool(found["sign"] and _BLOCK.match(line, found.end()))
        if block:
            break
        end = _end(line, found)
        value = line[start:end] if end >= 0 else line[start:]
        if not _secret(line, found, says, value):
            continue
        end = end if end >= 0 else len(line)
        if end == len(line) and found["quote"] and line[-1:] != found["quote"]:
            open_quote = (found["quote"], len(found["slashes"]))
        shown += [line[done:start], HIDDEN]
        at = done = max(end, start)
    return Masked("".join((*shown, line[done:])), open_quote, block)


def announced(line: str) -> tuple[Strength, bool]:
    """Tell whether a line ends with a telling name, and with a sign that its value follows."""
    found = _NAME_AT_END.search(line, max(0, len(line) - 120))
    if found is None:
        return Strength.NONE, False
    return strength(_full_name(line, found)), bool(found["sign"])


def _full_name(line: str, found: re.Match[str]) -> str:
    """Return a name with the words before it where it alone says little: `Secret access key`."""
    name, start = found["name"], found.start("name")
    if name.lower() in _WEAK and (before := _BEFORE.search(line[max(0, start - 42) : start])):
        return f"{before[0].replace(' ', '_')}{name}"
    return name


def _end(line: str, found: re.Match[str]) -> int:
    """Return where the value ends that begins where `found` ends; -1: with the line, though its quote is open."""
    start, sign = found.end(), found["sign"] or ""
    if found["quote"]:
        return quoted_end(line, start, found["quote"], len(found["slashes"]))
    if found["tag"]:
        end = line.find("<", start, start + 8_192)
        return end if end >= 0 else len(line)
    if sign in ("|", "│", "┃", "║"):
        end = line.find(sign, start, start + 8_192)
        return len(line[: end if end >= 0 else start + 8_192].rstrip())
    if sign.startswith("%"):
        end = re.compile(r"[^\s&%\"']*(?:%(?!26)[0-9A-Fa-f]{2}[^\s&%\"']*){0,40}").match(line, start)
        return end.end() if end else start
    end = bare_end(line, start)
    if line.startswith("[", start) and (close := line.find("]", start, start + 4_096)) >= 0:
        return bare_end(line, close + 1)
    if sign == "=":
        before = line[max(0, found.start("name") - 80) : found.start("name")]
        if before.rstrip().endswith(";") and _STEPS.search(line, end, end + 200):
            return bare_end(line, start, until=";")
        if len(before) < 40 and _ALONE.match(before) and not any(char.isspace() for char in line[start : start + 4_096].rstrip()):
            return start + len(line[start : start + 4_096].rstrip())
    if sign == ":" and end < len(line) and len(before := line[: found.start("name")]) < 60 and _ALONE.match(before):
        # A line of YAML: a passphrase may have spaces, a sentence is none.
        rest = line[start : start + 200].split(" #")[0].rstrip()
        parts = rest.split()
        if len(parts) <= 6 and len(rest) < 120 and start + len(rest) <= len(line) and not _sentence(parts) and strength(found["name"]) is Strength.SURE:
            return start + len(rest)
    return end


def _sentence(parts: list[str]) -> bool:
    return any(part.lower().strip(".,:;!?") in _PROSE for part in parts) or everyday(parts[0] if parts else "") or any("=" in part or part.endswith(":") for part in parts)


def _secret(line: str, found: re.Match[str], says: Strength, value: str) -> bool:
    """Decide whether a value is masked."""
    name, sign, quote = found["name"], found["sign"] or "", found["quote"]
    text = value.strip()
    if not text or text == HIDDEN or text == f'"{HIDDEN}"' or everyday(text) or text[0] in "{" or text.startswith(("[[", "[{")):
        return False
    last = words(name)[-1:]
    if last and last[0] in _ONE_TIME and sign and text.isdigit() and 4 <= len(text) <= 8:
        return True
    if says is Strength.RANDOM:
        return _looks_drawn(name, text)
    if last and last[0] in ("token", "tokens", "secret") and (_NUMBER.fullmatch(text) and len(text) < 6):
        return False
    if not quote and _CODE.fullmatch(text) and not any(char.isdigit() for char in text):
        return False
    if found["comma"]:
        return _in_pair(line, found)
    if found["tag"]:
        return line[max(0, found.start("name") - 20) : found.start("name")].rpartition("<")[1] == "<" and "</" in line[found.end() :][:8_192] or False
    if found["gap"]:
        return _after_gap(line, found, text)
    if last == ["token"] and _PARSED.search(line[max(0, found.start("name") - 40) : found.start("name")]):
        return random(text) or (mixed(text) and len(text) >= 8)
    if sign in ("|", "│", "┃", "║"):
        return mixed(text) or line.count(sign) <= 3
    if sign == ":" and not quote and not found["close"].strip("]"):
        return _in_words(line, found, text)
    return True


def _looks_drawn(name: str, text: str) -> bool:
    parts = words(name)
    bare_key = parts[-1] in ("key", "keys") and not (name.isupper() and len(parts) > 1)
    return random(text, hexadecimal=of_provider(name) or not bare_key) or (parts[-1] in ("sig", "signature") and random(text, least=10, hexadecimal=True))


def _in_pair(line: str, found: re.Match[str]) -> bool:
    """Tell whether a quoted name and a quoted value are a pair of their own: a tuple, or an option and its argument."""
    if found["name"].startswith("-"):
        return not line.startswith("-", found.end())
    before = line[max(0, found.start("name") - 6) : found.start("name")].rstrip("\\\"'b").rstrip()
    after = line[found.end() :][:400].lstrip()
    close = re.search(r"\\*[\"']\s*[)\]]", after)
    return before.endswith(("(", "[")) and close is not None and "," not in after[: close.start()]


def _after_gap(line: str, found: re.Match[str], text: str) -> bool:
    """Judge what follows a name behind nothing but white space."""
    start, name = found.end(), found["name"]
    if name.startswith("-"):
        return not text.startswith("-")
    if found["quote"]:
        return "pass" in name.lower() and (found["quote"] == "'" or mixed(text) or name.isupper()) or random(text)
    if len(found["gap"]) > 1 or "\t" in found["gap"]:
        if _ALONE.match(line[max(0, found.start("name") - 60) : found.start("name")]) and (mixed(text) or random(text)):
            return True
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
