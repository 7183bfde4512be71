"""Printing: tables like kubectl's, JSON and YAML; colors only on a terminal, and never with NO_COLOR.

Results go to standard output, errors and remarks to standard error.
"""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ferryman.durations import age
from ferryman_cli import fit

Cell = str | Text
_GAP = "   "
_STYLES = {
    "Succeeded": "green", "Ready": "green", "True": "green", "created": "green", "configured": "green",
    "Running": "cyan", "Pending": "dim", "AwaitingApproval": "yellow", "Assembling": "yellow", "RollingBack": "yellow",
    "Incomplete": "yellow", "Skipped": "dim", "Superseded": "dim", "Baseline": "dim", "unchanged": "dim",
    "False": "red", "Failed": "red", "RolledBack": "red", "Aborted": "red",
    "Errored": "red", "Rejected": "red", "Expired": "red", "DecisionRefused": "red", "TagRefused": "red",
    "RequestRefused": "red",
    "Approved": "green", "Frozen": "cyan", "Held": "yellow", "Published": "green",
}  # fmt: skip


class Format(StrEnum):
    """The values of `-o`."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class _Console(Console):
    """A console that leaves a closed pipe to `pipes`; rich would end the command as failed."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def out() -> Console:
    """Return a console for the current standard output."""
    return _Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)


def complain(message: str) -> None:
    """Print an error on standard error, prefixed with `error:` as kubectl does."""
    console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(Text.assemble(("error: ", "red"), clean(message)))


def warn(message: str) -> None:
    """Print a remark on standard error, so that standard output stays parseable."""
    Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True).print(clean(message))


def emit(form: Format, data: Any, show: Callable[[], None]) -> None:
    """Print data as JSON or YAML, or call `show` for the table format."""
    if form is Format.JSON:
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    elif form is Format.YAML:
        sys.stdout.write(as_yaml(data))
    else:
        show()


def as_yaml(data: Any) -> str:
    """Return data as a YAML document."""
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 4096
    yaml.representer.sort_base_mapping_type_on_output = False
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    optional: Sequence[str] = (),
    drop: Sequence[str] = (),
    under: Sequence[Sequence[str]] | None = None,
) -> None:
    """Print aligned columns, without borders and without trailing spaces.

    `optional` columns are left out if they are empty; `under` are indented lines below each row. On a terminal, lines
    fold by words, and where that is not enough the columns of `drop` are left out, first to last. Other output is
    never folded or cut.
    """
    lines: list[list[Text]] = [[Text(header, style="bold") for header in headers]]
    lines += [[cell if isinstance(cell, Text) else Text(flat(cell) or "-") for cell in row] for row in rows]
    bare = [header in optional and all(line[i].plain == "-" for line in lines[1:]) for i, header in enumerate(headers)]
    lines = [[cell for cell, left_out in zip(line, bare, strict=True) if not left_out] for line in lines]
    console = out()
    headers = [cell.plain for cell in lines[0]]
    widths = {n: max(cell_len(cell.plain) for cell in column) for n, column in enumerate(zip(*lines, strict=True))}
    if console.is_terminal:
        gone = [headers.index(name) for name in drop if name in headers]
        widths = fit.columns(lines, len(_GAP), console.width, gone)
    for number, line in enumerate(lines):
        cells = [fit.folded(line[n], wide) for n, wide in widths.items()]
        for parts in zip_longest(*cells, fillvalue=Text()):
            console.print(_joined(parts, list(widths.values())))
        for more in under[number - 1] if under and number else ():
            console.print(Text(f"{_GAP}{clean(more)}", style="dim"))


def _joined(parts: Sequence[Text], widths: Sequence[int]) -> Text:
    """Return one line of a row, without spaces at its end."""
    text = Text()
    for part, wide in zip(parts, widths, strict=True):
        text.append_text(part)
        text.append(" " * (wide - cell_len(part.plain)) + _GAP)
    text.rstrip()
    return text


def fields(pairs: Sequence[tuple[str, Cell]]) -> None:
    """Print `Name:  value` lines, like kubectl describe: no line for an empty value, no label for an empty name."""
    width = max(len(name) for name, _ in pairs) + 1
    console = out()
    for name, value in pairs:
        if value:
            cell = value if isinstance(value, Text) else Text(clean(value))
            label = f"{name}:" if name else ""
            lines = _lines(console, cell, width + 2)
            console.print(Text(label.ljust(width) + "  ").append_text(lines[0]))
            for line in lines[1:]:
                console.print(Text(" " * (width + 2)).append_text(line))


def paragraph(text: str) -> None:
    """Print a sentence or more; on a terminal, folded by words."""
    console = out()
    for line in clean(text).splitlines():
        for part in _lines(console, Text(line), 0):
            console.print(part)


def _lines(console: Console, text: Text, indent: int) -> list[Text]:
    """Return a text folded by words for a terminal, and as it is for a pipe or a file. Addresses stay whole."""
    if not console.is_terminal:
        return [text]
    return fit.folded(text, max(console.width - indent, 1), whole=True)


def status(word: str | None) -> Text:
    """Return a phase or status in its color."""
    return Text(flat(word or "-"), style=_STYLES.get(word or "", ""))


def since(moment: str | None, until: str | None = None) -> str:
    """Return the age of a time in ISO 8601 format, as in the AGE column of kubectl."""
    if moment is None:
        return "-"
    return age(datetime.fromisoformat(moment), datetime.fromisoformat(until) if until else datetime.now(UTC))


def who(arn: str) -> str:
    """Return the last part of an IAM ARN: `user/jo`, `assumed-role/Admin/jo`."""
    return arn.split(":", 5)[-1] if arn.startswith("arn:") else arn


def flat(text: str) -> str:
    """Return text on one line."""
    return " ".join(clean(text).split())


def clean(text: str) -> str:
    """Remove control characters: logs and reasons are untrusted and must not control the terminal."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
