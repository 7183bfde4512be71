"""Which attempt at a migration a deployment makes, as a table."""

from typing import Any

import pytest

from ferryman.decisions.migration_attempts import Begin, Decision, Refuse, Resume, Skip, decide_attempt
from ferryman.records import Actor, Deployment, MigrationClaim
from unit import builders as make
from unit.ecs_world import ID, World


def claim(status: Any, attempt: int = 1, deployment: str = "01K00000000000000000000OLD") -> MigrationClaim:
    return MigrationClaim(
        platform="scr",
        environment="staging",
        version="abc1234",
        attempt=attempt,
        deployment=deployment,
        status=status,
        task_definition="arn:td:1",
        client_token=f"fm-{deployment}-{attempt}",
        exit_code=1 if status == "Failed" else None,
        at=make.AT,
    )


def own(person: bool = False, **changes: Any) -> Deployment:
    made = make.deployment(id=ID, initiated_by=Actor(who="x", automated=not person), steps={})
    plan = make.plan(migration=World.plan.__get__(_Bare())().migration)
    return made.but(plan=plan, **changes)


class _Bare:
    old = {"api": "td", "web": "td"}


@pytest.mark.parametrize(
    ("deployment", "claims", "expected"),
    [
        pytest.param(own(), [], Begin(1), id="first"),
        pytest.param(own(kind="rollback"), [], Skip, id="going-back"),
        pytest.param(own().but(plan=make.plan()), [], Skip, id="no-migration"),
        pytest.param(own(), [claim("Succeeded")], Skip, id="done"),
        pytest.param(own(person=True), [claim("Succeeded"), claim("Failed", 2)], Skip, id="done-once-is-done"),
        pytest.param(own(), [claim("Failed")], Refuse, id="failed-automation"),
        pytest.param(own(person=True), [claim("Failed")], Begin(2), id="failed-person"),
        pytest.param(own(), [claim("NotStarted")], Begin(2), id="never-ran-automation"),
        pytest.param(own(), [claim("Claimed")], Resume, id="somebody-died"),
        pytest.param(own(), [claim("Running")], Resume, id="somebody-died-while-it-ran"),
        pytest.param(own(person=True), [claim("Unknown")], Resume, id="unknown-even-for-a-person"),
        pytest.param(own(), [claim("Reverted")], Begin(2), id="taken-back-is-not-done"),
        pytest.param(own(), [claim("Reverted"), claim("Succeeded", 2)], Skip, id="done-again"),
        pytest.param(
            own(kind="rollback", command="down", revision="1"), [], Begin(1), id="going-back-with-a-downgrade"
        ),
        pytest.param(own(kind="migrate", command="current"), [], Begin(1), id="a-person's-command"),
    ],
)
def test_decide(deployment: Deployment, claims: list[MigrationClaim], expected: Decision | type) -> None:
    decision = decide_attempt(deployment, claims)
    assert decision == expected if not isinstance(expected, type) else isinstance(decision, expected)
