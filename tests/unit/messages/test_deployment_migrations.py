"""What people are told where a deployment has several migrations."""

from typing import Any

import pytest

from ferryman.decisions.after_outcome import apply
from ferryman.decisions.outcome import Judgement, judge
from ferryman.messages import deployment as messages
from ferryman.records import Deployment, MigrationProgress, Phase, Step, step_keys
from unit import builders as make
from unit.messages.rows import AT, only

ORDERS, STOCK = "migration/orders", "migration/stock"


def ran(status: str = "Succeeded", reason: str = "Completed", **more: Any) -> Step:
    return make.step(status, reason, migration=MigrationProgress(task="arn:task", exit_code=0), **more)


def of(steps: dict[str, Step], names: tuple[str, ...] = ("orders", "stock"), **changes: Any) -> Deployment:
    plan = make.plan(named_migrations=[make.migration(name=name) for name in names])
    begun = {step_keys.BEGIN: make.step(), step_keys.ADMIT: make.step()}
    return make.deployment(plan=plan, steps=begun | steps, **changes)


def judged(deployment: Deployment) -> tuple[Judgement, str]:
    found = judge(deployment, None)
    ended = deployment.but(phase=found.phase, reason=found.reason, message=found.message, ended_at=AT)
    return found, only(messages.for_outcome(ended, ["team"], AT)).text


def test_the_second_failed_and_the_first_stays() -> None:
    found, text = judged(of({ORDERS: ran(), STOCK: ran("Failed", "NonZeroExit", message="it ended with 1.")}))
    assert (found.phase, found.reason) == (Phase.FAILED, "NonZeroExit")
    assert "What failed: database migration stock (NonZeroExit)" in text
    assert "The migration orders ran and was not reverted. Its database may be newer than the services." in text
    assert "The migration stock did not finish. Changes it made before it stopped may still be in place." in text


def test_an_unknown_outcome_holds_and_names_the_migration() -> None:
    unknown = ran("Errored", "OutcomeUnknown", message="nobody can tell.")
    assert judged(of({ORDERS: ran(), STOCK: unknown}))[0].hold == (
        "it is unknown whether migration stock of abc1234 ran"
    )


def test_a_migration_that_never_began_is_no_success() -> None:
    passed = {key: step for key, step in make.passed().items() if key != step_keys.MIGRATION}
    assert judge(of(passed | {ORDERS: ran()}), None).phase is not Phase.SUCCEEDED
    assert judge(of(passed | {ORDERS: ran(), STOCK: ran()}), None).phase is Phase.SUCCEEDED


def test_a_downgrade_that_stopped_half_way_says_which_database_is_where() -> None:
    steps = {STOCK: ran(), ORDERS: ran("Failed", "NonZeroExit", message="no.")}
    back = {"kind": "rollback", "command": "down", "revisions": {"orders": "1", "stock": "a"}}
    text = judged(of(steps, ("stock", "orders"), **back))[1]
    assert "The database of migration stock was downgraded to a." in text
    assert "The downgrade orders did not finish. Its database may be partly downgraded." in text


def test_a_rollback_says_what_was_downgraded() -> None:
    steps = {key: step for key, step in make.passed().items() if key != step_keys.MIGRATION}
    back = {"kind": "rollback", "command": "down", "revisions": {"orders": "1", "stock": "a"}}
    text = judged(of(steps | {STOCK: ran(), ORDERS: ran()}, ("stock", "orders"), **back))[1]
    assert "The databases were downgraded first: stock to a, orders to 1." in text


@pytest.mark.parametrize(
    ("command", "revision", "subject"),
    [("current", None, "migrate stock current succeeded"), ("down", "1", "migrate stock down to 1 succeeded")],
)
def test_a_database_command_has_the_name_of_its_migration(command: Any, revision: str | None, subject: str) -> None:
    deployment = of(
        {STOCK: ran(message="The database command stock says 2.", logs=["2 (head)"])},
        ("stock",), kind="migrate", command=command, revision=revision, migration="stock",
    )  # fmt: skip
    judgement, _ = apply(judge(deployment, None), deployment, make.state(), AT)
    ended = deployment.but(phase=judgement.phase, message=judgement.message, ended_at=AT)
    message = only(messages.for_outcome(ended, ["team"], AT))
    assert message.subject == f"[Succeeded] scr/staging: {subject}"
    assert "  | 2 (head)" in message.text
    assert judgement.message == "The database command stock says 2."


def test_a_command_that_failed_says_how_to_look_at_that_database() -> None:
    deployment = of(
        {STOCK: ran("Failed", "NonZeroExit", message="no.")}, ("stock",), kind="migrate", command="up",
        migration="stock",
    )  # fmt: skip
    assert "`ferryman migrate staging stock current -p scr`" in judged(deployment)[1]
