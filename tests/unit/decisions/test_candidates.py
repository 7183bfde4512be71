"""What comes to an environment by itself, and what keeps it back: triggers, soaks, scans, tags, as tables."""

from dataclasses import replace
from datetime import datetime

import pytest

from ferryman.decisions import candidates
from ferryman.decisions.candidates import hopeless, outlook, overtaken
from ferryman.decisions.promotion_gate import gate
from ferryman.decisions.snapshot import Snapshot
from ferryman.platform import Environment
from ferryman.records import (
    Phase,
    Release,
    ReleaseStatus,
    Request,
    Waiver,
)
from unit import builders as make
from unit.decisions.promoting import (
    CLEAN,
    HOUR,
    NOW,
    PROMOTION,
    R1,
    SCANNED,
    at,
    left,
    production,
    proof,
    release,
    scans,
    settled,
    source,
    told,
    view,
)
from unit.operating import document

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


def test_without_a_policy_nobody_looks() -> None:
    assert gate("production", production(), release(2, named=1, verified=2), NOW, source=None) is None
    assert candidates.to_scan(view(R1, release(2, named=1, verified=2)), NOW) == []


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
