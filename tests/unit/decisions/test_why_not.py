"""Why a release that is newer than what runs does not run: every reason as data, as a table of situations."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.snapshot import Snapshot
from ferryman.decisions.why_not import WhyNot, newer_releases, why_not
from ferryman.records import Hold, Phase, ReleaseStatus, Request, Verified
from unit import builders as make
from unit.decisions.situations import FREEZE, HOLD, NOW, asked, changed, gated, idle, named, release, scanned, settled
from unit.operating import document

ACTIVE = make.state().active
WISH = Request(version="r2", kind="deploy", reason="", who="ada", at=make.AT)


def reasons(view: Snapshot) -> dict[str, str]:
    return {found.release.version: found.reason for found in why_not(view, NOW)}


def only(view: Snapshot) -> WhyNot:
    (found,) = why_not(view, NOW)
    return found


def alone(**changes: Any) -> Snapshot:
    """Production with r2 as the only newer release, named and verified."""
    return changed(gated(**changes.pop("document", {})), releases=(release(1), named(2)), **changes)


UNVERIFIED = (release(1), named(2, verified={}))
SCANS: dict[str, Any] = {"document": {"scan": {"block": ["HIGH"]}}}
CLAIM = ACTIVE.but(version="r2") if ACTIVE else None
OTHER = ACTIVE.but(version="r9") if ACTIVE else None
SKIPPED = make.deployment(version="r2", phase=Phase.SUPERSEDED, superseded_by="r3")


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        pytest.param(idle(1, 2), "Next", id="starts-next"),
        pytest.param(idle(1, 2, active=CLAIM), "Deploying", id="under-way"),
        pytest.param(asked(), "AwaitingApproval", id="waits-for-a-yes"),
        pytest.param(idle(1, 2, requested=WISH), "Requested", id="a-person-asked-for-it"),
        pytest.param(idle(1, 2, hold=HOLD), "Held", id="held"),
        pytest.param(idle(1, 2, freeze=FREEZE), "Frozen", id="frozen"),
        pytest.param(idle(1, 2, hold=HOLD, freeze=FREEZE), "Held", id="held-comes-before-frozen"),
        pytest.param(idle(1, 2, active=OTHER), "Next", id="another-one-is-under-way"),
        pytest.param(idle(1, 2, settled={"r2": settled(Phase.ERRORED, 60)}), "RetryAfter", id="tried-again-later"),
        pytest.param(idle(1, 2, settled={"r2": settled(Phase.FAILED)}), "Settled", id="failed-here"),
        pytest.param(
            changed(
                idle(1),
                releases=(
                    release(1),
                    release(2, verified={"staging": Verified(deployment="D", digests={}, at=make.AT)}),
                ),
            ),
            "Settled",
            id="ran-here-and-was-left",
        ),
        pytest.param(idle(1, 2, deployments=(SKIPPED,), hold=HOLD), "Held", id="superseded-and-yet-the-newest"),
        pytest.param(
            changed(idle(1), releases=(release(1), release(2, ReleaseStatus.ASSEMBLING))), "Assembling", id="not-whole"
        ),
        pytest.param(
            changed(idle(1), releases=(release(1), release(2, ReleaseStatus.INCOMPLETE))), "Assembling", id="incomplete"
        ),
        pytest.param(alone(), "Next", id="named-and-verified"),
        pytest.param(changed(alone(), releases=UNVERIFIED), "WaitsForSource", id="not-verified"),
        pytest.param(
            changed(alone(), releases=(release(1), named(2).but(names=[], named_at=None))),
            "WaitsForTag",
            id="not-named",
        ),
        pytest.param(alone(document={"triggers": ["manual"]}), "NoTrigger", id="nothing-brings-it"),
        pytest.param(alone(document={"soak": "2d"}), "Soaking", id="soaks"),
        pytest.param(alone(**SCANS), "ScanPending", id="nobody-has-looked-at-its-scans"),
        pytest.param(alone(**SCANS, scans=scanned()), "Next", id="scans-are-clean"),
        pytest.param(alone(**SCANS, scans=scanned(HIGH=1)), "ScanBlocked", id="findings"),
        pytest.param(alone(**SCANS, scans=scanned("Missing")), "ScanMissing", id="not-scanned"),
    ],
)
def test_reason(view: Snapshot, reason: str) -> None:
    assert reasons(view) == {"r2": reason}


def test_what_runs_and_what_is_older_has_no_reason() -> None:
    assert reasons(idle(1, 2, current=2)) == {}


def test_of_several_the_newest_passes_over_the_others() -> None:
    found = why_not(idle(1, 2, 3), NOW)
    assert [(why.release.version, why.reason, why.successor) for why in found] == [
        ("r3", "Next", None),
        ("r2", "Superseded", "r3"),
    ]


def test_a_push_passes_older_ones_over_whatever_it_waits_for() -> None:
    scanning = document(scan={"block": ["HIGH"]}).environment("staging")
    assert reasons(idle(1, 2, 3, settled={"r3": settled(Phase.FAILED)})) == {"r3": "Settled", "r2": "Superseded"}
    assert reasons(idle(1, 2, 3, environment=scanning)) == {"r3": "ScanPending", "r2": "Superseded"}


def test_one_that_waits_for_its_source_passes_nothing_over() -> None:
    view = changed(gated(), releases=(release(1), named(2), named(3, verified={})))
    assert reasons(view) == {"r3": "WaitsForSource", "r2": "Next"}


def test_until_when_is_told_where_it_is_known() -> None:
    retried = settled(Phase.ERRORED, 60)
    assert only(idle(1, 2, freeze=FREEZE)).until == FREEZE.until
    assert only(idle(1, 2, settled={"r2": retried})).until == retried.retry_at
    assert only(asked()).until == NOW + timedelta(hours=22)
    assert only(idle(1, 2, hold=Hold(reason="x", who="ada", at=make.AT))).until is None


def test_it_is_told_that_it_takes_the_place_of_what_waits_for_approval() -> None:
    newer = (release(1), named(2), named(3, 1))
    found = {why.release.version: why for why in why_not(asked(releases=newer), NOW)}
    kept = {why.release.version: why for why in why_not(asked(releases=newer, document={"onNewer": "keep"}), NOW)}
    assert (found["r3"].reason, found["r3"].replaces) == ("Next", True)
    assert (kept["r3"].reason, kept["r3"].replaces) == ("Next", False)


def test_baselines_and_what_was_whole_before_us_are_no_candidates() -> None:
    state = idle(1, adopted_at=make.AT + timedelta(minutes=2)).state
    listed = [release(1), release(2), release(3), release(4, ReleaseStatus.BASELINE)]
    assert [item.version for item in newer_releases(state, listed)] == ["r3"]
    assert [item.version for item in newer_releases(state.but(current=None, adopted_at=None), listed)] == [
        "r3", "r2", "r1",
    ]  # fmt: skip
