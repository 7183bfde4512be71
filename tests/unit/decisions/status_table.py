"""The tables of health and sync in docs/reference/vocabulary.md."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs/reference/vocabulary.md"


def table(word: str) -> dict[str, str]:
    """Reason → status, in the table whose second column is `health` or `sync`."""
    page = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^\| reason \| {word} \| when \|\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert found, word
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", found[1], re.MULTILINE)
    assert len(rows) == len({reason for reason, _ in rows}) == len(found[1].splitlines())
    return dict(rows)
