"""Sync: every row of the table in the docs, what counts first, and that no combination is left out."""

from datetime import timedelta
from typing import get_args

import pytest

from ferryman.decisions.conditions import observed as conditions
from ferryman.decisions.explain.environment import explain
from ferryman.decisions.freeze_windows import Frozen, frozen
from ferryman.decisions.snapshot import Snapshot
from ferryman.decisions.sync import STATUS, Found, Status, judge_sync
from ferryman.decisions.why_not import Reason, why_not
from ferryman.records import Condition, Phase, ReleaseStatus, WaitingFor
from unit import builders as make
from unit.decisions.situations import (
    FREEZE,
    HOLD,
    LEFT,
    NOW,
    active,
    asked,
    changed,
    document,
    gated,
    idle,
    named,
    release,
    request,
    settled,
)
from unit.decisions.status_table import table

DRIFTED = {
    reason: Condition(type="Drifted", status="True", reason=reason, message="", last_transition_time=NOW)
    for reason in ("TaskDefinitionChanged", "ImagesDiffer", "BaseChanged")
}
LATER = settled(Phase.ERRORED, 300)
SCAN = {"scan": {"block": ["CRITICAL"]}}


def scan(reason: str) -> Snapshot:
    seen = WaitingFor(version="r2", reason=reason, message="a scan")
    return changed(gated(**SCAN), releases=(release(1), named(2)), waiting_for=seen)


def window(kind: str) -> Snapshot:
    rule = {"name": "w", "kind": kind, "dates": f"2026-01-0{3 if kind == 'deny' else 9} 00:00 - 2026-01-09 03:00"}
    freeze = {"timeZone": "UTC", "windows": [rule]}
    return changed(gated(freeze=freeze), releases=(release(1), named(2)))


SITUATIONS: dict[str, Snapshot] = {
    "UpToDate": idle(1),
    "Deploying": active(),
    "Requested": idle(1, 2, requested=request("r2")),
    "Next": idle(1, 2),
    "RetryAfter": idle(1, 2, settled={"r2": LATER}),
    "AwaitingApproval": asked(),
    "Assembling": changed(idle(1), releases=(release(1), release(2, ReleaseStatus.ASSEMBLING))),
    "NothingDeployed": idle(current=None),
    "WaitsForSource": changed(gated(), releases=(release(1), named(2, verified={})), source=LEFT.but(settled={})),
    "Soaking": changed(gated(soak="48h"), releases=(release(1), named(2))),
    "ScanMissing": scan("ScanMissing"),
    "ScanPending": scan("ScanPending"),
    "ScanBlocked": scan("ScanBlocked"),
    "ScanDenied": scan("ScanDenied"),
    "Held": idle(1, 2, hold=HOLD),
    "FrozenByPerson": idle(1, 2, freeze=FREEZE),
    "FreezeWindow": window("deny"),
    "OutsideAllowWindow": window("allow"),
    "Failed": idle(1, 2, settled={"r2": settled(Phase.FAILED)}),
    "RolledBack": idle(1, 2, settled={"r2": settled(Phase.ROLLED_BACK)}),
    "Errored": idle(1, 2, settled={"r2": settled(Phase.ERRORED)}),
    "Aborted": idle(1, 2, settled={"r2": settled(Phase.ABORTED)}),
    "Rejected": idle(1, 2, settled={"r2": settled(Phase.REJECTED)}),
    "Expired": idle(1, 2, settled={"r2": settled(Phase.EXPIRED)}),
    "TagRefused": changed(
        gated(),
        releases=(release(1), named(2)),
        settled={"r2": settled(Phase.REJECTED).but(reason="TagRefused", at=NOW)},
    ),
    **{reason: idle(1, conditions=[condition]) for reason, condition in DRIFTED.items()},
}
"""One for each row, by its reason."""


def freeze_of(view: Snapshot) -> Frozen | None:
    return frozen(view.environment, view.state, NOW)


def sync(view: Snapshot) -> Found:
    return judge_sync(view, why_not(view, NOW), freeze_of(view))


def short(view: Snapshot) -> tuple[str, str, str | None]:
    found = sync(view)
    return found.status, found.reason, found.why.release.version if found.why else None


@pytest.mark.parametrize(("reason", "status"), table("sync").items())
def test_a_row_of_the_table(reason: str, status: str) -> None:
    found = sync(SITUATIONS[reason])
    assert (found.status, found.reason) == (status, reason)


def test_the_table_has_every_reason() -> None:
    assert set(table("sync")) == set(SITUATIONS)
    assert set(table("sync").values()) == set(get_args(Status))


def test_every_reason_why_a_release_does_not_run_is_judged() -> None:
    assert set(STATUS) == set(get_args(Reason))


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        pytest.param(idle(1, 2, 3, settled={"r3": settled(Phase.FAILED)}), ("Failed", "Failed", "r3"), id="newest"),
        pytest.param(idle(1, hold=HOLD), ("Synced", "UpToDate", None), id="held-with-nothing-newer"),
        pytest.param(idle(1, freeze=FREEZE), ("Synced", "UpToDate", None), id="frozen-with-nothing-newer"),
        pytest.param(
            idle(1, 2, hold=HOLD, settled={"r2": settled(Phase.FAILED)}),
            ("Failed", "Failed", "r2"),
            id="failed-and-held",
        ),
        pytest.param(idle(1, 2, hold=HOLD, settled={"r2": LATER}), ("Held", "Held", "r2"), id="a-retry-is-held"),
        pytest.param(
            idle(1, 2, freeze=FREEZE, settled={"r2": LATER}), ("Frozen", "FrozenByPerson", "r2"), id="a-retry-is-frozen"
        ),
        pytest.param(
            idle(1, 2, requested=request("r2"), hold=HOLD.but(at=make.AT + timedelta(hours=1))),
            ("Held", "Held", "r2"),
            id="a-request-before-the-hold",
        ),
        pytest.param(
            idle(1, 2, requested=request("r2").but(at=NOW), hold=HOLD),
            ("Pending", "Requested", "r2"),
            id="after-the-hold",
        ),
        pytest.param(
            idle(1, 2, requested=request("r2"), freeze=FREEZE), ("Frozen", "FrozenByPerson", "r2"), id="request-frozen"
        ),
        pytest.param(
            idle(1, 2, current=2, requested=request("r1", "rollback"), freeze=FREEZE, hold=HOLD),
            ("Pending", "Requested", None),
            id="a-rollback-passes-everything",
        ),
        pytest.param(
            changed(gated(), releases=(release(1), release(2))), ("Synced", "UpToDate", None), id="nobody-tagged-it"
        ),
        pytest.param(
            changed(gated(), releases=(release(1), release(2, ReleaseStatus.ASSEMBLING))),
            ("Synced", "UpToDate", None),
            id="incomplete-and-nobody-tagged-it",
        ),
        pytest.param(
            changed(gated(triggers=["promotion"]), releases=(release(1), release(2))),
            ("Waiting", "WaitsForSource", "r2"),
            id="promoted-once-it-is-verified",
        ),
        pytest.param(
            changed(gated(triggers=["promotion"]), releases=(release(1), release(2)), source=LEFT),
            ("Synced", "UpToDate", None),
            id="it-failed-in-staging",
        ),
        pytest.param(
            changed(gated(), releases=(release(1), named(2)), source=LEFT),
            ("Waiting", "WaitsForSource", "r2"),
            id="it-failed-in-staging-and-was-tagged",
        ),
        pytest.param(
            changed(idle(1), releases=(release(1), release(2, verified=named(2).verified))),
            ("Synced", "UpToDate", None),
            id="a-person-went-back-from-it",
        ),
        pytest.param(
            idle(1, 2, conditions=[DRIFTED["BaseChanged"]]), ("Pending", "Next", "r2"), id="a-release-before-drift"
        ),
        pytest.param(
            idle(1, conditions=[DRIFTED["BaseChanged"].but(status="False")]),
            ("Synced", "UpToDate", None),
            id="drift-is-over",
        ),
        pytest.param(
            changed(
                idle(1, settled={"r1": LATER}),
                deployments=(make.deployment(version="r1", phase=Phase.ERRORED, kind="redeploy"),),
            ),
            ("Pending", "RetryAfter", None),
            id="what-runs-is-tried-again",
        ),
    ],
)
def test_what_counts_first(view: Snapshot, expected: tuple[str, str, str | None]) -> None:
    assert short(view) == expected


@pytest.mark.parametrize("reason", sorted(SITUATIONS))
def test_sync_and_ready_do_not_contradict_each_other(reason: str) -> None:
    """`Ready` keeps its meaning; where it is True, nothing newer is wanted."""
    view = SITUATIONS[reason]
    ready = next(item for item in conditions(view, NOW) if item.type == "Ready")
    found = sync(view)
    if ready.status == "True":
        assert found.status in ("Synced", "Drifted") or reason == "Assembling"
    if found.status == "Synced":
        assert ready.status == "True"


@pytest.mark.parametrize("reason", sorted(SITUATIONS))
def test_every_reason_is_put_into_words(reason: str) -> None:
    view = SITUATIONS[reason]
    message = "what ECS runs differs"
    state = view.state.but(conditions=[item.but(message=message) for item in view.state.conditions])
    applied = document().model_copy(deep=True)
    applied.spec.environments[view.name] = view.environment
    found = explain(
        applied, state, list(view.releases), list(view.deployments), NOW, source=view.source, approval=view.approval
    )
    assert (found.sync.status, found.sync.reason) == (sync(view).status, reason)
    assert found.sync.message
