"""Columns of secrets in tables: a telling name at the head, and values below a ruled line. Pure."""

import re

from ferryman.redaction.names import Strength, strength
from ferryman.redaction.values import HIDDEN, everyday

_RULE = re.compile(r"[\s|+:=─┼├┤═╪╬│┃-]{3,}")
_BAR = re.compile(r"([|│┃])")


class Table:
    """Reads line after line and masks the cells below a telling head."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._columns: set[int] = set()
        self._cells = 0

    def read(self, line: str) -> str:
        """Return the line with the cells of secret columns masked."""
        if (_RULE.fullmatch(line) and "-" in line) or "─" in line:
            if self._head:
                self._columns = {at for at, name in enumerate(self._head) if _tells(name)}
                self._cells = len(self._head)
                self._head = []
            return line
        parts = _BAR.split(line[:8_192])
        cells = parts[::2]
        if len(cells) < 2:
            self._head, self._columns = [], set()
            return line
        if not self._columns or len(cells) != self._cells:
            self._head, self._columns = cells, set()
            return line
        for at in self._columns:
            parts[at * 2] = _masked(parts[at * 2])
        return "".join(parts) + line[8_192:]


def _tells(name: str) -> bool:
    return strength(name.strip()) is Strength.SURE and len(name) < 80


def _masked(cell: str) -> str:
    value = cell.strip()
    return cell if not value or everyday(value) else cell.replace(value, HIDDEN, 1)
