"""Freezes: windows in a time zone with its summer time, overlapping ones, and a person's word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ferryman.decisions.freeze_windows import Frozen, frozen
from ferryman.platform import Environment, FreezePolicy
from ferryman.records import EnvironmentState, Freeze

WEEKEND = {"name": "weekend", "weekly": "Fri 16:00 - Mon 08:00"}
NIGHT = {"name": "night", "weekly": "Tue 22:00 - Wed 06:00"}
YEAR = {"name": "new-year", "dates": "2026-12-23 18:00 - 2027-01-04 08:00"}
OFFICE = [
    {"name": f"office-{day.lower()}", "kind": "allow", "weekly": f"{day} 09:00 - {day} 16:00"}
    for day in ("Mon", "Tue", "Wed", "Thu", "Fri")
]


def environment(*windows: dict[str, Any], zone: str = "Europe/Berlin") -> Environment:
    policy = FreezePolicy.model_validate({"timeZone": zone, "windows": list(windows)}) if windows else None
    return Environment.model_construct(freeze=policy)


def state(freeze: Freeze | None = None) -> EnvironmentState:
    return EnvironmentState(platform="scr", environment="production", freeze=freeze)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def look(now: str, *windows: dict[str, Any], zone: str = "Europe/Berlin") -> Frozen | None:
    return frozen(environment(*windows, zone=zone), state(), utc(now))


@pytest.mark.parametrize(
    ("now", "windows", "until"),
    [
        # Winter: UTC+1. Friday 16:00 is 15:00 UTC, Monday 08:00 is 07:00 UTC.
        pytest.param("2026-01-09T14:59:59", [WEEKEND], None, id="a-second-before"),
        pytest.param("2026-01-09T15:00", [WEEKEND], "2026-01-12T07:00", id="begins-exactly-now"),
        pytest.param("2026-01-11T23:30", [WEEKEND], "2026-01-12T07:00", id="over-the-week's-end"),
        pytest.param("2026-01-12T06:59:59", [WEEKEND], "2026-01-12T07:00", id="last-second"),
        pytest.param("2026-01-12T07:00", [WEEKEND], None, id="ends-exactly-now"),
        pytest.param("2026-07-10T13:59", [WEEKEND], None, id="summer-before"),
        pytest.param("2026-07-10T14:00", [WEEKEND], "2026-07-13T06:00", id="summer"),
        pytest.param("2026-01-13T20:59", [NIGHT], None, id="night-before"),
        pytest.param("2026-01-13T23:30", [NIGHT], "2026-01-14T05:00", id="over-midnight"),
        pytest.param("2026-01-14T05:00", [NIGHT], None, id="night-over"),
        # Clocks go forward on Sunday 2026-03-29 (02:00 → 03:00), back on Sunday 2026-10-25 (03:00 → 02:00).
        pytest.param("2026-03-27T15:00", [WEEKEND], "2026-03-30T06:00", id="begins-in-winter-ends-in-summer"),
        pytest.param("2026-03-30T05:59", [WEEKEND], "2026-03-30T06:00", id="an-hour-shorter"),
        pytest.param("2026-03-30T06:00", [WEEKEND], None, id="an-hour-shorter-over"),
        pytest.param("2026-10-23T14:00", [WEEKEND], "2026-10-26T07:00", id="begins-in-summer-ends-in-winter"),
        pytest.param("2026-10-26T06:59", [WEEKEND], "2026-10-26T07:00", id="an-hour-longer"),
        pytest.param("2026-12-23T16:59", [YEAR], None, id="dates-before"),
        pytest.param("2026-12-31T12:00", [YEAR], "2027-01-04T07:00", id="dates"),
        pytest.param("2027-01-04T07:00", [YEAR], None, id="dates-over"),
        pytest.param("2027-12-31T12:00", [YEAR], None, id="dates-are-once"),
    ],
)
def test_a_window_that_denies(now: str, windows: list[dict[str, Any]], until: str | None) -> None:
    found = look(now, *windows)

    assert (found and found.until) == (utc(until) if until else None)
    assert (found is None) == (until is None)


@pytest.mark.parametrize(
    ("weekly", "now", "is_frozen"),
    [
        # 02:30 comes twice on 2026-10-25: 00:30 and 01:30 UTC.
        pytest.param("Sun 02:30 - Sun 04:00", "2026-10-25T00:29", False, id="before-the-first"),
        pytest.param("Sun 02:30 - Sun 04:00", "2026-10-25T00:30", True, id="from-the-first"),
        pytest.param("Sun 02:30 - Sun 04:00", "2026-10-25T01:10", True, id="in-the-hour-that-comes-twice"),
        pytest.param("Sun 01:00 - Sun 02:30", "2026-10-25T00:45", True, id="past-the-first-end"),
        pytest.param("Sun 01:00 - Sun 02:30", "2026-10-25T01:29", True, id="until-the-second"),
        pytest.param("Sun 01:00 - Sun 02:30", "2026-10-25T01:30", False, id="ended"),
        # 02:30 does not come at all on 2026-03-29: at 01:00 UTC it is 03:00.
        pytest.param("Sun 02:30 - Sun 04:00", "2026-03-29T00:29", False, id="gap-before"),
        pytest.param("Sun 02:30 - Sun 04:00", "2026-03-29T00:31", True, id="gap-from"),
        pytest.param("Sun 02:30 - Sun 04:00", "2026-03-29T02:00", False, id="gap-ended"),
    ],
)
def test_in_the_hour_of_a_change_nothing_starts_in_doubt(weekly: str, now: str, is_frozen: bool) -> None:
    assert (look(now, {"name": "w", "weekly": weekly}) is not None) == is_frozen


def test_two_times_on_the_same_wall_are_not_the_same_time() -> None:
    """01:15 UTC reads 02:15 in Berlin for the second time: a window that ended at the first 02:30 reads as open."""
    allow = {"name": "w", "kind": "allow", "weekly": "Sun 01:00 - Sun 02:30"}

    assert look("2026-10-25T00:15", allow) is None
    assert look("2026-10-25T01:15", allow) is not None


@pytest.mark.parametrize(
    ("now", "windows", "reason", "until", "words"),
    [
        pytest.param("2026-01-13T08:00", OFFICE, None, None, "", id="allowed-exactly-now"),
        pytest.param(
            "2026-01-13T07:59", OFFICE, "OutsideAllowWindow", "2026-01-13T08:00", "office-mon", id="before-the-office"
        ),
        pytest.param(
            "2026-01-16T15:00", OFFICE, "OutsideAllowWindow", "2026-01-19T08:00", "allow deployments", id="friday-ends"
        ),
        pytest.param(
            "2026-01-13T10:00",
            [*OFFICE, {"name": "audit", "weekly": "Tue 10:00 - Tue 12:00"}],
            "FreezeWindow",
            "2026-01-13T11:00",
            "audit",
            id="deny-beats-allow",
        ),
        pytest.param(
            "2026-01-13T10:00",
            [*OFFICE, {"name": "audit", "weekly": "Tue 10:00 - Tue 17:00"}],
            "FreezeWindow",
            "2026-01-14T08:00",
            "audit",
            id="after-the-denial-it-is-not-allowed-yet",
        ),
        pytest.param(
            "2026-01-09T16:00",
            [WEEKEND, {"name": "inventory", "dates": "2026-01-11 00:00 - 2026-01-13 12:00"}],
            "FreezeWindow",
            "2026-01-13T11:00",
            "weekend",
            id="overlapping-windows-end-with-the-last",
        ),
        pytest.param(
            "2026-01-09T16:00",
            [WEEKEND, {"name": "after", "weekly": "Mon 08:00 - Mon 10:00"}],
            "FreezeWindow",
            "2026-01-12T09:00",
            "weekend",
            id="one-begins-where-the-other-ends",
        ),
        pytest.param(
            "2026-12-30T16:00", [WEEKEND, YEAR], "FreezeWindow", "2027-01-04T07:00", "new-year", id="both-at-once"
        ),
        pytest.param(
            "2026-01-09T16:00",
            [{"name": "half", "weekly": "Mon 00:00 - Thu 00:00"}, {"name": "rest", "weekly": "Thu 00:00 - Mon 00:00"}],
            "FreezeWindow",
            None,
            "frozen: freeze window rest",
            id="the-whole-week",
        ),
        pytest.param(
            "2026-01-09T16:00",
            [{"name": "launch", "kind": "allow", "dates": "2026-01-05 00:00 - 2026-01-06 00:00"}],
            "OutsideAllowWindow",
            None,
            "frozen: outside",
            id="what-allowed-is-past",
        ),
        pytest.param(
            "2026-01-09T16:00",
            [{"name": "launch", "kind": "allow", "dates": "2027-05-05 00:00 - 2027-05-06 00:00"}],
            "OutsideAllowWindow",
            "2027-05-04T22:00",
            "launch",
            id="what-allows-is-far-away",
        ),
    ],
)
def test_windows_together(
    now: str, windows: list[dict[str, Any]], reason: str | None, until: str | None, words: str
) -> None:
    found = look(now, *windows)

    if reason is None:
        assert found is None
        return
    assert found is not None
    assert (found.reason, found.until) == (reason, utc(until) if until else None)
    assert words in found.message


@pytest.mark.parametrize(
    ("now", "zone", "shown"),
    [
        pytest.param("2026-01-10T12:00", "Europe/Berlin", "until Mon 2026-01-12 08:00 CET", id="winter"),
        pytest.param("2026-07-11T12:00", "Europe/Berlin", "until Mon 2026-07-13 08:00 CEST", id="summer"),
        pytest.param("2026-07-11T12:00", "UTC", "until Mon 2026-07-13 08:00 UTC", id="utc"),
    ],
)
def test_the_end_is_shown_in_the_documents_zone(now: str, zone: str, shown: str) -> None:
    found = look(now, WEEKEND, zone=zone)

    assert found is not None
    assert shown in found.message


NOW = utc("2026-01-13T10:00")


@pytest.mark.parametrize(
    ("until", "windows", "reason", "message"),
    [
        pytest.param(
            None,
            [],
            "FrozenByPerson",
            "frozen by ann until a person runs `ferryman thaw production -p scr`: inventory",
            id="no-end",
        ),
        pytest.param(
            NOW + timedelta(hours=2),
            [],
            "FrozenByPerson",
            "frozen by ann until Tue 2026-01-13 12:00 UTC: inventory",
            id="until",
        ),
        pytest.param(
            NOW + timedelta(hours=2),
            [WEEKEND],
            "FrozenByPerson",
            "frozen by ann until Tue 2026-01-13 13:00 CET: inventory",
            id="until-in-the-documents-zone",
        ),
        pytest.param(NOW, [], None, "", id="ends-exactly-now"),
        pytest.param(NOW - timedelta(days=1), [], None, "", id="over"),
        pytest.param(
            NOW - timedelta(days=1),
            [{"name": "audit", "weekly": "Tue 10:00 - Tue 12:00"}],
            "FreezeWindow",
            "frozen until Tue 2026-01-13 12:00 CET: freeze window audit",
            id="over-but-a-window-freezes",
        ),
        pytest.param(
            None,
            [{"name": "audit", "weekly": "Tue 10:00 - Tue 12:00"}],
            "FrozenByPerson",
            "by ann",
            id="a-person-comes-first",
        ),
    ],
)
def test_a_persons_word(
    until: datetime | None, windows: list[dict[str, Any]], reason: str | None, message: str
) -> None:
    freeze = Freeze(reason="inventory", who="ann", at=NOW - timedelta(days=2), until=until)

    found = frozen(environment(*windows), state(freeze), NOW)

    assert (found and found.reason) == reason
    if found is not None:
        assert message in found.message


def test_nothing_freezes_without_windows() -> None:
    assert frozen(environment(), state(), NOW) is None
