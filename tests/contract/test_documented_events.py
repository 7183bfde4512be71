"""What the documents tell people to run is there."""

import re
from pathlib import Path

import pytest

from contract.machine import ROOT

INVOKE = re.compile(r"make invoke\s+FN=(\w+)(?:\s+EVENT=(\w+))?")
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "Makefile")
ASKED = sorted({(file, *found) for file in DOCUMENTS for found in INVOKE.findall(file.read_text(encoding="utf-8"))})


def test_there_are_some() -> None:
    assert {file.name for file, _, event in ASKED if event} >= {"README.md", "invoke.md", "Makefile"}


@pytest.mark.parametrize(
    ("file", "function", "event"), ASKED, ids=[f"{file.name}-{function}-{event}" for file, function, event in ASKED]
)
def test_every_event_that_a_document_names_exists(file: Path, function: str, event: str) -> None:
    place = ROOT / "events" / function / (f"{event}.json" if event else "")
    assert place.exists(), f"{file.relative_to(ROOT)} names {place.relative_to(ROOT)}"
