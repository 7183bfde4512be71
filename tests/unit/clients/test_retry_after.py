"""How long a server asks to be left alone, in whatever form it says it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ferryman.clients.retry_after import wait_in

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("30", 30), (" 30 ", 30), ("1.5", 1), ("000007", 7), ("9" * 10_000, 9_999_999_999), ("00", 0)],
)
def test_seconds(text: str, seconds: float) -> None:
    assert wait_in({"retry-after": text}) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "-5", "1e3", "NaN", "inf", "٣", "0x10", "Wed, 99 Foo 2026", "Mon, 01 Jan 99999 00:00:00 GMT"]
)
def test_what_says_nothing(text: str) -> None:
    assert wait_in({"retry-after": text}) is None
    assert wait_in({}) is None


@pytest.mark.parametrize(("later", "seconds"), [(90, 90), (0, 0), (-90, 0)])
def test_a_date_counts_from_the_servers_own_clock(later: int, seconds: float) -> None:
    date = format_datetime(AT, usegmt=True)
    until = format_datetime(AT + timedelta(seconds=later), usegmt=True)
    assert wait_in({"retry-after": until, "date": date}) == seconds


def test_without_the_servers_clock_ours_has_to_do() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    found = wait_in({"retry-after": until})
    assert found is not None
    assert 3_500 < found <= 3_600


def test_a_date_without_a_zone_is_utc() -> None:
    assert wait_in({"retry-after": "Fri, 02 Jan 2026 03:04:35 -0000", "date": "Fri, 02 Jan 2026 03:04:05 GMT"}) == 30
