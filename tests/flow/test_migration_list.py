"""An environment with two databases: their migrations run one after the other, and go back in reverse order."""

from collections.abc import Callable

import pytest

from ferryman.records import Deployment, Phase, StepStatus, step_keys
from ferryman_cli.transport import ApiError
from flow.documents import DATABASES, ENVIRONMENT
from flow.place import Place

Make = Callable[..., Place]
ORDERS, STOCK = map(step_keys.migration, DATABASES)
LIST = "dev.ferryman.migrations"


def commands(scr: Place) -> list[str]:
    """What was done with which database, in the order in which it was begun."""
    tasks = [(task["createdAt"], database, task) for database in DATABASES for task in scr.migrations(database)]
    ran = [(database, task["overrides"]["containerOverrides"][0]["command"][2:]) for _, database, task in sorted(
        tasks, key=lambda item: item[0]
    )]  # fmt: skip
    return [" ".join([database, *(words[1:] or words)]) for database, words in ran]


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
