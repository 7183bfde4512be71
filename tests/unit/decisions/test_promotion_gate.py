"""What keeps a release from going to an environment: its source, a soak, image scans and their waivers."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.promotion_gate import Waits, gate
from ferryman.records import (
    Settled,
    Waiver,
)
from unit.decisions.promoting import (
    CLEAN,
    HOUR,
    NOW,
    PROMOTION,
    R1,
    SCANNED,
    at,
    production,
    release,
    scans,
    settled,
    source,
    told,
    view,
)


@pytest.mark.parametrize(
    ("found", "reason", "said"),
    [
        (None, "ScanMissing", "api has no scan results, web has no scan results"),
        ((), "ScanMissing", "api has no scan results"),
        (scans(CLEAN), None, ""),
        (scans({}), None, ""),
        (scans({"CRITICAL": 0, "HIGH": 0}), None, ""),
        (scans({"CRITICAL": 2, "HIGH": 1}), "ScanBlocked", "api has 2 CRITICAL and 1 HIGH findings"),
        (scans("Missing"), "ScanMissing", "api has no scan results (because)"),
        (scans("Failed"), "ScanMissing", "api has no scan results (because)"),
        (scans("Pending"), "ScanPending", "the scan of api has not finished"),
        (scans("Denied"), "ScanDenied", "the scan of api can't be read (because)"),
        (scans("Pending", {"HIGH": 1}), "ScanBlocked", "web has 1 HIGH findings"),
        (scans("Pending", "Missing"), "ScanMissing", "web has no scan results"),
        (scans(CLEAN)[:1], "ScanMissing", "web has no scan results"),
    ],
)
def test_scans_hold_back_what_is_gravest(found: Any, reason: str | None, said: str) -> None:
    waits = gate("production", SCANNED, release(2, named=1, verified=2), NOW, source=None, scans=found)
    assert (waits.reason if waits else None) == reason
    assert waits is None or said in waits.message
    if reason in ("ScanMissing", "ScanBlocked"):
        assert waits is not None
        assert "`ferryman waive production --release r2 --reason REASON -p scr`" in waits.message


@pytest.mark.parametrize(("hours", "opens"), [(0.001, True), (0, False), (-1, False)])
def test_a_waiver_opens_until_it_expires(hours: float, opens: bool) -> None:
    waiver = Waiver(reason="no exploit", who="ada", at=at(2), until=NOW + timedelta(hours=hours))
    for found in (scans({"CRITICAL": 1}), scans("Missing"), None):
        waits = gate(
            "production", SCANNED, release(2, named=1, verified=2), NOW, source=None, scans=found, waiver=waiver
        )
        assert (waits is None) is opens


def test_a_waiver_opens_nothing_but_the_scan() -> None:
    waiver = Waiver(reason="no exploit", who="ada", at=at(2), until=NOW + HOUR)
    assert gate("production", SCANNED, release(2, named=1), NOW, source=None, waiver=waiver) == Waits(
        "WaitsForSource", "r2 is not verified in staging yet"
    )


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        pytest.param(settled("RolledBack"), "WaitsForSource", id="left"),
        pytest.param(settled("Failed"), "WaitsForSource", id="failed-since"),
        pytest.param(settled("Errored"), None, id="we-failed-since"),
        pytest.param(settled("RolledBack", 2), None, id="verified-at-that-moment"),
        pytest.param(settled("RolledBack", 3), None, id="verified-since"),
    ],
)
def test_what_the_source_went_back_from_is_not_verified_any_more(ended: Settled, reason: str | None) -> None:
    chosen = release(2, named=1, verified=2)
    waits = gate("production", production(), chosen, NOW, source=source(r2=ended))
    assert (waits.reason if waits else None) == reason
    for environment in (production(), PROMOTION):
        seen = view(R1, chosen, environment=environment, source=source(r2=ended))
        assert told(seen) == ((None, "r2 WaitsForSource") if reason else ("r2", None))


def test_a_scan_that_could_not_be_read_is_looked_at_again() -> None:
    waits = gate("production", SCANNED, release(2, named=1, verified=2), NOW, source=None, scans=scans("Unread"))
    assert waits is not None
    assert (waits.reason, waits.until) == ("ScanPending", None)
    assert "could not be read (because)" in waits.message
