"""Values beside telling names, in one line: assignments, JSON at any depth, options, tables, XML, sentences. Pure.

`extents` tells where a value ends, and `judging` whether it is secret.
"""

import re
from dataclasses import dataclass

from ferryman.redaction.extents import JUDGED, value_end
from ferryman.redaction.judging import secret
from ferryman.redaction.names import Strength, strength
from ferryman.redaction.values import HIDDEN, bare_end, quoted_end

# A name, what closes its quote, and what stands between it and its value: with HTML's signs, and a type of YAML.
_NAMED = re.compile(
    r"""(?x)
    (?<![\w.$-]) (?P<name> [\w.$-]++ ) (?P<close> \\*+ ["'`]? \]? | &(?:quot|apos|\#3[49]|\#[xX]2[27]); )
    (?: (?P<pair> [ \t]{0,8}+ (?:</key>[ \t]{0,8}+<string> | [,;}]?+ [ \t\\]{0,8}+ ["']?
          (?:[Pp]arameter)?(?:[Vv]alue|VALUE|[Vv]al) \\*+ ["']? [ \t]{0,8}+ (?::|=>|=) [ \t]{0,8}+) )
      | [ \t]*+ (?P<sign> =>|:=|->|(?<=-)>|={1,3}+
          | :[ \t]*+[\w.]{2,24}+\??[ \t]*+=(?=[ \t]*\\*["']) | ::(?=[ \t])
          | :(?!:|/[/\w])|%3[dD]|%3[aA]|[|│┃║\uff1d\uff1a→]|&(?:\#61|\#[xX]3[dD]|equals|\#58|colon); ) [ \t]*+
      | (?P<tag> (?:[ \t][^<>]{0,120})? > (?:<!\[CDATA\[)? )
      | [ \t]*+ (?P<comma> , ) [ \t]*+ (?=\\*["'])
      | (?P<gap> [ \t]++ )
    )
    (?: !{1,2}[\w:/.,<>-]{1,60}[ \t]++ | &(?:quot|apos|\#3[49]|\#[xX]2[27]); )?
    (?: (?:[brufBRUF]{1,2}|[A-Za-z]{2,12}\()? (?P<slashes> \\*+ ) (?P<quote> ["'`] ) )?
    """
)
# The value first: `"value": "…", "name": "DB_PASSWORD"`.
_VALUE_AND_NAME = re.compile(
    r"""((?i:\bvalue)\\*["']?[ \t]*[:=][ \t]*\\*["'])([^"'\\]{1,400}+)"""
    r"""(\\*["'][ \t]*,[ \t]*\\*["']?(?i:name|key)\\*["']?[ \t]*[:=][ \t]*\\*["']?)([\w.$-]{2,80}+)"""
)
_WEAK = frozenset({"key", "id", "code", "phrase", "string", "keys"})
_BEFORE = re.compile(r"(?:[A-Za-z]{2,20}[ \t]){1,2}$")
_SAYS = re.compile(r"(?i)(?:is|was|are|ist|equals|of|to|as|est|es)(?:[ \t]+(?:now|set[ \t]to))?[ \t]*:?[ \t]+[\"'`]?")
_ARN = re.compile(r"(?<!\w)arn:[\w:/.*+=@-]*$")
_BLOCK = re.compile(r"[|>][-+0-9]{0,2}[ \t]*$")
# Terraform shows what a value becomes.
_CHANGED = re.compile(r"\"[ \t]*+->[ \t]*+\"")
_NAME_AT_END = re.compile(
    r"(?<![\w.$-])(?P<name>[\w.$-]{2,80}+)(?P<close>\\{0,4}[\"'`]?\]?)[ \t]*"
    r"(?P<sign>=>|:=|[:=])?[ \t]*(?P<open>\\{0,4}[\"'])?[ \t]*$"
)


@dataclass(frozen=True)
class Masked:
    """A line without its secrets, and what the line after it is to be looked at for."""

    line: str
    open_quote: tuple[str, int] | None = None
    """The quote, and the backslashes before it, of a value that does not end in this line."""
    block: bool = False
    """A YAML block begins whose lines are the value."""


def _before_its_name(found: re.Match[str]) -> str:
    return f"{found[1]}{HIDDEN}{found[3]}{found[4]}" if strength(found[4]) is Strength.SURE else found[0]


def masked(line: str) -> Masked:
    """Return a line with the values beside telling names masked. Takes time in proportion to its length."""
    line = _VALUE_AND_NAME.sub(_before_its_name, line)
    shown: list[str] = []
    at = done = 0
    open_quote: tuple[str, int] | None = None
    block = False
    while found := _NAMED.search(line, at):
        at = found.end("name")
        says = strength(_full_name(line, found))
        if says is Strength.NONE or (len(found["name"]) >= 24 and sum(map(str.isdigit, found["name"])) > 4):
            continue
        start, block = found.end(), bool(found["sign"] and _BLOCK.match(line, found.end()))
        if block:
            break
        if found["sign"] == ":" and _ARN.search(line[max(0, found.start("name") - 160) : found.start("name")]):
            continue
        if (
            found["gap"]
            and not found["quote"]
            and not found["name"].startswith("-")
            and (verb := _SAYS.match(line, start))
        ):
            start = verb.end()
        end = value_end(line, found, start)
        value = line[start:end] if end >= 0 else line[start:]
        if not secret(line, found, _full_name(line, found), says, value):
            continue
        if not found["quote"] and end - start >= JUDGED:
            end = bare_end(line, end)
        end = end if end >= 0 else len(line)
        if end == len(line) and found["quote"] and line[-1:] != found["quote"]:
            open_quote = (found["quote"], len(found["slashes"]))
        shown += [line[done:start], HIDDEN]
        at = done = max(end, start)
        if (changed := _CHANGED.match(line, end)) and (to := quoted_end(line, changed.end(), '"', 0)) >= 0:
            shown += [line[done : changed.end()], HIDDEN]
            at = done = to
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
