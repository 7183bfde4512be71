"""Database commands on a production that asks: nobody runs one alone, and what was approved is what runs."""

import json
from typing import Any

import pytest

from ferryman.records import Deployment, Phase, step_keys
from ferryman_cli.transport import Api, ApiError
from ferryman_local.standins.people import Person
from flow.production import Make, Production
from flow.stage import Stage

DOWN = {"command": "down", "revision": "base", "confirm": "production"}


@pytest.fixture
def prod(reused: Make) -> Production:
    """A production that runs a release, with a database."""
    found = reused(migration=True, notify=["team"])
    if found.running == "bootstrap":
        found.running_release()
    return found


@pytest.fixture
def developer(prod: Production, stage: Stage) -> Api:
    """The API as somebody who may deploy to production and is no admin."""
    dora = stage.person("dora")
    stage.grant(prod.name, ("deployer", "production", dora))
    return stage.api_of(dora)


def commands(prod: Production) -> list[Deployment]:
    """The database commands so far, oldest first."""
    return [item for item in prod.deployments() if item.kind == "migrate"][::-1]


def waiting(prod: Production, number: int) -> Deployment:
    """The n-th database command, once people can decide about it."""

    def look() -> Deployment | None:
        found = commands(prod)
        if len(found) <= number or found[number].phase is not Phase.AWAITING_APPROVAL:
            return None
        approval = prod.approval(found[number])
        return found[number] if approval is not None and approval.token else None

    return prod.until(look, "the command to wait for approval")


def ended(prod: Production, number: int) -> Deployment:
    """The n-th database command, once it has ended."""

    def look() -> Deployment | None:
        found = commands(prod)
        done = len(found) > number and found[number].phase.terminal and prod.is_idle()
        return found[number] if done else None

    return prod.until(look, "the command to end")


def test_a_developer_cannot_take_back_the_database_alone(prod: Production, stage: Stage, developer: Api) -> None:
    number, ran = len(commands(prod)), len(prod.migrations())
    answer = developer.post(prod.path("migrate"), {**DOWN, "reason": "try"}, repeatable=False)
    assert "waits for approval: Ada, Grace will be asked" in answer["message"]
    command = waiting(prod, number)
    with pytest.raises(ApiError) as alone:
        developer.post(prod.path("approve"), {"version": command.version[:7]}, repeatable=False)
    with pytest.raises(ApiError) as forced:
        developer.post(prod.path("migrate"), {**DOWN, "override": "I know what I do"}, repeatable=False)
    assert (alone.value.status, forced.value.status) == (403, 403)
    assert "only an admin of Ferryman can override an approval" in str(forced.value)

    plan = command.require_plan()
    task = plan.every_migration[0]
    link = prod.link(command)
    mail = next(mail for mail in stage.mails(f"ada@{prod.name}.example") if command.id in json.dumps(mail))
    with Person() as visitor:
        page = visitor.open(link)
    for shown in (json.dumps(mail), page.text.replace(" ", "")):
        plain = shown.replace(" ", "")
        for part in ("migratedowntobase", "".join(task.command), task.image[-20:]):
            assert part.replace(" ", "") in plain, f"{part} in {shown[:3000]}"
    assert "migrate down to base" in str(prod.api.get(prod.path("approval")))

    prod.reject(command, "there is no backup")
    done = ended(prod, number)
    assert (done.phase, len(prod.migrations())) == (Phase.REJECTED, ran), prod.tell()
    assert step_keys.MIGRATION not in done.steps
    assert "was rejected" in prod.told("outcome", owner=done.id).text


def test_what_is_approved_runs_and_nothing_else(prod: Production) -> None:
    number, ran = len(commands(prod)), len(prod.migrations())
    prod.ask("migrate", command="down", revision="0006", reason="to try", confirm="production")
    command = waiting(prod, number)
    prod.approve(command)
    done = ended(prod, number)
    assert (done.phase, done.approved_by, len(prod.migrations())) == (Phase.SUCCEEDED, ["Ada"], ran + 1), prod.tell()

    # Somebody who can write to the table changes what an approved command would run.
    prod.ask("migrate", **DOWN)
    command = waiting(prod, number + 1)
    prod.rewrite(command, lambda approval: approval.but(command_hash="0" * 64))
    prod.approve(command)
    done = ended(prod, number + 1)
    assert (done.phase, done.reason, len(prod.migrations())) == (Phase.ABORTED, "NotApproved", ran + 1), prod.tell()


def test_an_admin_overrides_and_everybody_is_told(prod: Production, stage: Stage) -> None:
    number, ran = len(commands(prod)), len(prod.migrations())
    prod.ask("migrate", command="up", confirm="production")
    first = waiting(prod, number)
    prod.ask("migrate", command="up", confirm="production", override="orders are lost", reason="index")
    assert ended(prod, number + 1).phase is Phase.SUCCEEDED, prod.tell()
    replaced, done = commands(prod)[number:]
    assert (replaced.id, replaced.phase, len(prod.migrations())) == (first.id, Phase.SUPERSEDED, ran + 1)
    assert (done.override, prod.approval(done)) == ("orders are lost", None)
    told = prod.told("unapproved-")
    assert "orders are lost" in told.text
    for name in ("ada", "grace"):
        to = f"{name}@{prod.name}.example"
        prod.until(lambda to=to: "orders are lost" in json.dumps(stage.mails(to)), f"a mail to {to}")
    notices: list[dict[str, Any]] = prod.api.get(prod.path())["notices"]
    assert any("orders are lost" in notice["message"] for notice in notices)


def test_a_look_is_free_and_told(prod: Production) -> None:
    number = len(commands(prod))
    prod.ask("migrate", command="current", confirm="production")
    done = ended(prod, number)
    assert (done.phase, prod.approval(done)) == (Phase.SUCCEEDED, None), prod.tell()
    assert "reads the revision of the database" in str([message.text for message in prod.messages("unapproved-")])


def test_a_rollback_with_a_downgrade_asks(prod: Production) -> None:
    before = prod.running
    prod.running_release()
    ran = len(prod.migrations())
    body = {"reason": "wrong sums", "confirm": "production"}
    answer = prod.ask("rollback", downgrade=True, revision="0006", **body)
    assert "Ada, Grace will be asked to approve it" in answer["message"]

    def look() -> Deployment | None:
        found = next((item for item in prod.deployments() if item.kind == "rollback"), None)
        return found if found is not None and found.phase is Phase.AWAITING_APPROVAL else None

    waits = prod.until(look, "the rollback to wait for approval")
    assert len(prod.migrations()) == ran
    prod.approve(waits)
    prod.until(lambda: prod.running == before and prod.is_idle(), f"{before} to run again")
    assert len(prod.migrations()) == ran + 1
    prod.ask("resume")


def test_an_execution_that_cannot_ask_is_refused(prod: Production, stage: Stage) -> None:
    """One that began before the operator was updated: it would run the command without asking."""
    states, arn = stage.client("stepfunctions"), stage.aws.outputs["MigrateMachineArn"]
    today = states.describe_state_machine(stateMachineArn=arn)["definition"]
    definition = json.loads(today)
    definition["States"]["BeginDeployment"]["Arguments"]["Payload"]["capabilities"] = ["migrations"]
    definition["States"]["BeginDeployment"]["Next"] = "AdmitDeployment"
    for name in ("NeedsApproval", "RequestApproval", "Approved"):
        del definition["States"][name]
    number, ran = len(commands(prod)), len(prod.migrations())
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    try:
        prod.ask("migrate", **DOWN)
        done = ended(prod, number)
    finally:
        states.update_state_machine(stateMachineArn=arn, definition=today)
    assert (done.phase, done.reason, len(prod.migrations())) == (Phase.ERRORED, "MachineTooOld", ran), prod.tell()
    assert "can't ask for the approval" in done.message
