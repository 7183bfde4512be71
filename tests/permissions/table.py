"""docs/reference/permissions.md: the table that says what each permission of the operator's roles is for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.machine import ROOT, snake
from permissions.model import Permission, of_template

PAGE = ROOT / "docs/reference/permissions.md"
HEAD = "| role of | statement | action | of which | without it |\n|---|---|---|---|---|\n"
_FLOW = re.compile(r"fails: `(?P<file>test_\w+)\.py` (?P<test>(?:Test\w+::)?test_\w+)")


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    permission: Permission
    without: str
    """The flow test that fails, or why the permission is there though no flow test needs it."""

    @property
    def test(self) -> str | None:
        """`test_x.py::test_y`, of a permission that a flow test needs."""
        found = _FLOW.fullmatch(self.without)
        return f"{found['file']}.py::{found['test']}" if found else None

    def __str__(self) -> str:
        one = self.permission
        part = f"`{one.part}`" if one.part else ""
        return f"| `{shown(one.holder)}` | {one.sid} | `{one.action}` | {part} | {self.without} |".replace(
            "|  |", "| |"
        )


def shown(holder: str) -> str:
    """Return a role's owner as the documentation calls it: `smoke_test`, `deploy machine`."""
    machine = holder.removesuffix("Machine")
    return f"{machine.lower()} machine" if machine != holder else snake(holder)


def fails(test: str) -> str:
    """Return what the table says of a permission that this test (`…/test_x.py::test_y[…]`) needs."""
    file, _, name = test.rpartition("/")[2].partition("::")
    return f"fails: `{file}` {name.partition('[')[0]}"


def read(text: str | None = None) -> list[Row]:
    """Return the table's lines; raise KeyError for a role that the template does not have."""
    text = PAGE.read_text(encoding="utf-8") if text is None else text
    names = {shown(one.holder): one.holder for one in of_template()}
    lines = re.findall(r"^\| `([^`]+)` \| (\w+) \| `([^`]+)` \| (?:`([^`]+)` )?\| (.+) \|$", text, re.MULTILINE)
    return [Row(Permission(names[holder], sid, action, part), without) for holder, sid, action, part, without in lines]


def rewritten(page: str, first: Mapping[Permission, str], order: Iterable[Permission]) -> str:
    """Return the page with a line for each permission: the test that needs it, else what the page says already."""
    said = {row.permission: row.without for row in read(page)}
    lines = [str(Row(one, fails(first[one]) if one in first else said.get(one, "?"))) for one in order]
    before, _, after = page.partition(HEAD)
    rest = re.sub(r"\A(?:\|.*\n)*", "", after)
    return f"{before}{HEAD}{'\n'.join(lines)}\n{rest}"


def exists(test: str) -> bool:
    """Whether there is a flow test of this name (`test_x.py::test_y`)."""
    file, *_, name = test.split("::")
    path: Path = ROOT / "tests/flow" / file
    return path.exists() and f"def {name}(" in path.read_text(encoding="utf-8")
