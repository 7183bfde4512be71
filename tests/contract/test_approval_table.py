"""docs/security.md says what needs an approval: the same as the code, and about everything that changes something."""

import re

from contract.machine import ROOT
from ferryman.api.serve_api import ROUTES
from ferryman.decisions.approval_needed import ACTS, IN_WORDS

NO_CHANGE = {"verify", "test"}
DECISIONS = {"approve", "reject"}


def test_each_route_that_changes_something_has_a_row() -> None:
    writing = {path.rpartition("/")[2] for verb, path, *_ in ROUTES if verb != "GET"}
    named = {route for act in ACTS for route in act.routes}
    assert writing - NO_CHANGE - DECISIONS == named


def test_the_page_shows_the_table() -> None:
    page = (ROOT / "docs/security.md").read_text()
    section = page.partition("## What needs an approval")[2].partition("\n## ")[0]
    rows = [tuple(cell.strip() for cell in row.split("|")[1:-1]) for row in re.findall(r"^\|.*\|$", section, re.M)]
    shown = rows[2:]  # after the titles and the line
    wanted = [(act.what, IN_WORDS[act.needs], act.why) for act in ACTS]
    told = "\n".join(f"| {' | '.join(row)} |" for row in wanted)
    assert shown == wanted, f"docs/security.md must show:\n{told}"
