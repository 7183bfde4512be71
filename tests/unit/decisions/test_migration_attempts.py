"""Which attempt at a migration a deployment makes, as a table."""

from typing import Any

import pytest

from ferryman.decisions.migration_attempts import (
    Begin,
    Decision,
    Refuse,
    Resume,
    Skip,
    client_token,
    decide_attempt,
    key_of,
    last_migrated,
    name_of,
    release_of,
    started_by,
    taken_back,
)
from ferryman.records import Actor, Deployment, MigrationClaim, PlannedMigration
from unit import builders as make
from unit.ecs_world import ID, World, left

OLD, RUNS, LATER = "0001234", "abc1234", "def1234"


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
    assert deployment.plan is not None
    decision = decide_attempt(deployment, deployment.plan.migration, claims)
    assert decision == expected if not isinstance(expected, type) else isinstance(decision, expected)


def went_down(status: Any, hours: int = 3) -> MigrationClaim:
    """The claim of a downgrade that a person asked for."""
    return left(f"{OLD}@{ID}", status, hours=hours).but(command="down")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([left(OLD), left(RUNS, hours=1)], RUNS, id="the-latest"),
        pytest.param([left(RUNS, hours=1), left(OLD, hours=2)], OLD, id="by-time-not-by-name"),
        pytest.param([left(OLD), left(RUNS, "Reverted", hours=1)], OLD, id="taken-back"),
        pytest.param([left(OLD), left(RUNS, "Failed", hours=1)], OLD, id="failed"),
        pytest.param([left(OLD), left(f"{RUNS}@{ID}", hours=1)], OLD, id="a-person's-command"),
        pytest.param([left(OLD), left(RUNS, "Reverted", hours=1), went_down("Failed")], RUNS, id="perhaps-half-way"),
        pytest.param([left(OLD), left(RUNS, "Reverted", hours=1), went_down("Unknown")], RUNS, id="nobody-knows"),
        pytest.param([left(OLD), left(RUNS, "Reverted", hours=1), went_down("Succeeded")], OLD, id="all-the-way"),
        pytest.param([left(OLD), left(RUNS, "Reverted", hours=1), went_down("NotStarted")], OLD, id="before-that"),
        pytest.param(
            [left(OLD), left(RUNS, "Reverted", hours=1), went_down("Failed"), went_down("Succeeded", 4)],
            OLD,
            id="at-the-second-try",
        ),
        pytest.param(
            [left(RUNS, "Reverted", hours=1), went_down("Failed"), left(LATER, hours=4)], LATER, id="migrated-since"
        ),
    ],
)
def test_whose_migrations_the_database_has(claims: list[MigrationClaim], expected: str | None) -> None:
    assert last_migrated(claims, "") == expected
    named = [item.but(version=f"orders/{item.version}") for item in claims]
    assert last_migrated([*claims, *named], "orders") == expected
    assert last_migrated(named, "") is None


def down(revision: str | None, ids: list[str] | None, kind: Any = "rollback", version: str = OLD) -> Deployment:
    return make.deployment(
        kind=kind, command="down", revision=revision, version=version, plan=make.plan(migrations=ids)
    )


FOUR = ["001", "002", "003", "104"]
KNOWN = [left(OLD, ids=["001"]), left(RUNS, ids=["001", "002", "003"]), left(LATER, ids=FOUR)]
SILENT = [left(OLD), left(RUNS), left(LATER)]


@pytest.mark.parametrize(
    ("deployment", "claims", "expected"),
    [
        pytest.param(down("001", FOUR), KNOWN, [RUNS, LATER], id="all-above-the-target"),
        pytest.param(down("003", FOUR, version=RUNS), KNOWN, [LATER], id="only-the-last"),
        pytest.param(down("104", FOUR), KNOWN, [], id="nothing"),
        pytest.param(down("002", FOUR), KNOWN, [RUNS, LATER], id="between-two-releases"),
        pytest.param(down("base", FOUR), KNOWN, [OLD, RUNS, LATER], id="everything"),
        pytest.param(down("10", FOUR), KNOWN, [], id="shortened"),
        pytest.param(down("00", FOUR), KNOWN, [RUNS, LATER], id="shortened-too-far-so-by-order"),
        pytest.param(down("-1", FOUR), KNOWN, [RUNS, LATER], id="relative-so-by-order"),
        pytest.param(down("001", None), KNOWN, [RUNS, LATER], id="the-image-does-not-tell"),
        pytest.param(down("001", FOUR), SILENT, [RUNS, LATER], id="the-claims-do-not-tell"),
        pytest.param(down("-1", FOUR, "migrate", RUNS), KNOWN, [OLD, RUNS, LATER], id="by-hand-nobody-knows-how-far"),
        pytest.param(down("003", FOUR, "migrate", RUNS), KNOWN, [LATER], id="by-hand"),
        pytest.param(
            down("001", FOUR), [left(RUNS, "Failed", FOUR), left(f"{RUNS}@{ID}", ids=FOUR)], [], id="successes-only"
        ),
    ],
)
def test_what_a_downgrade_takes_back(deployment: Deployment, claims: list[MigrationClaim], expected: list[str]) -> None:
    older = [OLD, RUNS] if deployment.version == RUNS else [OLD]

    assert [item.version for item in taken_back(deployment, planned(), claims, older)] == expected


def planned(**changes: Any) -> PlannedMigration:
    found = World.plan.__get__(_Bare())().migration
    assert found is not None
    return found.but(**changes)


def test_a_downgrade_of_one_database_takes_nothing_back_in_another() -> None:
    deployment = down("001", None).but(revision=None, revisions={"orders": "001"})
    orders = [item.but(version=f"orders/{item.version}") for item in KNOWN]
    claims = [*KNOWN, *orders, *(item.but(version=f"stock/{item.version}") for item in KNOWN)]

    found = taken_back(deployment, planned(name="orders", migrations=FOUR), claims, [OLD])

    assert found == orders[1:]


def test_each_migration_has_claims_of_its_own() -> None:
    """And the operator of the version before never takes one for a claim of the release."""
    keys = {key_of(own(command=command), name) for command in (None, "up") for name in ("", "orders", "stock")}
    assert keys == {
        RUNS, f"orders/{RUNS}", f"stock/{RUNS}", f"{RUNS}@{ID}", f"orders/{RUNS}@{ID}", f"stock/{RUNS}@{ID}",
    }  # fmt: skip
    claims = [claim("Running").but(version=key) for key in sorted(keys)]
    assert {(release_of(item), name_of(item)) for item in claims} == {(RUNS, ""), (RUNS, "orders"), (RUNS, "stock")}


def test_tasks_of_one_deployment_are_never_mistaken_for_each_other() -> None:
    tokens = [client_token(ID, attempt, number) for attempt in (1, 9999) for number in (None, *range(10))]
    claims = [claim("Running").but(client_token=token) for token in tokens]
    assert len({started_by(item) for item in claims}) == len(tokens)
    assert max(map(len, tokens)) <= 36


def test_what_is_said_about_a_named_migration_has_its_name() -> None:
    refused = decide_attempt(own(), planned(name="orders"), [claim("Failed")])
    assert isinstance(refused, Refuse)
    assert "migration orders of abc1234 failed" in refused.message
    skipped = decide_attempt(own(), planned(name="orders"), [claim("Succeeded")])
    assert isinstance(skipped, Skip)
    assert "(orders)" in skipped.message
