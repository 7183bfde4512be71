"""The text of a release on GitHub, made of a comparison of commits."""

from typing import Any

import pytest

from ferryman.messages import release_notes
from unit import builders as make
from unit.steps.published import deployment


@pytest.mark.parametrize(
    "comparison",
    [{}, {"commits": None}, {"commits": [5, {}, {"commit": 5}, {"commit": {"message": 5}}], "total_commits": "x"}],
)
def test_odd_comparisons(comparison: dict[str, Any]) -> None:
    assert release_notes.changes_in(comparison).commits == ()


def test_notes_are_bounded() -> None:
    many = [{"sha": f"{n:040}", "commit": {"message": "x" * 5_000}} for n in range(10_000)]
    digests = {f"c{n}": make.digest("a") for n in range(50)}
    text = release_notes.release_notes(
        deployment(digests=digests),
        page="https://x",
        changes=release_notes.changes_in({"commits": many, "total_commits": 10_000}),
        release=None,
        source=None,
    )
    assert len(text) <= 60_001
    assert "and 9900 more" in text
