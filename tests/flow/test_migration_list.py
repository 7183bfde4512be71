"""An environment with two databases: their migrations run one after the other, and go back in reverse order."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ferryman.records import Deployment, Phase, StepStatus, step_keys
from ferryman_cli.transport import ApiError
from flow.documents import DATABASES, ENVIRONMENT
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]
ORDERS, STOCK = map(step_keys.migration, DATABASES)
LIST = "dev.ferryman.migrations"
RELEASED = Path(__file__).parents[1] / "contract/released/0.1.0/deploy.asl.json"


def commands(scr: Place) -> list[str]:
    """What was done with which database, in the order in which it was begun; nothing else ran."""
    tasks = {task["taskArn"]: task for database in DATABASES for task in scr.migrations(database)}
    steps = [(step, key) for deployment in scr.deployments() for key, step in deployment.steps.items()]
    found = []
    for step, key in sorted(steps, key=lambda item: item[0].started_at):
        if step_keys.migration_of(key) and step.migration is not None and step.migration.task is not None:
            words = tasks.pop(step.migration.task)["overrides"]["containerOverrides"][0]["command"][2:]
            found.append(" ".join([str(step_keys.migration_of(key)), *(words[1:] or words)]))
    assert tasks == {}
    return found


def results(deployment: Deployment) -> list[tuple[StepStatus, str]]:
    found = [deployment.steps.get(key) for key in (ORDERS, STOCK)]
    return [(step.status, step.reason) for step in found if step is not None]


def test_the_second_fails_and_the_first_stays_and_a_retry_goes_on_where_it_failed(place: Make) -> None:
    scr = place(databases=DATABASES, notify=["team"])
    fixed = scr.gate()
    version = scr.push(MIGRATION_NEEDS_STOCK=str(fixed))
    done = scr.ended(version)
    assert done.phase is Phase.FAILED, scr.tell()
    assert results(done) == [(StepStatus.SUCCEEDED, "Completed"), (StepStatus.FAILED, "NonZeroExit")]
    assert "migration stock" in done.message
    assert "The migration orders succeeded and stays as it is." in done.message
    assert step_keys.MIGRATION not in done.steps
    scr.runs("bootstrap")
    told = scr.message(done)
    assert told is not None
    assert "What failed: database migration stock (NonZeroExit)" in told.text
    assert "The migration orders ran and was not reverted." in told.text

    fixed.touch()
    scr.ask("retry", reason="the table was mended")
    again = scr.ended(version, attempt=2)
    assert again.phase is Phase.SUCCEEDED, scr.tell()
    assert results(again) == [(StepStatus.SKIPPED, "AlreadyMigrated"), (StepStatus.SUCCEEDED, "Completed")]
    assert [command.split()[0] for command in commands(scr)] == ["orders", "stock", "stock"]
    scr.runs(version)


def test_a_rollback_takes_both_back_in_reverse_order_and_a_command_names_its_database(place: Make) -> None:
    scr = place(databases=DATABASES)
    versions = []
    for ids in ("0001", "0001,0002"):
        versions.append(scr.push(labels={f"{LIST}.{database}": ids for database in DATABASES}))
        assert scr.ended(versions[-1]).phase is Phase.SUCCEEDED, scr.tell()
    first, _second = versions

    scr.ask("rollback", reason="to try", confirm=ENVIRONMENT, downgrade=True)
    done = scr.ended(first, attempt=2)

    assert (done.phase, done.revisions) == (Phase.SUCCEEDED, {"orders": "0001", "stock": "0001"}), scr.tell()
    assert commands(scr)[-2:] == ["stock 0001", "orders 0001"]
    scr.runs(first)

    with pytest.raises(ApiError) as refused:
        scr.ask("migrate", command="current", confirm=ENVIRONMENT)
    assert "several migrations: orders, stock" in str(refused.value)
    scr.ask("migrate", migration="stock", command="current", confirm=ENVIRONMENT)
    asked = scr.ended(first, attempt=3)
    assert (asked.kind, asked.phase, asked.migration) == ("migrate", Phase.SUCCEEDED, "stock"), scr.tell()
    assert commands(scr)[-1] == "stock current"
    assert "database is at 0007" in asked.message


@contextmanager
def machine_of_before(stage: Stage) -> Iterator[None]:
    """What starts now runs on the released machine, with today's Lambdas: as if it had begun just before an update."""
    states, arn = stage.client("stepfunctions"), stage.aws.outputs["DeployMachineArn"]
    today = states.describe_state_machine(stateMachineArn=arn)["definition"]
    prefix = "arn:aws:lambda:eu-west-1:000000000000:function:"
    released = re.sub(r"\$\{(\w+)\}", lambda name: prefix + stage.function(name[1]), RELEASED.read_text())
    states.update_state_machine(stateMachineArn=arn, definition=released)
    try:
        yield
    finally:
        states.update_state_machine(stateMachineArn=arn, definition=today)


def test_a_machine_that_cannot_loop_ends_with_an_error_and_skips_none(place: Make, stage: Stage) -> None:
    scr = place(databases=DATABASES, notify=["team"])
    with machine_of_before(stage):
        version = scr.push()
        done = scr.ended(version)
    assert (done.phase, done.reason) == (Phase.ERRORED, "MachineTooOld"), scr.tell()
    assert (done.plan, done.steps, commands(scr)) == (None, {}, [])
    scr.runs("bootstrap")
    told = scr.message(done)
    assert told is not None
    assert "can't run the migrations orders, stock" in told.text
    assert scr.state.settled[version].retry_at is not None, "it is tried again by itself"

    scr.ask("retry", reason="not to wait for that")
    again = scr.ended(version, attempt=2)
    assert again.phase is Phase.SUCCEEDED, scr.tell()
    assert [command.split()[0] for command in commands(scr)] == ["orders", "stock"]
    scr.runs(version)
