"""What is shown of an environment: Ready, Progressing and the other conditions, and since when."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ferryman.decisions import conditions
from ferryman.decisions.actions import (
    Observe,
)
from ferryman.decisions.conditions import waiting_since
from ferryman.decisions.decide import decide
from ferryman.decisions.snapshot import Drift, Snapshot
from ferryman.records import (
    Phase,
    Running,
    Step,
    Target,
    step_keys,
)
from ferryman.store import bounds
from unit import builders as make
from unit.decisions.situations import (
    FREEZE,
    HOLD,
    NOW,
    active,
    changed,
    condition,
    drifted,
    gated,
    idle,
    named,
    observed,
    release,
    settled,
)

MIXED = {"scr-api": {"api": {"web": f"sha256:{'a' * 64}", "worker": f"sha256:{'b' * 64}"}}}


class TestObserved:
    @pytest.mark.parametrize(
        ("view", "expected"),
        [
            pytest.param(idle(1), {"Ready": ("True", "UpToDate"), "Progressing": ("False", "Idle")}, id="up-to-date"),
            pytest.param(idle(current=None), {"Ready": ("Unknown", "NothingDeployed")}, id="empty"),
            pytest.param(
                idle(1, 2, hold=HOLD),
                {"Ready": ("False", "Held"), "Held": ("True", "Held")},
                id="held-with-a-newer-one",
            ),
            pytest.param(idle(1, hold=HOLD), {"Ready": ("True", "UpToDate"), "Held": ("True", "Held")}, id="held"),
            pytest.param(
                idle(1, 2, settled={"r2": settled(Phase.FAILED)}),
                {"Ready": ("False", "Failed")},
                id="failed",
            ),
            pytest.param(
                idle(1, 2, settled={"r2": settled(Phase.ERRORED, 60)}),
                {"Ready": ("False", "Errored"), "Progressing": ("False", "WaitingForRetry")},
                id="errored",
            ),
            pytest.param(
                active(make.deployment(phase=Phase.ROLLING_BACK)),
                {"Ready": ("Unknown", "Progressing"), "Progressing": ("True", "RollingBack")},
                id="active",
            ),
            pytest.param(
                drifted(drift=Drift(live={"scr-api": make.definition("scr-api", 4)})),
                {"Drifted": ("True", "TaskDefinitionChanged")},
                id="somebody-else-deployed",
            ),
            pytest.param(
                drifted(drift=Drift(live={"scr-api": None})),
                {"Drifted": ("True", "TaskDefinitionChanged")},
                id="gone",
            ),
            pytest.param(drifted(base="scr-api:1"), {"Drifted": ("False", "AsRecorded")}, id="as-recorded"),
            pytest.param(
                drifted(drift=Drift(live={}, images=MIXED)),
                {"Drifted": ("True", "ImagesDiffer"), "Ready": ("False", "ImagesDiffer")},
                id="containers-differ",
            ),
            pytest.param(
                drifted(drift=Drift(live={"scr-api": None}, images=MIXED)),
                {"Drifted": ("True", "TaskDefinitionChanged"), "Ready": ("True", "UpToDate")},
                id="gone-before-containers-differ",
            ),
        ],
    )
    def test_conditions(self, view: Snapshot, expected: dict[str, tuple[str, str]]) -> None:
        for type, seen in expected.items():
            assert condition(view, type) == seen

    @pytest.mark.parametrize(
        ("live", "said"),
        [
            (make.definition("report", 1), "job/report runs report:1 instead of report:2"),
            ("report", "job/report runs report instead of report:2"),
            (None, "job/report does not exist"),
        ],
        ids=["terraform", "unpinned", "gone"],
    )
    def test_a_job_that_somebody_changed_has_drifted(self, live: str | None, said: str) -> None:
        recorded = {"scr-api": make.definition("scr-api", 5), "job/report": make.definition("report", 2)}
        target = Target(version="r1", deployment="D0", task_definitions=recorded)
        drift = Drift(live={"scr-api": make.definition("scr-api", 5), "job/report": live})
        found = {item.type: item for item in observed(drifted(last_succeeded=target, drift=drift)).conditions}[
            "Drifted"
        ]
        assert (found.status, found.reason) == ("True", "TaskDefinitionChanged")
        assert said in found.message
        assert ("let it ignore changes" in found.message) is (live is not None)

    def test_a_job_with_a_newer_base_that_the_last_deployment_planned_is_not_deployed_again(self) -> None:
        """Else a job that the deployment skipped would be deployed again for ever."""
        job = make.planned_job("report", base_task_definition=make.definition("report", 2))
        plan = make.plan(waves=[["job/report"]], services={}, jobs={"job/report": job})
        target = Target(version="r1", deployment="D0", bases={"job/report": make.definition("report", 1)})
        view = drifted(last_succeeded=target, drift=Drift(live={}, bases={"job/report": make.definition("report", 2)}))
        view = replace(view, deployments=(make.deployment(plan=plan, phase=Phase.SUCCEEDED),))
        assert conditions.changed_bases(view) == ["job/report"]
        assert conditions.untried_bases(view) == []

    def test_a_job_that_did_not_move_is_not_available(self) -> None:
        plan = make.plan(
            jobs={"job/report": make.planned_job("report")}, waves=[["scr-api", "scr-web"], ["job/report"]]
        )
        view = active(make.deployment(plan=plan))
        assert condition(view, "Available") == ("Unknown", "NotReached")

    def test_containers_that_differ_are_named_with_what_to_do(self) -> None:
        seen = {item.type: item for item in observed(drifted(drift=Drift(live={}, images=MIXED))).conditions or ()}
        assert seen["Drifted"].message == (
            "scr-api does not run one image of api: web runs sha256:aaaaaaaaaaaa, worker runs sha256:bbbbbbbbbbbb. "
            "To bring each of them to one image, run `ferryman redeploy staging -p scr`."
        )
        assert seen["Drifted"].message in seen["Ready"].message

    @pytest.mark.parametrize(
        ("runs", "triggers", "then"),
        [
            pytest.param("r1", ["push"], "run `ferryman redeploy staging -p scr`", id="a-release"),
            pytest.param(None, ["push"], "push a new release", id="adopted-without-a-version"),
            pytest.param(
                None,
                ["push", "manual"],
                "deploy a release: run `ferryman deploy staging --release VERSION -p scr`",
                id="adopted-where-people-deploy",
            ),
            pytest.param("r0", ["push"], "push a new release", id="a-release-that-is-gone"),
        ],
    )
    @pytest.mark.parametrize(
        "drift",
        [
            Drift(live={}, images=MIXED),
            Drift(live={"scr-api": None}),
            Drift(live={}, bases={"scr-api": "scr-api:2"}),
        ],
        ids=["images-differ", "strayed", "base-changed"],
    )
    def test_nobody_is_sent_to_a_redeploy_that_would_be_refused(
        self, drift: Drift, runs: str | None, triggers: list[str], then: str
    ) -> None:
        view = drifted(drift=drift)
        current = Running(version=runs, deployment=None, digests={}, at=NOW)
        environment = view.environment.model_copy(update={"triggers": triggers})
        changed_view = replace(view, environment=environment, state=view.state.but(current=current))
        seen = conditions.observed(changed_view, NOW)
        assert {item.type: item for item in seen}["Drifted"].message.endswith(f", {then}.")

    def test_a_redeploy_changes_only_components_that_the_release_has(self) -> None:
        """It would keep what each container runs, and the condition would stay for ever."""
        view = drifted(drift=Drift(live={}, images={"scr-api": {"proxy": MIXED["scr-api"]["api"]}}))
        seen = {item.type: item for item in observed(view).conditions or ()}
        assert seen["Drifted"].message.endswith("to one image, push a new release that has proxy.")

    @pytest.mark.parametrize(
        ("drift", "ready", "drifted_now"),
        [
            pytest.param(None, "ImagesDiffer", "ImagesDiffer", id="nobody-looked"),
            pytest.param(Drift(live={}, images=None), "ImagesDiffer", "ImagesDiffer", id="not-all-were-read"),
            pytest.param(Drift(live={}), "UpToDate", "AsRecorded", id="mended"),
        ],
    )
    def test_what_was_found_stays_until_everything_was_read_again(
        self, drift: Drift | None, ready: str, drifted_now: str
    ) -> None:
        first = drifted(drift=Drift(live={}, images=MIXED))
        state = first.state.but(conditions=list(observed(first).conditions or ()))
        later = replace(first, state=state, drift=drift)
        assert {item.type: item.reason for item in observed(later).conditions or ()}["Drifted"] == drifted_now
        assert condition(later, "Ready")[1] == ready

    def test_a_transition_time_changes_only_with_the_status(self) -> None:
        first = observed(idle(1))
        later = idle(1, conditions=first.conditions, hold=None)
        assert not [action for action in decide(later, NOW + timedelta(hours=1)) if isinstance(action, Observe)] or (
            observed(later, NOW + timedelta(hours=1)).conditions == first.conditions
        )
        held = observed(idle(1, conditions=first.conditions, hold=HOLD), NOW + timedelta(hours=1))
        times = {item.type: item.last_transition_time for item in held.conditions}
        assert times["Held"] == NOW + timedelta(hours=1)
        assert times["Ready"] == NOW

    @pytest.mark.parametrize(
        ("view", "since"),
        [
            (idle(1), None),
            (idle(1, 2), make.AT + timedelta(minutes=2)),
            (idle(1, 2, hold=HOLD), None),
            (idle(1, 2, settled={"r2": settled(Phase.FAILED)}), None),
            (idle(1, 2, settled={"r2": settled(Phase.ERRORED, 60)}), make.AT + timedelta(minutes=2)),
            (active(), make.AT),
        ],
        ids=["nothing", "newer", "held", "failed", "errored", "active"],
    )
    def test_since_when_something_waits(self, view: Snapshot, since: datetime | None) -> None:
        assert waiting_since(view, NOW) == since


@pytest.mark.parametrize(
    ("view", "ready"),
    [
        pytest.param(gated(), ("False", "Waiting"), id="about-to-start"),
        pytest.param(changed(gated(), hold=HOLD), ("False", "Held"), id="held"),
        pytest.param(changed(gated(), freeze=FREEZE), ("False", "Frozen"), id="frozen"),
        pytest.param(gated(scan={}), ("False", "ScanMissing"), id="not-scanned"),
        pytest.param(
            changed(gated(), releases=(release(1), named(2, verified={}))),
            ("False", "WaitsForSource"),
            id="not-verified",
        ),
        pytest.param(changed(gated(), releases=(release(1), release(2))), ("True", "UpToDate"), id="not-named"),
        pytest.param(changed(gated(), settled={"r3": settled(Phase.REJECTED)}), ("False", "Rejected"), id="rejected"),
        pytest.param(
            changed(gated(), settled={"r3": settled(Phase.REJECTED).but(reason="TagRefused")}),
            ("False", "Waiting"),
            id="tagged-anew",
        ),
        pytest.param(
            changed(
                gated(),
                settled={"r2": settled(Phase.REJECTED)},
                current=Running(version="r3", deployment="D", digests={}, at=NOW),
            ),
            ("True", "UpToDate"),
            id="an-older-one-was-rejected",
        ),
    ],
)
def test_ready(view: Snapshot, ready: tuple[str, str]) -> None:
    told = changed(view, reported={"r2": ("WaitsForSource", "ScanMissing"), "r3": ("ScanMissing",)})
    found = {item.type: item for item in conditions.observed(told, NOW)}["Ready"]
    assert (found.status, found.reason) == ready


def test_what_is_observed_of_200_strayed_services_is_as_it_is_stored() -> None:
    """Else every look would find the condition changed, and write it again."""
    names = [f"{number:03d}-{'x' * 250}" for number in range(200)]
    target = Target(version="r1", deployment="D0", task_definitions={name: f"{name}:5" for name in names})
    view = drifted(last_succeeded=target, drift=Drift(live={name: f"{name}:6" for name in names}))
    state = view.state.but(conditions=conditions.observed(view, NOW))
    stored = bounds.within(state)
    assert stored == state
    assert "[…]" in next(item.message for item in stored.conditions if item.type == "Drifted")
    assert conditions.observed(changed(view, conditions=stored.conditions), NOW) == stored.conditions


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param({}, ("Unknown", "NotReached"), id="none-yet"),
        pytest.param({"orders": make.step("Failed", "NonZeroExit")}, ("False", "NonZeroExit"), id="the-first-failed"),
        pytest.param({"orders": make.step("Succeeded", "Completed")}, ("Unknown", "NotReached"), id="one-of-two"),
        pytest.param(
            {"orders": make.step("Skipped", "AlreadyMigrated"), "stock": make.step("Succeeded", "Completed")},
            ("True", "Completed"),
            id="all",
        ),
    ],
)
def test_migrated_means_every_migration(steps: dict[str, Step], expected: tuple[str, str]) -> None:
    plan = make.plan(named_migrations=[make.migration(name=name) for name in ("orders", "stock")])
    own = {step_keys.migration(name): step for name, step in steps.items()}
    assert condition(active(make.deployment(plan=plan, steps=own)), "Migrated") == expected
