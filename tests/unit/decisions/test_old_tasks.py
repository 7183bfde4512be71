"""Old tasks that the deployment which made what runs did not wait for: listed while they are there, and then not."""

from dataclasses import replace

import pytest

from ferryman.decisions.snapshot import Drift, Snapshot
from ferryman.records import Deployment, Phase, step_keys
from unit import builders as make
from unit.decisions.situations import changed, drifted, observed


class TestOldTasksRemain:
    def after(self, *later: Deployment, reason: str = "OldTasksRemain", replacing: bool = True) -> Snapshot:
        """The last success, D0, left old tasks of scr-api draining; other deployments may have come after it."""
        steps = {**make.passed(), step_keys.rollout("scr-api", "forward"): make.rollout("scr-api", reason=reason)}
        succeeded = make.deployment(id="D0", version="r1", phase=Phase.SUCCEEDED, steps=steps)
        drift = Drift(
            live={"scr-api": make.definition("scr-api", 5)},
            bases={},
            replacing=frozenset({"scr-api"} if replacing else ()),
        )
        return drifted(drift=drift, deployments=(*later, succeeded))

    def told(self, view: Snapshot) -> bool:
        found = {item.type: item for item in observed(view).conditions}.get("OldTasksRemain")
        assert found is None or (found.status, found.reason) == ("True", "Draining")
        return found is not None

    def known(self, view: Snapshot) -> Snapshot:
        """The same, once the condition has been seen."""
        return replace(view, state=view.state.but(conditions=list(observed(self.after()).conditions)))

    def test_is_listed_while_ecs_lists_what_was_replaced_and_then_no_longer(self) -> None:
        assert self.told(self.after())
        assert not self.told(self.known(self.after(replacing=False)))

    def test_which_of_them_are_protected_is_told(self) -> None:
        view = self.after()
        assert view.drift is not None
        told = "2 old tasks are protected from scale-in until at the latest 2026-12-03 09:00:00 UTC"
        protected = changed(view, drift=replace(view.drift, protected={"scr-api": told, "scr-web": "of no interest"}))
        (condition,) = [item for item in observed(protected).conditions if item.type == "OldTasksRemain"]
        assert condition.message.endswith(f"ECS was still stopping old tasks of scr-api; scr-api: {told}")

    @pytest.mark.parametrize(
        ("reason", "replacing"),
        [
            pytest.param("Completed", True, id="another-replacement"),
            pytest.param("OldTasksRemain", False, id="gone-already"),
        ],
    )
    def test_is_not_listed_otherwise(self, reason: str, *, replacing: bool) -> None:
        view = self.after(reason=reason, replacing=replacing)
        assert not self.told(view)
        assert not self.told(self.known(view))

    @pytest.mark.parametrize(
        ("later", "begins"),
        [
            pytest.param(make.deployment(kind="migrate", phase=Phase.SUCCEEDED, steps={}), True, id="command"),
            pytest.param(make.deployment(phase=Phase.REJECTED, steps={}), True, id="rejected"),
            pytest.param(make.deployment(phase=Phase.EXPIRED, steps={}), True, id="expired"),
            pytest.param(
                make.deployment(phase=Phase.FAILED, steps=make.passed(upto=step_keys.ADMIT)), True, id="failed-early"
            ),
            pytest.param(make.deployment(phase=Phase.ROLLED_BACK), False, id="its-own-tasks-may-drain"),
            pytest.param(
                make.deployment(phase=Phase.ROLLED_BACK, plan=None, steps={}), False, id="only-its-head-is-known"
            ),
        ],
    )
    def test_no_later_attempt_ends_it(self, later: Deployment, *, begins: bool) -> None:
        view = self.after(later)
        assert self.told(view) == begins
        assert self.told(self.known(view))
        assert not self.told(self.known(self.after(later, replacing=False)))

    def test_what_was_seen_stays_until_somebody_can_tell(self) -> None:
        head = self.after().deployments[0].but(plan=None, steps={})
        for unread in (self.known(changed(self.after(), deployments=())), changed(self.after(), deployments=(head,))):
            assert self.told(self.known(unread))
            nothing = Drift(live={"scr-api": make.definition("scr-api", 5)}, bases={})
            assert not self.told(self.known(changed(unread, drift=nothing)))
        assert self.told(self.known(changed(self.after(), drift=None)))

    def test_one_that_was_stored_as_gone_is_taken_away(self) -> None:
        view = self.known(self.after(replacing=False))
        stored = [
            item.but(status="False", reason="Gone") if item.type == "OldTasksRemain" else item
            for item in view.state.conditions
        ]
        assert not self.told(replace(view, state=view.state.but(conditions=stored)))
