"""Time spans as text: for people with two units at most, and as a document has them."""

from datetime import UTC, datetime, timedelta

import pytest

from ferryman.durations import age, format_duration, span


@pytest.mark.parametrize(
    ("seconds", "people", "document"),
    [
        (0, "0s", "0s"),
        (119, "119s", "1m59s"),
        (192, "3m12s", "3m12s"),
        (185, "3m5s", "3m5s"),
        (599, "9m59s", "9m59s"),
        (754, "12m", "12m34s"),
        (2 * 3600 + 120, "122m", "2h2m"),
        (3 * 3600, "3h", "3h"),
        (5 * 3600 + 1800, "5h30m", "5h30m"),
        (47 * 3600, "47h", "1d23h"),
        (48 * 3600, "2d", "2d"),
    ],
)
def test_a_span_for_people_and_for_a_document(seconds: int, people: str, document: str) -> None:
    assert (span(seconds), format_duration(timedelta(seconds=seconds))) == (people, document)


def test_a_moment_in_the_future_is_no_time_ago() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)

    assert (age(now - timedelta(seconds=45), now), age(now + timedelta(days=1), now)) == ("45s", "0s")
