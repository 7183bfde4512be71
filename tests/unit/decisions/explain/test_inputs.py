"""What an explanation is made from: which deployment is under way, and what automation would see."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.explain.inputs import Facts
from ferryman.records import Freeze, Phase, Running
from unit import builders as make
from unit.operating import document

NOW = make.AT + timedelta(hours=1)


def facts(*deployments: Any, state: Any = None, **changes: Any) -> Facts:
    known = state or make.state()
    return Facts(document(), known, [make.release()], list(deployments), NOW, **changes)


@pytest.mark.parametrize(
    ("phase", "awaited"), [(Phase.AWAITING_APPROVAL, True), (Phase.RUNNING, False), (Phase.PENDING, False)]
)
def test_what_is_under_way_is_what_holds_the_claim(phase: Phase, awaited: bool) -> None:
    mine, newer = make.deployment(phase=phase), make.deployment(id="01KNEWER", phase=Phase.AWAITING_APPROVAL)
    found = facts(newer, mine)
    assert found.active == mine
    assert found.awaited == (mine if awaited else None)


def test_without_a_claim_nothing_is_under_way() -> None:
    found = facts(make.deployment(phase=Phase.AWAITING_APPROVAL), state=make.state(active=None))
    assert (found.active, found.awaited) == (None, None)


def test_what_runs_may_belong_to_no_release() -> None:
    current = Running(version="0001234", deployment="D", digests={}, at=make.AT)
    found = [facts(state=make.state(current=now)) for now in (current, current.but(version=None), None)]
    assert [item.running_version for item in found] == ["0001234", None, None]


def test_a_freeze_counts_until_it_ends() -> None:
    freeze = Freeze(reason="fair", who="kim", at=make.AT, until=NOW + timedelta(minutes=1))
    assert facts(state=make.state(freeze=freeze)).frozen is not None
    assert facts(state=make.state(freeze=freeze.but(until=NOW))).frozen is None


def test_automation_sees_the_same_and_no_scans() -> None:
    source = make.state(environment="test")
    view = facts(make.deployment(), source=source).view
    assert (view.platform, view.name, view.environment) == ("scr", "staging", document().environment("staging"))
    assert (view.state, view.releases, view.deployments) == (make.state(), (make.release(),), (make.deployment(),))
    assert (view.source, view.scans) == (source, {})
