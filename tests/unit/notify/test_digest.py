"""A digest names every message, and fits into a channel's bounds."""

from datetime import timedelta

from ferryman.notify import digest
from ferryman.notify.slack_webhook import payload
from unit.builders import AT
from unit.notify_world import message


def test_it_names_all_oldest_first() -> None:
    some = [message("x", f"[Frozen] number {n}", created_at=AT - timedelta(minutes=n)) for n in range(12)]
    made = digest.digest_of(some)
    assert made.subject == "12 more: scr/staging"
    lines = [line for line in made.text.split("\n") if "[Frozen]" in line]
    assert [line.split()[-1] for line in lines] == [str(n) for n in reversed(range(12))]


def test_many_places_are_counted() -> None:
    some = [message("x", environment=f"e{n}") for n in range(5)]
    made = digest.digest_of(some)
    assert made.subject == "5 more: scr/e0, scr/e1, scr/e2 and 2 more"
    assert made.environment is None


def test_the_longest_fits_into_slack() -> None:
    some = [message("x", "<&>" * 40, platform="p" * 60, environment="e" * 60) for _ in range(digest.LONGEST)]
    blocks = payload(digest.digest_of(some))["blocks"]
    assert len(blocks) < 50
    assert all(len(block["text"]["text"]) <= 3_000 for block in blocks)
    assert sum(block["text"]["text"].count("&lt;&amp;&gt;") for block in blocks) >= digest.LONGEST * 30
