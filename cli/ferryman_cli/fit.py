"""How a table fits a terminal: which columns stay, how wide each is, and lines folded by words. Pure."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

_READABLE = 24
"""A column of text is not folded to less, unless nothing else is left to give."""
_TIGHT = 8
"""The least that is left of any column."""


def columns(lines: Sequence[Sequence[Text]], gap: int, width: int, drop: Sequence[int]) -> dict[int, int]:
    """Return the width of each column that stays, by its number; together, with gaps, they are at most `width` wide.

    Columns fold before one is dropped. `drop` has the numbers of those that may go, first to go first; if it is not
    enough, the longest texts fold inside a word.
    """
    natural = [max(cell_len(cell.plain) for cell in column) for column in zip(*lines, strict=True)]
    # Never narrower than a word: folding by words would not help.
    least = [
        min(wide, max(*(_longest(cell.plain) for cell in column), min(wide, _READABLE)))
        for wide, column in zip(natural, zip(*lines, strict=True), strict=True)
    ]
    kept = list(range(len(natural)))
    for number in drop:
        if _sum(kept, least, gap) <= width:
            break
        kept.remove(number)
    narrow = {number: least[number] for number in kept}
    # The longest text gives first, so that names and ids stay whole; headers fold only if nothing else is left.
    heads = [_longest(column[0].plain) for column in zip(*lines, strict=True)]
    for floors in ([max(head, _TIGHT) for head in heads], [_TIGHT] * len(heads)):
        for number in sorted(kept, key=lambda number: natural[number], reverse=True):
            over = _sum(kept, narrow, gap) - width
            narrow[number] = max(min(narrow[number], floors[number]), narrow[number] - max(over, 0))
    # What is left goes to those that need the least to be whole.
    left = width - _sum(kept, narrow, gap)
    for number in sorted(kept, key=lambda number: natural[number] - narrow[number]):
        more = min(max(left, 0), natural[number] - narrow[number])
        narrow[number] += more
        left -= more
    return narrow


def _sum(kept: Sequence[int], widths: Sequence[int] | dict[int, int], gap: int) -> int:
    return sum(widths[number] for number in kept) + gap * (len(kept) - 1)


def _longest(text: str) -> int:
    return max((cell_len(word) for word in text.split()), default=0)


def folded(cell: Text, width: int, *, whole: bool = False) -> list[Text]:
    """Return the lines of a cell, folded by words.

    A word that is longer than a line is folded, too; with `whole` it is not, so that an address can still be opened.
    """
    lines = [Text(style=cell.style)]
    for word in cell.split(" ") if cell_len(cell.plain) > width else [cell]:
        used = cell_len(lines[-1].plain)
        if used and used + 1 + cell_len(word.plain) > width:
            lines.append(Text(style=cell.style))
        elif used:
            lines[-1].append(" ")
        lines[-1].append_text(word)
        while not whole and cell_len(lines[-1].plain) > width:
            head, rest = lines[-1].divide([_cut(lines[-1].plain, width)])
            lines[-1:] = [head, rest]
    return lines


def _cut(text: str, width: int) -> int:
    """Return how many characters of a text are at most `width` cells wide; at least one."""
    used = 0
    for count, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return max(count, 1)
    return len(text)
