"""Names of people that can't be taken for other names: UTS #39, restriction level "highly restrictive". Pure.

A name is of one script, or of Latin with one of Japanese, Korean and Chinese, in characters that are in use and seen.
Two names with the same skeleton look the same. Source: https://www.unicode.org/reports/tr39/ (sections 4, 5.2, 5.3).

Only the API loads this, when somebody applies a document or asks about one; see `decisions.approver_checks`.
"""

import functools
import unicodedata
from bisect import bisect_right

from ferryman.platform import name_tables

_ANY = frozenset({"Zyyy", "Zinh"})
"""Common and inherited: used with every script."""
_WITH = {"Hani": ("Hanb", "Jpan", "Kore"), "Hira": ("Jpan",), "Kana": ("Jpan",), "Hang": ("Kore",), "Bopo": ("Hanb",)}
"""Writing systems of several scripts, by script (table 1a of UTS #39)."""
_WITH_LATIN = frozenset({"Hanb", "Jpan", "Kore"})
_JOINERS = "\u200c\u200d"
"""Allowed in some words, and invisible."""
_UNSEEN = f"{_JOINERS}\u115f\u1160\u3164\uffa0\u2800"
"""Characters without a shape that Unicode counts among letters and symbols."""
_MARKS = 4
"""Accents on one letter; https://www.unicode.org/reports/tr39/#Optional_Detection."""


def problem(name: str) -> str | None:
    """Return what is wrong with a name and what to write instead; None for one that can't mislead."""
    text = unicodedata.normalize("NFC", name)
    for character in text:
        if _scripts(character) is None or character in _JOINERS:
            return _not_allowed(character)
    if unicodedata.category(text[:1] or " ").startswith("M") or _piled_up(text):
        return "has accents that belong to no letter, or too many on one; write the name without them"
    digits = [character for character in text if character.isdecimal()]
    if len({ord(digit) - unicodedata.decimal(digit) for digit in digits}) > 1:
        return "mixes digits of several scripts; write them in one"
    return _mixed(text)


def skeleton(name: str) -> str:
    """Return what a name looks like: names with the same skeleton can't be told apart by eye."""
    looks = _looks_like()
    decomposed = unicodedata.normalize("NFD", name)
    shown = "".join(looks.get(part, part) for part in decomposed if unicodedata.category(part) != "Cf")
    return unicodedata.normalize("NFD", shown)


def look_the_same(one: str, other: str) -> bool:
    """Whether two names look the same, or do so in capitals or in small letters."""
    return bool(_spellings(one) & _spellings(other))


def _spellings(name: str) -> set[str]:
    """Return skeletons that ignore case and spaces, of the name as it is, in small letters and in capitals."""
    text = " ".join(unicodedata.normalize("NFKC", name).split())
    return {skeleton(spelled).casefold() for spelled in (text, text.casefold(), text.upper())}


def _not_allowed(character: str) -> str:
    known = unicodedata.name(character, "")
    shown = f"U+{ord(character):04X}{f' ({known})' if known else ''}"
    if character in _UNSEEN or unicodedata.category(character) in ("Cf", "Cc", "Zl", "Zp", "Mn", "Me"):
        return f"contains {shown}, which is invisible or changes what is around it; remove it"
    if unicodedata.category(character) == "Zs":
        return f"contains {shown}; write an ordinary space instead"
    return f"contains {shown}, which names are not written with; use the ordinary letters of your script"


def _piled_up(text: str) -> bool:
    run = ""
    for part in unicodedata.normalize("NFD", text):
        run = run + part if unicodedata.category(part) in ("Mn", "Me") else ""
        if len(run) > _MARKS or len(set(run)) < len(run):
            return True
    return False


def _mixed(text: str) -> str | None:
    sets = [(character, scripts) for character in text if (scripts := _scripts(character)) and not scripts & _ANY]
    if not sets or frozenset.intersection(*(scripts for _, scripts in sets)):
        return None
    others = [scripts for _, scripts in sets if "Latn" not in scripts]
    if frozenset.intersection(*others) & _WITH_LATIN if others else False:
        return None
    first, found = sets[0]
    odd = next(character for character, scripts in sets if not scripts & found)
    return (
        f"mixes scripts: {_named(first)} and {_named(odd)}. Letters of different scripts can look the same, so write "
        "the name in one script"
    )


def _named(character: str) -> str:
    script = unicodedata.name(character, "unknown").split()[0].capitalize()
    return f"{character!r} is {'Han' if script == 'Cjk' else script}"


@functools.cache
def _runs() -> tuple[list[int], list[tuple[int, frozenset[str]]]]:
    starts, ends = [], []
    for item in name_tables.SCRIPTS.split():
        codes, _, names = item.partition("=")
        first, _, last = codes.partition("-")
        scripts = {script for name in names.split("+") for script in (name, *_WITH.get(name, ()))}
        starts.append(int(first, 16))
        ends.append((int(last or first, 16), frozenset(scripts)))
    return starts, ends


@functools.cache
def _looks_like() -> dict[str, str]:
    pairs = (item.split("=") for item in name_tables.LOOKS_LIKE.split())
    return {chr(int(code, 16)): "".join(chr(int(part, 16)) for part in looks.split(".")) for code, looks in pairs}


def _scripts(character: str) -> frozenset[str] | None:
    """Return the scripts that a character is used with; None when names are not written with it."""
    starts, ends = _runs()
    at = bisect_right(starts, ord(character)) - 1
    return ends[at][1] if at >= 0 and ord(character) <= ends[at][0] else None
