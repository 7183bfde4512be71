"""Durations as people write them."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from ferryman.durations import format_duration
from ferryman.platform.values import parse_duration


@given(some.integers(1, 3650 * 86_400))
def test_durations_survive_a_round_trip(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@given(some.text(max_size=30) | some.from_regex(r"[0-9]{0,400}[dhms]", fullmatch=True))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        span = parse_duration(text)
    except ValueError as error:
        told = str(error)
    else:
        assert span > timedelta(0)
        return
    assert "use" in told or "write" in told
