"""What comes to an environment by itself, and what keeps it back: triggers, soaks, scans, tags, as tables."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ferryman.decisions import candidates
from ferryman.decisions.candidates import hopeless, outlook, overtaken
from ferryman.decisions.promotion_gate import Waits, gate
from ferryman.decisions.snapshot import ImageScan, Snapshot
from ferryman.platform import Environment
from ferryman.records import (
    EnvironmentState,
    Phase,
    Release,
    ReleaseStatus,
    Request,
    Running,
    Settled,
    Verified,
    Waiver,
)
from unit import builders as make
from unit.operating import document

NOW = make.AT + timedelta(days=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def production(**fields: Any) -> Environment:
    return document(production=fields).environment("production")


def at(hours: float) -> datetime:
    """So many hours before now."""
    return NOW - timedelta(hours=hours)


def release(number: int, *, named: float | None = None, verified: Any = None, **changes: Any) -> Release:
    """Release `rN`, the Nth; named, and verified in staging, so many hours before now (or verified as given)."""
    first = make.AT + timedelta(minutes=number)
    made = make.release(f"r{number}", first_seen_at=first, ready_at=first)
    if named is not None:
        made = made.but(names=[f"v1.{number}.0"], named_at=at(named))
    if verified is not None:
        made = made.but(verified=verified if isinstance(verified, dict) else {"staging": proof(verified)})
    return made.but(**changes)


def proof(hours: float, letter: str = "a") -> Verified:
    return Verified(deployment="D", digests={"api": make.digest(letter), "web": make.digest(letter)}, at=at(hours))


def left(number: int) -> Release:
    """One that ran in production 21 hours ago, until a person went back to r1 an hour later."""
    return release(number, named=22, verified={"staging": proof(22), "production": proof(21)})


def view(
    *releases: Release, current: int | None = 1, environment: Environment | None = None, **changes: Any
) -> Snapshot:
    """Production at rest."""
    running = Running(version=f"r{current}", deployment="D0", digests={}, at=at(20)) if current else None
    state = EnvironmentState(platform="scr", environment="production", rev=3, current=running)
    fields = {name: value for name, value in changes.items() if name in Snapshot.__dataclass_fields__}
    state = state.but(**{name: value for name, value in changes.items() if name not in fields})
    return replace(Snapshot("scr", "production", environment or production(), 1, state, releases=releases), **fields)


def settled(phase: str, hours: float = 0.5, reason: str = "Because", retry_in: float | None = None) -> Settled:
    retry_at = None if retry_in is None else NOW + timedelta(hours=retry_in)
    return Settled(phase=Phase(phase), reason=reason, at=at(hours), retry_at=retry_at)


def told(seen: Snapshot) -> tuple[str | None, str | None]:
    """What may go, and what waits with the reason."""
    found = outlook(seen, NOW)
    waiting = f"{found.waiting.release.version} {found.waiting.waits.reason}" if found.waiting else None  # type: ignore[union-attr]
    return found.ready.release.version if found.ready else None, waiting


R1 = release(1, named=20, verified=20.5)
PROMOTION = production(triggers=["promotion"])
SOAK = production(soak="2h")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(view(R1), (None, None), id="nothing-new"),
        pytest.param(view(R1, release(2, verified=2)), (None, None), id="verified-but-not-tagged"),
        pytest.param(view(R1, release(2, named=1)), (None, "r2 WaitsForSource"), id="tagged-but-not-verified"),
        pytest.param(view(R1, release(2, named=1, verified=2)), ("r2", None), id="tagged-and-verified"),
        pytest.param(view(release(2, named=1, verified=2), current=None), ("r2", None), id="the-first-one"),
        pytest.param(
            view(R1, release(2, named=1, verified=2), release(3, named=0.5, verified=1)), ("r3", None), id="newest-wins"
        ),
        pytest.param(
            view(R1, release(2, named=1, verified=2), release(3, named=0.5)),
            ("r2", "r3 WaitsForSource"),
            id="an-older-one-goes-while-a-newer-one-waits",
        ),
        pytest.param(
            view(R1, release(2, verified=2), release(3, verified=1), environment=PROMOTION),
            ("r3", None),
            id="promotion-takes-the-newest-that-was-verified",
        ),
        pytest.param(
            view(R1, release(2, verified=2), release(3), environment=PROMOTION),
            ("r2", None),
            id="promotion-does-not-wait-for-what-is-not-verified",
        ),
        pytest.param(
            view(R1, release(2, named=1), environment=PROMOTION), (None, None), id="a-name-alone-promotes-nothing"
        ),
        pytest.param(
            view(R1, release(2, named=1, verified=2), environment=production(triggers=["manual"])),
            (None, None),
            id="by-hand-only",
        ),
        pytest.param(
            view(R1, release(2, named=1, verified=2, status=ReleaseStatus.INCOMPLETE)), (None, None), id="incomplete"
        ),
        pytest.param(
            view(R1, release(2, named=1, verified=2, status=ReleaseStatus.BASELINE)), ("r2", None), id="named-baseline"
        ),
        pytest.param(
            view(R1, release(2, named=1, verified={"staging": proof(2, "b")})),
            (None, "r2 WaitsForSource"),
            id="other-bytes-were-verified",
        ),
        # ── soak ──
        pytest.param(
            view(R1, release(2, named=1, verified=1.99), environment=SOAK), (None, "r2 Soaking"), id="soaking"
        ),
        pytest.param(view(R1, release(2, named=1, verified=2), environment=SOAK), ("r2", None), id="soaked-just-now"),
        pytest.param(
            view(R1, release(2, named=3, verified=3), release(3, named=1, verified=1), environment=SOAK),
            ("r2", "r3 Soaking"),
            id="an-older-one-goes-while-a-newer-one-soaks",
        ),
        # ── adoption ──
        pytest.param(view(R1, release(2, named=3, verified=2), adopted_at=at(3)), (None, None), id="named-before-us"),
        pytest.param(
            view(R1, release(2, named=1, verified=2, named_at=None), adopted_at=at(3)),
            (None, None),
            id="named-long-ago",
        ),
        pytest.param(view(R1, release(2, named=2.9, verified=4), adopted_at=at(3)), ("r2", None), id="named-since"),
        pytest.param(
            view(R1, release(2, verified=3), environment=PROMOTION, adopted_at=at(3)),
            (None, None),
            id="proven-before-us",
        ),
        # ── done with ──
        pytest.param(view(R1, release(2, named=1, verified=2), current=2), (None, None), id="it-runs"),
        pytest.param(view(R1, release(2, named=1, verified=2), release(3), current=3), (None, None), id="older"),
        pytest.param(
            view(R1, release(2, named=1, verified=2), settled={"r2": settled("Rejected")}), (None, None), id="rejected"
        ),
        pytest.param(
            view(
                R1, release(2, named=2, verified=3), release(3, named=1, verified=2), settled={"r3": settled("Expired")}
            ),
            (None, None),
            id="never-back-behind-one-that-is-settled",
        ),
        pytest.param(
            view(
                R1,
                release(2, verified=3),
                release(3, verified=2),
                environment=PROMOTION,
                settled={"r3": settled("Expired")},
            ),
            (None, None),
            id="nor-by-promotion",
        ),
        pytest.param(
            view(
                R1,
                release(2, named=0.1, verified=3),
                release(3, named=1, verified=2),
                settled={"r3": settled("Rejected", 0.2)},
            ),
            ("r2", None),
            id="but-back-to-what-a-person-has-named-since",
        ),
        pytest.param(
            view(
                R1,
                release(2, named=1, verified=3),
                release(3, named=2),
                settled={"r3": settled("Rejected", 0.5, "TagRefused")},
            ),
            ("r2", None),
            id="a-refused-tag-is-in-nobodys-way",
        ),
        pytest.param(
            view(R1, release(2, named=2, verified=1), settled={"r2": settled("Rejected", 0.5, "TagRefused")}),
            (None, None),
            id="a-refused-tag-stays-refused",
        ),
        pytest.param(
            view(R1, release(2, named=0.4, verified=1), settled={"r2": settled("Rejected", 0.5, "TagRefused")}),
            ("r2", None),
            id="unless-it-is-named-anew",
        ),
        pytest.param(
            view(
                R1,
                release(2, named=2, verified=1),
                settled={"r2": settled("Rejected", 0.5, "TagRefused")},
                environment=production(triggers=["tag", "promotion"]),
            ),
            ("r2", None),
            id="or-promoted-without-it",
        ),
        pytest.param(
            view(R1, release(2, named=1, verified=2), settled={"r2": settled("Errored", retry_in=0.1)}),
            ("r2", None),
            id="errored-counts-as-ready",
        ),
        pytest.param(
            view(R1, release(2, named=1, verified=2), settled={"r2": settled("Errored")}), (None, None), id="given-up"
        ),
        pytest.param(view(R1, left(2)), (None, None), id="ran-here-and-was-left"),
        pytest.param(
            view(R1, release(2, named=21, verified=22), left(3)), (None, None), id="passed-over-before-they-went-back"
        ),
        pytest.param(
            view(R1, release(2, named=1, verified=22), left(3)), ("r2", None), id="named-since-they-went-back"
        ),
    ],
)
def test_what_comes_and_what_waits(seen: Snapshot, expected: tuple[str | None, str | None]) -> None:
    assert told(seen) == expected


@pytest.mark.parametrize(
    ("environment", "found", "expected"),
    [
        pytest.param(production(), release(2, named=3, verified=2), at(2), id="verified-last"),
        pytest.param(production(), release(2, named=1, verified=2), at(1), id="named-last"),
        pytest.param(production(), release(2, named=3, verified=2, ready_at=at(0.5)), at(0.5), id="completed-last"),
        pytest.param(production(soak="1h"), release(2, named=3, verified=2), at(1), id="soaked-last"),
        pytest.param(PROMOTION, release(2, named=1, verified=2), at(2), id="promotion-does-not-need-the-name"),
    ],
)
def test_since_when_it_could_have_gone(environment: Environment, found: Release, expected: datetime) -> None:
    ready = outlook(view(R1, found, environment=environment), NOW).ready
    assert ready is not None
    assert ready.since == expected


def test_what_brought_it_is_told() -> None:
    tagged = outlook(view(R1, release(2, named=1, verified=2)), NOW).ready
    assert tagged is not None
    assert (tagged.by, tagged.tag) == ("tag v1.2.0", "v1.2.0")
    promoted = outlook(view(R1, release(2, named=1, verified=2), environment=PROMOTION), NOW).ready
    assert promoted is not None
    assert (promoted.by, promoted.tag) == ("promotion", None)


# ── scans ──

SCANNED = production(scan={"block": ["CRITICAL", "HIGH"]})
CLEAN = {"LOW": 3, "MEDIUM": 1}


def scans(api: Any, web: Any = None) -> tuple[ImageScan, ...]:
    """A status, or the findings of a scan that is complete."""
    return tuple(
        ImageScan(name, "Complete", found) if isinstance(found, dict) else ImageScan(name, found, message="because")
        for name, found in (("api", api), ("web", CLEAN if web is None else web))
    )


@pytest.mark.parametrize(
    ("found", "reason", "said"),
    [
        (None, "ScanMissing", "no scan tells about api, no scan tells about web"),
        ((), "ScanMissing", "no scan tells about api"),
        (scans(CLEAN), None, ""),
        (scans({}), None, ""),
        (scans({"CRITICAL": 0, "HIGH": 0}), None, ""),
        (scans({"CRITICAL": 2, "HIGH": 1}), "ScanBlocked", "api has 2 CRITICAL and 1 HIGH findings"),
        (scans("Missing"), "ScanMissing", "no scan tells about api (because)"),
        (scans("Failed"), "ScanMissing", "no scan tells about api (because)"),
        (scans("Pending"), "ScanPending", "the scan of api has not ended yet"),
        (scans("Pending", {"HIGH": 1}), "ScanBlocked", "web has 1 HIGH findings"),
        (scans("Pending", "Missing"), "ScanMissing", "no scan tells about web"),
        (scans(CLEAN)[:1], "ScanMissing", "no scan tells about web"),
    ],
)
def test_scans_hold_back_what_is_gravest(found: Any, reason: str | None, said: str) -> None:
    waits = gate("production", SCANNED, release(2, named=1, verified=2), NOW, source=None, scans=found)
    assert (waits.reason if waits else None) == reason
    assert waits is None or said in waits.message
    if reason in ("ScanMissing", "ScanBlocked"):
        assert waits is not None
        assert "`ferryman waive production --release r2 --reason …`" in waits.message


def test_without_a_policy_nobody_looks() -> None:
    assert gate("production", production(), release(2, named=1, verified=2), NOW, source=None) is None
    assert candidates.to_scan(view(R1, release(2, named=1, verified=2)), NOW) == []


def test_an_unfinished_scan_is_looked_at_again_soon() -> None:
    waits = gate("production", SCANNED, release(2, named=1, verified=2), NOW, source=None, scans=scans("Pending"))
    assert waits is not None
    assert waits.until == NOW + timedelta(minutes=1)


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


def test_only_those_are_scanned_that_nothing_else_keeps_back() -> None:
    found = (R1, *(release(number, named=1, verified=2) for number in (2, 3, 4, 5)), release(6, named=1))
    seen = view(*found, environment=SCANNED)
    assert [item.version for item in candidates.to_scan(seen, NOW)] == ["r5", "r4", "r3"]
    waived = {"r5": Waiver(reason="ok", who="ada", at=at(1), until=NOW + HOUR)}
    assert [item.version for item in candidates.to_scan(view(*found, environment=SCANNED, waivers=waived), NOW)] == [
        "r4", "r3", "r2",
    ]  # fmt: skip


def test_scans_of_the_view_decide() -> None:
    found = (R1, release(2, named=1, verified=2), release(3, named=1, verified=2))
    looked = {"r3": scans({"CRITICAL": 1}), "r2": scans(CLEAN)}
    assert told(view(*found, environment=SCANNED)) == (None, "r3 ScanMissing")
    assert told(view(*found, environment=SCANNED, scans=looked)) == ("r2", "r3 ScanBlocked")


# ── tags that start nothing any more ──


def source(**of_version: Settled) -> EnvironmentState:
    return EnvironmentState(platform="scr", environment="staging", settled=of_version)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        pytest.param(view(R1, release(2, named=1), source=source()), None, id="staging-has-not-decided"),
        pytest.param(
            view(R1, release(2, named=1), source=source(r2=settled("RolledBack"))),
            "it ended RolledBack in staging (Because)",
            id="staging-failed-it",
        ),
        pytest.param(view(R1, release(2, named=1), source=source(r2=settled("Errored"))), None, id="staging-errored"),
        pytest.param(
            view(R1, release(2, named=24), source=source()), "staging has not verified it within 24h", id="waited-long"
        ),
        pytest.param(view(R1, release(2, named=23.999), source=source()), None, id="not-yet-so-long"),
        pytest.param(view(R1, release(2, named=99, verified=2), source=source()), None, id="verified"),
        pytest.param(
            view(R1, release(2, named=99, verified=2), source=source(r2=settled("RolledBack"))),
            "it ended RolledBack in staging (Because)",
            id="verified-and-left",
        ),
        pytest.param(
            view(R1, release(2, named=99, verified=2), source=source(r2=settled("RolledBack", 3))),
            None,
            id="verified-since",
        ),
        pytest.param(
            view(
                R1,
                release(2, named=99, verified=2),
                source=source(r2=settled("RolledBack")),
                active=make.state().active.but(version="r2"),  # type: ignore[union-attr]
            ),
            None,
            id="left-but-on-its-way",
        ),
        pytest.param(view(R1, release(2), source=source(r2=settled("Failed"))), None, id="without-a-name"),
        pytest.param(
            view(R1, release(2, named=99), source=source(), environment=PROMOTION), None, id="tags-are-no-trigger"
        ),
        pytest.param(
            view(R1, release(2, named=99), source=source(), settled={"r2": settled("Rejected", 1, "TagRefused")}),
            None,
            id="refused-once",
        ),
        pytest.param(view(R1, release(2, named=99), source=source(), current=2), None, id="it-runs"),
        pytest.param(view(R1, release(2, named=99), release(3), source=source(), current=3), None, id="older"),
        pytest.param(view(R1, release(2, named=99), source=source(), adopted_at=at(50)), None, id="before-us"),
    ],
)
def test_hopeless_tags(seen: Snapshot, why: str | None) -> None:
    found = hopeless(seen, NOW)
    assert (found.why if found else None) == why


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


def test_a_scan_that_could_not_be_read_is_looked_at_again_soon() -> None:
    waits = gate("production", SCANNED, release(2, named=1, verified=2), NOW, source=None, scans=scans("Unread"))
    assert waits is not None
    assert (waits.reason, waits.until) == ("ScanPending", NOW + timedelta(minutes=1))
    assert "could not be read (because)" in waits.message


def test_what_a_person_asked_for_is_scanned_first() -> None:
    found = (R1, *(release(number, named=1, verified=2) for number in (2, 3, 4)), release(5, verified=2))
    wish = Request(version="r5", kind="deploy", reason="", who="ada", at=at(1))
    seen = view(*found, environment=SCANNED, requested=wish)
    assert [item.version for item in candidates.to_scan(seen, NOW)] == ["r5", "r4", "r3"]
    found = (R1, *(release(number, named=1, verified=2) for number in (2, 3, 4, 5)))
    seen = view(*found, environment=SCANNED, requested=wish.but(version="r2"))
    assert [item.version for item in candidates.to_scan(seen, NOW)] == ["r2", "r5", "r4"]


# ── what was passed over ──


def test_overtaken_are_those_that_would_have_come_and_nothing_happened_to() -> None:
    found = tuple(release(number, named=1, verified=2) for number in (2, 3, 4, 5, 6))
    untagged = release(7, verified=2)
    seen = view(
        R1,
        *found,
        untagged,
        release(8, named=1, verified=2),
        settled={"r3": settled("Rejected")},
        deployments=(make.deployment(version="r4", phase=Phase.SUPERSEDED),),
    )
    assert [item.version for item in overtaken(seen, seen.releases[-1])] == ["r2", "r5", "r6"]


def test_a_name_that_is_younger_than_the_history_is_recorded_too() -> None:
    old = make.deployment(version="r9", phase=Phase.SUCCEEDED, created_at=at(5))
    seen = view(
        R1, release(2, named=1), release(3, named=6), release(9), current=9, deployments=(old,), complete_history=False
    )
    assert [item.version for item in overtaken(seen, seen.releases[-1])] == ["r2"]


def test_a_push_brings_the_newest_alone_whatever_it_waits_for() -> None:
    staging = document(scan={}).environment("staging")
    seen = replace(view(R1, release(2), release(3), environment=staging), name="staging")
    assert told(seen) == (None, "r3 ScanMissing")
    assert told(replace(seen, scans={"r2": scans(CLEAN)})) == (None, "r3 ScanMissing")
    assert told(replace(seen, scans={"r3": scans(CLEAN)})) == ("r3", None)
