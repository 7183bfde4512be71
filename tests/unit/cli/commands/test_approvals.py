"""`ferryman approval`, `approve`, `reject`: against the real API, with the ARN that AWS tells."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Actor, Approval, ApproverRecord, EnvironmentState, Phase
from unit import builders as make
from unit.api_world import JO, World
from unit.cli.function_url import Run, Server, ageless

ID = "01K00000000000000000000DEP"
PLACE = "/v1/platforms/scr/environments/production"


def waits(**changes: Any) -> Approval:
    made = Approval(
        platform="scr", environment="production", deployment=ID, fence=make.FENCE, version="abc1234def", tag="v1.0.0",
        digests={"api": make.digest("a")}, requested_by=Actor(who="tag v1.0.0", automated=True),
        approvers=[ApproverRecord(name="Jo", arn=JO), ApproverRecord(name="Ada Lovelace", email="ada@x.example")],
        requested_at=make.AT, expires_at=make.AT + timedelta(hours=1), token="AQC-token",
    )  # fmt: skip
    return made.but(**changes)


@pytest.fixture(autouse=True)
def _platform(world: World, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["production"]["approval"]["approvers"].append({"name": "Jo", "arn": JO})
    world.applied(scr_document)


def pending(world: World, **changes: Any) -> None:
    state: EnvironmentState = make.state(environment="production")
    assert state.active is not None
    asked = make.step("Running")
    deployment = make.deployment(
        environment="production", version="abc1234def", tag="v1.0.0", phase=Phase.AWAITING_APPROVAL,
        steps={"begin_deployment": make.step(), "approval": asked},
    )  # fmt: skip
    world.put(state.but(active=state.active.but(version="abc1234def")), deployment, waits(**changes))


def test_shows_what_is_asked_and_who_may_answer(run: Run, world: World) -> None:
    pending(world)

    result = run("approval", "production")

    assert result.exit_code == 0, result.stderr
    text = ageless(result.stdout)
    assert "Release:      abc1234def (v1.0.0), replaces 0001234\n" in text
    assert "Requested:    by tag v1.0.0 AGE ago\n" in text
    assert "Approvals:    0 of 1\n" in text
    assert "You:          Jo, can approve\n" in text
    assert f"  api  {make.digest('a')}\n" in text
    assert (
        "Can approve: Jo, Ada Lovelace, with the link in their mail or "
        "`ferryman approve production --release abc1234 -p scr`.\n" in text
    )


@pytest.mark.parametrize("form", ["table", "json", "yaml"])
def test_never_shows_the_token(run: Run, world: World, form: str) -> None:
    pending(world)

    for arguments in (("approval", "production"), ("status", "scr", "production"), ("explain", "production")):
        result = run(*arguments, "-o", form)
        assert (result.exit_code, "AQC-token" in result.output) == (0, False)


@pytest.mark.parametrize("typed", ["abc1234", "abc1234def"])
def test_approve(run: Run, world: World, typed: str) -> None:
    pending(world)

    result = run("approve", "production", "--release", typed, "--reason", "seen")

    assert result.exit_code == 0, result.stderr
    found = world.store.approval(ID)
    assert found is not None
    assert (found.status, found.decisions[0].name, found.decisions[0].identity) == ("Approved", "Jo", JO)
    assert found.decisions[0].source.startswith("203.0.113.7")


def test_reject(run: Run, world: World) -> None:
    pending(world)

    result = run("reject", "production", "--release", "abc1234", "--reason", "not now", "-o", "json")

    assert (result.exit_code, json.loads(result.stdout)["changed"]) == (0, True), result.stderr
    found = world.store.approval(ID)
    assert found is not None
    assert (found.status, found.decisions[0].reason) == ("Rejected", "not now")


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "words"),
    [
        pytest.param(
            ("approve", "production", "--release", "fff9999"), {}, 2,
            "production is waiting for abc1234def, not fff9999; nothing was sent", id="another-version",
        ),
        pytest.param(
            ("approve", "production"), {}, 2, "ferryman approve production --release abc1234", id="not-typed"
        ),
        pytest.param(
            ("reject", "production", "--reason", "no"), {}, 2,
            "ferryman reject production --release abc1234 --reason no", id="not-typed-either",
        ),
        pytest.param(("reject", "production", "--release", "abc1234"), {}, 2, "--reason", id="reject-needs-a-reason"),
        pytest.param(
            ("approve", "production", "--release", "abc1234"), {"approvers": []}, 4, "AWS identifies you as",
            id="no-approver",
        ),
        pytest.param(
            ("approve", "production", "--release", "abc1234"), {"requester": "Jo"}, 4, "", id="asked-for-it-oneself"
        ),
        pytest.param(
            ("approve", "production", "--release", "abc1234"), {"expires_at": make.AT}, 4, "", id="expired"
        ),
    ],
)  # fmt: skip
def test_refusals(
    run: Run, world: World, arguments: tuple[str, ...], changes: dict[str, Any], code: int, words: str
) -> None:
    pending(world, **changes)

    result = run(*arguments)

    assert (result.exit_code, words in result.stderr, result.stdout) == (code, True, ""), result.stderr
    found = world.store.approval(ID)
    assert found is not None
    assert found.decisions == []


def test_nothing_to_decide(run: Run) -> None:
    result = run("approve", "production", "--release", "abc1234")

    assert (result.exit_code, "is not waiting for approval" in result.stderr) == (4, True)


def test_an_answer_that_got_lost_is_asked_for_again_and_counts_once(run: Run, world: World, server: Server) -> None:
    pending(world)
    server.faults = [503, "drop"]

    result = run("approve", "production", "-p", "scr", "--release", "abc1234")

    assert result.exit_code == 0, result.stderr
    found = world.store.approval(ID)
    assert found is not None
    assert len(found.decisions) == 1
