"""The reconcile contract where people have to say yes: tags, freezes, reports and pending approvals, purely."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.decisions import candidates
from ferryman.decisions.actions import (
    Action,
    Complete,
    Dismiss,
    EndApproval,
    Redrive,
    RefuseTag,
    RemindApprovers,
    ReportWaiting,
    RequeueAfter,
    Start,
    TellMachine,
)
from ferryman.decisions.approval_rules import ended
from ferryman.decisions.conditions import observed, waiting_for, waiting_since
from ferryman.decisions.decide import decide
from ferryman.decisions.promotion_gate import gate, kept_back
from ferryman.decisions.snapshot import Execution, Snapshot
from ferryman.decisions.why_not import why_not
from ferryman.records import (
    AbortRequest,
    Actor,
    EnvironmentState,
    Phase,
    Running,
    Settled,
    Verified,
    step_keys,
)
from unit import builders as make
from unit.decisions.situations import (
    DENY,
    FREEZE,
    HOLD,
    LEFT,
    NOW,
    acts,
    applied,
    asked,
    changed,
    condition,
    gated,
    idle,
    named,
    release,
    request,
    scanned,
    settled,
    start,
)
from unit.operating import document


class TestGates:
    """What waits in production, and when it is looked at again."""

    def test_a_tag_starts_the_newest_verified_and_passes_over_the_others(self) -> None:
        (action,) = acts(gated())
        assert action == start(
            "r3",
            initiated_by=Actor(who="tag v3.0.0", automated=True),
            why="all its images carry the tag v3.0.0",
            tag="v3.0.0",
            supersede=("r2",),
        )

    def test_an_older_one_starts_and_supersedes_nothing_newer(self) -> None:
        view = gated()
        view = changed(
            view, releases=(release(1), named(2), named(3, verified={})), reported={"r3": ("WaitsForSource",)}
        )
        (action,) = acts(view)
        assert isinstance(action, Start)
        assert (action.version, action.supersede) == ("r2", ())

    @pytest.mark.parametrize(
        ("changes", "again"),
        [
            ({"freeze": FREEZE}, [RequeueAfter(600)]),
            ({"freeze": FREEZE.but(until=None)}, []),
            ({"environment": document(production={"freeze": DENY}).environment("production")}, [RequeueAfter(295)]),
            ({"hold": HOLD}, []),
            ({"hold": HOLD, "freeze": FREEZE}, []),
        ],
        ids=["frozen", "frozen-for-good", "window", "held", "held-and-frozen"],
    )
    def test_nothing_starts_while_frozen_or_held(self, changes: dict[str, Any], again: list[Action]) -> None:
        assert acts(changed(gated(), **changes)) == again
        assert waiting_since(changed(gated(), **changes), NOW) is None

    @pytest.mark.parametrize("kind", ["deploy", "retry", "redeploy", "migrate", "rollback"])
    def test_a_wish_waits_for_a_freeze_to_end_but_a_way_back_does_not(self, kind: str) -> None:
        version = "r1" if kind in ("redeploy", "migrate") else "r2"
        found = acts(changed(gated(), freeze=FREEZE, requested=request(version, kind)))
        if kind == "rollback":
            (action,) = found
            assert isinstance(action, Start)
        else:
            assert found == [RequeueAfter(600)]

    @pytest.mark.parametrize("kind", ["deploy", "retry"])
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            pytest.param(
                {"releases": (release(1), named(2, verified={}))}, "not verified in staging yet", id="unverified"
            ),
            pytest.param({"source": LEFT}, "no longer verified in staging", id="left-by-staging"),
            pytest.param({"document": {"soak": "24h5m"}}, [RequeueAfter(300)], id="soaking"),
            pytest.param({"document": {"scan": {}}}, [], id="nobody-has-looked-at-its-scans"),
            pytest.param(
                {"document": {"scan": {}}, "scans": scanned("Missing")}, "has no scan results", id="not-scanned"
            ),
            pytest.param({"document": {"scan": {}}, "scans": scanned(CRITICAL=1)}, "1 CRITICAL", id="findings"),
            pytest.param(
                {"document": {"scan": {}}, "scans": scanned("Pending")},
                [],
                id="scan-under-way",
            ),
            pytest.param({"document": {"scan": {}}, "scans": scanned("Denied")}, "can't be read", id="scan-denied"),
            pytest.param({"document": {"scan": {}}, "scans": scanned()}, "starts", id="clean"),
            pytest.param({}, "starts", id="nothing-to-wait-for"),
        ],
    )
    def test_a_wish_passes_the_gate_of_a_promotion(self, kind: str, changes: dict[str, Any], expected: Any) -> None:
        others = {name: value for name, value in changes.items() if name != "document"}
        view = gated(**{"triggers": ["manual"], **changes.get("document", {})})
        view = changed(view, **{"releases": (release(1), named(2)), **others}, requested=request("r2", kind))
        found = acts(view)
        if not isinstance(expected, str):
            assert found == expected
            return
        (action,) = found
        if expected == "starts":
            assert isinstance(action, Start)
        else:
            assert isinstance(action, Dismiss)
            assert expected in action.why
            assert "ENV" not in action.why

    def test_a_wish_that_waits_for_a_gate_is_not_late(self) -> None:
        wish = request("r2", "deploy")
        view = changed(gated(triggers=["manual"], soak="25h"), requested=wish)
        assert waiting_since(view, NOW) is None
        assert waiting_since(changed(gated(triggers=["manual"]), requested=wish), NOW) == wish.at

    def test_an_automatic_retry_passes_the_gate_too(self) -> None:
        errored = make.deployment(environment="production", version="r2", phase=Phase.ERRORED)
        view = changed(
            gated(triggers=["manual"]),
            releases=(release(1), named(2)),
            deployments=(errored,),
            settled={"r2": settled(Phase.ERRORED, 0)},
        )
        (action,) = acts(view)
        assert isinstance(action, Start)
        assert acts(changed(view, source=LEFT)) == []

    def test_an_unfinished_scan_is_not_polled_through_the_queue(self) -> None:
        """AWS cuts a chain of Lambda, queue and the same Lambda after 16 hops: the scan's event and the sweep look."""
        view = changed(gated(scan={}), releases=(release(1), named(2)), scans=scanned("Pending"))
        for swept in (False, True):
            found = decide(changed(view, swept=swept), NOW)
            assert [item for item in found if isinstance(item, RequeueAfter)] == []

    def test_a_scan_that_must_not_be_read_is_told_at_once_and_once(self) -> None:
        view = changed(gated(scan={}), releases=(release(1), named(2)), scans=scanned("Denied"))
        (told,) = acts(view)
        assert isinstance(told, ReportWaiting)
        assert (told.reason, told.loud) == ("ScanDenied", True)
        assert acts(changed(view, reported={"r2": ("ScanDenied",)})) == []

    @pytest.mark.parametrize(
        ("known", "tried", "tag"),
        [
            ({"tag": "v2.0.0"}, (), "v2.0.0"),
            ({"tag": "v2.0.0"}, ("v2.0.1",), "v2.0.0"),
            ({}, ("v2.0.1", "v2.0.0"), "v2.0.1"),
            ({}, (None, "v2.0.0"), None),
            ({}, (), None),
        ],
        ids=["settled", "settled-wins", "last-attempt", "last-had-none", "never"],
    )
    def test_a_person_s_retry_keeps_the_tag(self, known: Any, tried: tuple[str | None, ...], tag: str | None) -> None:
        view = changed(
            gated(),
            releases=(release(1), named(2)),
            requested=request("r2", "retry"),
            settled={"r2": settled(Phase.FAILED).but(**known)},
            deployments=(
                make.deployment(version="r2", kind="migrate", tag=None, phase=Phase.SUCCEEDED),
                *(make.deployment(version="r2", tag=name, phase=Phase.FAILED) for name in tried),
            ),
        )
        (action,) = acts(view)
        assert isinstance(action, Start)
        assert (action.kind, action.tag) == ("retry", tag)

    def test_a_soak_is_told_to_nobody_and_looked_at_when_it_ends(self) -> None:
        proof = {"staging": Verified(deployment="D", digests=named(2).digests, at=NOW - timedelta(minutes=50))}
        view = gated(soak="1h")
        assert acts(changed(view, releases=(release(1), named(2, verified=proof)))) == [RequeueAfter(600)]

    @pytest.mark.parametrize(("reason", "loud"), [("WaitsForSource", False), ("ScanMissing", True)])
    def test_what_waits_is_reported_once_per_reason(self, reason: str, loud: bool) -> None:
        view = changed(gated(scan={}), releases=(release(1), named(2, verified={})))
        if reason == "ScanMissing":
            view = changed(view, releases=(release(1), named(2)))
        (action,) = acts(view)
        assert isinstance(action, ReportWaiting)
        assert (action.version, action.reason, action.loud) == ("r2", reason, loud)
        assert "ENV" not in action.message
        assert acts(changed(view, reported={"r2": (reason,)})) == []
        assert acts(changed(view, reported={"r2": ("ScanBlocked", reason)})) == []
        assert acts(changed(view, reported={"r2": ("ScanBlocked",)})) == [action]

    def test_a_hopeless_tag_is_refused_before_anything_starts(self) -> None:
        source = EnvironmentState(platform="scr", environment="staging", settled={"r3": settled(Phase.FAILED)})
        view = changed(gated(), releases=(release(1), named(2), named(3, verified={})), source=source)
        (action,) = acts(view)
        assert action == RefuseTag("r3", "v3.0.0", "it ended Failed in staging (Because)")
        refused = Settled(phase=Phase.REJECTED, reason="TagRefused", at=NOW)
        (action,) = acts(changed(view, settled={"r3": refused}))
        assert isinstance(action, Start)
        assert action.version == "r2"

    def test_a_tag_that_was_refused_and_put_on_again_starts_afresh(self) -> None:
        refused = Settled(phase=Phase.REJECTED, reason="TagRefused", at=NOW - timedelta(hours=4))
        (action,) = acts(changed(gated(), settled={"r3": refused}))
        assert isinstance(action, Start)
        assert (action.version, action.kind, action.attempts) == ("r3", "deploy", 1)

    def test_a_database_command_that_errored_is_not_made_a_deployment(self) -> None:
        ended = make.deployment(version="r1", kind="migrate", phase=Phase.ERRORED)
        view = changed(idle(1), deployments=(ended,), settled={"r1": settled(Phase.ERRORED, 0)})
        assert acts(view) == []
        assert acts(changed(view, deployments=(ended.but(kind="redeploy"),))) != []


NEWER = (release(1), named(2), named(3, 1))
"""r3 was named an hour ago: after r2's approval was asked for."""
ADA = Actor(who="ada")
REMIND = {"remind_at": NOW + timedelta(minutes=10)}


class TestAwaitingApproval:
    """Rule 1: what becomes of a deployment that people have not decided about."""

    def test_it_waits_until_it_expires(self) -> None:
        assert acts(asked()) == [RequeueAfter(22 * 3600)]
        assert acts(asked(approval=REMIND)) == [RequeueAfter(600)]
        assert acts(asked(approval=REMIND | {"reminded_at": NOW})) == [RequeueAfter(22 * 3600)]

    def test_nobody_is_late_while_people_think(self) -> None:
        assert waiting_since(asked(), NOW) is None
        assert waiting_since(asked(releases=NEWER, document={"onNewer": "keep"}), NOW) is None
        running = asked()
        assert running.deployment is not None
        running = changed(running, deployment=running.deployment.but(phase=Phase.RUNNING), approval=None)
        assert waiting_since(running, NOW) == make.AT

    def test_the_condition_says_so(self) -> None:
        assert condition(asked(), "Ready") == ("Unknown", "AwaitingApproval")

    def test_a_reminder_is_due_once(self) -> None:
        assert acts(asked(approval={"remind_at": NOW})) == [RemindApprovers()]

    def test_it_expires(self) -> None:
        (action,) = acts(asked(approval={"expires_at": NOW}))
        assert isinstance(action, EndApproval)
        assert action.status == "Expired"
        (action,) = acts(asked(approval={"expires_at": NOW + timedelta(seconds=1)}))
        assert action == RequeueAfter(1)

    @pytest.mark.parametrize(
        ("changes", "settles"),
        [
            ({}, True),
            ({"hold": HOLD}, False),
            ({"freeze": FREEZE}, False),
            ({"freeze": FREEZE.but(until=NOW)}, True),
            ({"freeze": FREEZE, "kind": "rollback"}, True),
        ],
        ids=["free", "held", "frozen", "thawed", "a-way-back-passes"],
    )
    def test_one_that_expires_while_nothing_may_start_settles_nothing(self, changes: Any, settles: bool) -> None:
        view = asked(approval={"expires_at": NOW}, **changes)
        (action,) = acts(view)
        assert isinstance(action, EndApproval)
        assert (action.status, action.reason is None) == ("Expired", settles)
        assert view.deployment is not None
        assert view.approval is not None
        step = ended(view.deployment, action.reason or action.status, action.why, NOW)
        over = changed(
            view,
            execution=Execution.ENDED,
            approval=view.approval.but(status="Expired"),
            deployment=view.deployment.but(steps={**view.deployment.steps, step_keys.APPROVAL: step}),
        )
        (done,) = acts(over)
        assert isinstance(done, Complete)
        assert (done.phase, done.settle) == (Phase.EXPIRED, settles)

    def test_an_abort_ends_it(self) -> None:
        (action,) = acts(asked(abort=AbortRequest(reason="wrong", who="ada", at=NOW)))
        assert isinstance(action, EndApproval)
        assert (action.status, action.who) == ("Aborted", "ada")

    @pytest.mark.parametrize(
        ("view", "by"),
        [
            pytest.param(asked(releases=NEWER), "r3", id="newer"),
            pytest.param(asked(releases=NEWER, document={"onNewer": "keep"}), None, id="keep"),
            pytest.param(asked(releases=(*NEWER[:2], named(3, 1, verified={}))), None, id="newer-but-not-verified"),
            pytest.param(asked(releases=NEWER, document={"soak": "2d"}), None, id="newer-but-soaking"),
            pytest.param(asked(3, releases=NEWER), None, id="it-is-the-newest"),
            pytest.param(asked(releases=NEWER, hold=HOLD), None, id="held"),
            pytest.param(asked(releases=NEWER, freeze=FREEZE), None, id="frozen"),
            pytest.param(asked(releases=NEWER, settled={"r3": settled(Phase.REJECTED)}), None, id="newer-but-rejected"),
            pytest.param(
                asked(releases=NEWER, settled={"r3": settled(Phase.ERRORED, 60)}), None, id="newer-but-not-due"
            ),
            pytest.param(asked(releases=NEWER, settled={"r3": settled(Phase.ERRORED, 0)}), "r3", id="newer-and-due"),
            pytest.param(asked(releases=NEWER, by=ADA), "r3", id="a-person-s-makes-way-for-what-came-since"),
            pytest.param(
                asked(releases=(*NEWER[:2], named(3, 3)), by=ADA), None, id="but-not-for-what-they-passed-over"
            ),
            pytest.param(asked(releases=NEWER, by=ADA, kind="rollback"), None, id="a-way-back-makes-no-way"),
            pytest.param(asked(requested=request("r1", "rollback")), "r1", id="asked-to-go-back"),
            pytest.param(
                asked(requested=request("r3", "deploy"), releases=NEWER, document={"onNewer": "keep"}),
                "r3",
                id="asked-for-another",
            ),
            pytest.param(
                asked(requested=request("r3", "deploy"), releases=(*NEWER[:2], named(3, 1, verified={}))),
                None,
                id="asked-for-one-that-is-not-verified",
            ),
            pytest.param(
                asked(requested=request("r3", "retry"), releases=NEWER, document={"soak": "2d", "onNewer": "keep"}),
                None,
                id="asked-for-one-that-soaks",
            ),
            pytest.param(asked(requested=request("r2", "deploy")), None, id="asked-for-the-same"),
            pytest.param(asked(requested=request("r1", "migrate")), None, id="a-database-command-waits"),
        ],
    )
    def test_what_takes_its_place(self, view: Snapshot, by: str | None) -> None:
        (action,) = acts(view)
        if by is None:
            assert isinstance(action, RequeueAfter)
        else:
            assert isinstance(action, EndApproval)
            assert (action.status, action.by) == ("Superseded", by)

    def test_a_decision_is_told_to_the_machine_until_it_knows(self) -> None:
        decided = {"status": "Approved"}
        assert acts(asked(approval=decided, releases=NEWER)) == [TellMachine()]
        assert acts(asked(approval=decided | {"answered_at": NOW})) == []
        assert acts(asked(approval=decided | {"token": None})) == []

    def test_tags_are_refused_meanwhile(self) -> None:
        source = EnvironmentState(platform="scr", environment="staging", settled={"r3": settled(Phase.FAILED)})
        view = asked(releases=(*NEWER[:2], named(3, 1, verified={})), source=source)
        (action,) = acts(view)
        assert isinstance(action, RefuseTag)

    @pytest.mark.parametrize("execution", [Execution.ABORTED, Execution.ENDED])
    def test_one_whose_execution_ended_is_void_before_the_outcome_is_recorded(self, execution: Execution) -> None:
        (action,) = acts(asked(execution=execution))
        assert isinstance(action, EndApproval)
        assert action.status == "Aborted"
        (action,) = acts(asked(execution=execution, approval={"status": "Aborted"}))
        assert isinstance(action, Complete)

    def test_one_that_is_not_listed_yet_is_driven_again(self) -> None:
        assert acts(asked(execution=Execution.MISSING)) == [Redrive()]

    @pytest.mark.parametrize(
        ("reason", "phase"),
        [("Rejected", Phase.REJECTED), ("Expired", Phase.EXPIRED), ("Superseded", Phase.SUPERSEDED)],
    )
    def test_a_no_whose_finish_was_lost_stays_a_no(self, reason: str, phase: Phase) -> None:
        view = asked(execution=Execution.ENDED, approval={"status": reason})
        assert view.deployment is not None
        ended = {step_keys.BEGIN: make.step(), step_keys.APPROVAL: make.step("Aborted", reason, "because")}
        (action,) = acts(changed(view, deployment=view.deployment.but(steps=ended)))
        assert isinstance(action, Complete)
        assert (action.phase, action.hold, action.settle) == (phase, None, True)

    def test_a_frozen_gate_whose_finish_was_lost_settles_nothing(self) -> None:
        view = asked(execution=Execution.ENDED, approval={"status": "Approved"})
        assert view.deployment is not None
        ended = {
            step_keys.BEGIN: make.step(),
            step_keys.APPROVAL: make.step(),
            step_keys.ADMIT: make.step("Aborted", "Frozen", "frozen"),
        }
        (action,) = acts(changed(view, deployment=view.deployment.but(steps=ended)))
        assert isinstance(action, Complete)
        assert (action.phase, action.settle) == (Phase.ABORTED, False)


# ── properties ──


@st.composite
def productions(draw: st.DrawFn) -> Snapshot:
    environment = {
        "triggers": draw(st.sampled_from([["tag"], ["promotion"], ["tag", "promotion"], ["manual"]])),
        "onNewer": draw(st.sampled_from(["replace", "keep"])),
        **draw(st.sampled_from([{}, {"soak": "2h"}, {"scan": {}}])),
    }
    hours = st.integers(0, 30).map(lambda ago: NOW - timedelta(hours=ago))
    proofs = {"staging": Verified(deployment="D", digests=named(1).digests, at=draw(hours))}
    releases = tuple(
        release(
            number,
            **draw(st.sampled_from([{}, {"names": [f"v{number}.0.0"], "named_at": draw(hours)}])),
            verified=draw(st.sampled_from([{}, proofs])),
        )
        for number in draw(st.lists(st.integers(1, 6), unique=True, max_size=5))
    )
    versions = st.sampled_from([item.version for item in releases] or ["r9"])
    ended = st.builds(
        lambda phase, reason, at: Settled(phase=phase, reason=reason, at=at),
        st.sampled_from([Phase.REJECTED, Phase.FAILED, Phase.ERRORED]),
        st.sampled_from(["Because", "TagRefused"]),
        hours,
    )
    view = changed(
        gated(**environment),
        releases=releases,
        settled=draw(st.dictionaries(versions, ended, max_size=3)),
        hold=draw(st.none() | st.just(HOLD)),
        freeze=draw(st.none() | st.sampled_from([FREEZE, FREEZE.but(until=None)])),
        current=draw(st.none() | st.just(Running(version="r1", deployment="D0", digests={}, at=make.AT))),
        adopted_at=draw(st.none() | hours),
        source=EnvironmentState(
            platform="scr", environment="staging", settled=draw(st.dictionaries(versions, ended, max_size=2))
        ),
    )
    if not draw(st.booleans()):
        return view
    wish = draw(st.none() | st.builds(request, versions, st.sampled_from(["deploy", "rollback", "redeploy"])))
    return changed(view, requested=wish)


@given(productions())
def test_automation_starts_only_what_is_brought_verified_and_free_to_go(view: Snapshot) -> None:
    for action in decide(view, NOW):
        if not isinstance(action, Start):
            continue
        chosen = view.release(action.version)
        assert chosen is not None
        if action.requested:
            assert view.state.freeze is None or action.kind == "rollback"
            assert action.kind != "deploy" or kept_back(view, chosen, NOW) is None
            continue
        assert (
            gate(view.name, view.environment, chosen, NOW, source=view.source, scans=view.scans.get(chosen.version))
            is None
        )
        assert candidates.trigger(view, chosen) is not None
        assert view.state.hold is None
        assert view.state.freeze is None
        assert view.current is None or chosen.order > view.current.order
        assert view.environment.scan is None


@given(productions())
def test_what_is_told_of_a_release_is_what_was_decided(view: Snapshot) -> None:
    """The condition Ready, and why a release does not run, are told in two places: they name the same reason."""
    waiting, ready = waiting_for(view, NOW), candidates.outlook(view, NOW).ready
    reasons = {why.release.version: why.reason for why in why_not(changed(view, waiting_for=waiting), NOW)}
    reason = next(item.reason for item in observed(view, NOW) if item.type == "Ready")
    if waiting is not None:
        assert reason == waiting.reason
        assert reasons[waiting.version] in (reason, "Requested")
    elif ready is not None and reason in ("Held", "Frozen"):
        assert reasons[ready.release.version] in (reason, "Requested")


@given(productions())
def test_deciding_again_comes_to_rest(view: Snapshot) -> None:
    for _ in range(12):
        actions = [action for action in decide(view, NOW) if not isinstance(action, RequeueAfter)]
        if not actions:
            return
        for action in actions:
            if isinstance(action, RefuseTag):
                refused = Settled(phase=Phase.REJECTED, reason="TagRefused", at=NOW)
                view = changed(view, settled={**view.state.settled, action.version: refused})
            elif isinstance(action, ReportWaiting):
                before = view.state.reported.get(action.version, ())
                view = changed(view, reported={**view.state.reported, action.version: (*before, action.reason)})
            else:
                view = applied(view, [action])
    raise AssertionError("it never comes to rest")
