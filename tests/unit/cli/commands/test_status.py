"""`ferryman status`, `history` and `watch` of a production: approval, freeze, waivers, GitHub, what waits."""

import json
from datetime import timedelta
from typing import Any

import pytest
import typer

from ferryman.messages import timeline
from ferryman.records import (
    Actor,
    Approval,
    ApproverRecord,
    Decision,
    EventType,
    Freeze,
    Phase,
    PlannedTag,
    Publication,
    Running,
    Target,
    Verified,
    Waiver,
    step_keys,
)
from ferryman_cli.commands import status as command
from ferryman_cli.output import Format
from unit import builders as make
from unit.api_world import JO, World
from unit.cli.function_url import Run, Server, ageless

ID = "01K00000000000000000000DEP"
PREV = "01K0000000000000000000PREV"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _platform(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)


def approval(**changes: Any) -> Approval:
    made = Approval(
        platform="scr", environment="production", deployment=ID, fence=make.FENCE, version="abc1234", tag="v1.0.0",
        digests={}, requested_by=Actor(who="tag v1.0.0", automated=True), token="AQC-token", required=2,
        approvers=[ApproverRecord(name="Ada", email="ada@x.example"), ApproverRecord(name="Jo", arn=JO)],
        decisions=[Decision(name="Ada", verdict="approve", how="mail", identity="ada@x.example", at=make.AT)],
        requested_at=make.AT, expires_at=make.AT + HOUR,
    )  # fmt: skip
    return made.but(**changes)


def awaiting(world: World) -> None:
    deployment = make.deployment(
        environment="production", phase=Phase.AWAITING_APPROVAL, tag="v1.0.0",
        why="all its images carry the tag v1.0.0",
        plan=make.plan(
            approval=True, promotions=[PlannedTag(component="api", repository="r", digest="d", tag="production-latest")]
        ),
        steps={step_keys.BEGIN: make.step(), step_keys.APPROVAL: make.step("Running")},
    )  # fmt: skip
    world.put(make.state(environment="production"), deployment, approval())


def test_status_while_it_waits_for_approval(run: Run, world: World) -> None:
    awaiting(world)

    text = ageless(run("status", "scr", "production").stdout)

    assert text == (
        "Name:       scr/production\n"
        "Ready:      Unknown\n"
        "Health:     Unknown\n"
        "            NothingDeployed: No release has been deployed here yet.\n"
        "Sync:       Waiting\n"
        f"            AwaitingApproval: Deployment {ID} of abc1234 (v1.0.0) has been AwaitingApproval for 0s, "
        "at approval for 0s.\n"
        "Status:     runs no release; abc1234 is waiting for approval (1 of 2, expires in 60m)\n"
        f"Deploying:  abc1234 (v1.0.0) AwaitingApproval for 0s (deployment {ID})\n"
        "Because:    all its images carry the tag v1.0.0\n"
        "Step:       approval\n"
        "Approval:   1 of 2 approvals received (Ada); the request expires in 60m (2026-01-02 04:04 UTC).\n"
        "            Can approve: Jo, with `ferryman approve production --release abc1234 -p scr`.\n"
    )


def test_status_shows_what_stands_in_the_way_and_what_went_wrong(run: Run, world: World) -> None:
    current = Running(version="0001234", deployment=PREV, digests={}, at=make.AT)
    state = make.state(
        active=None, environment="production", current=current,
        previous=Target(version="0000999", deployment="01K0"),
        freeze=Freeze(reason="fair", who=JO, at=make.AT),
        waivers={"abc1234": Waiver(reason="not reachable", who=JO, at=make.AT, until=make.AT + HOUR)},
    )  # fmt: skip
    runs = make.deployment(
        id=PREV, environment="production", version="0001234", phase=Phase.SUCCEEDED, ended_at=make.AT,
        execution_arn="arn:x", tag="v0.9.0", approved_by=["Ada", "Jo"], message="All is well.",
        publication=Publication(status="Published", url="https://github.example/r/v0.9.0", at=make.AT),
    )  # fmt: skip
    older = make.release("0001234", first_seen_at=make.AT - HOUR)
    newer = make.release(names=["v1.0.0"], named_at=make.AT).but(
        verified={"staging": Verified(deployment="D", digests=make.release().digests, at=make.AT)}
    )
    lost = timeline.event(
        runs, EventType.NOTIFICATION_FAILED, "the mail reached nobody", at=make.AT, new_id=world.new_id
    )  # fmt: skip
    world.put(state, runs, older, newer)
    world.store.write(lost)

    text = ageless(run("status", "scr", "production").stdout)

    assert "Published:  https://github.example/r/v0.9.0\nPrevious:   0000999\n" in text
    assert "Freeze:     frozen by jo until a person runs `ferryman thaw production -p scr`: fair\n" in text
    assert "Waiver:     scans of abc1234 until 2026-01-02 04:04 UTC, by user/jo: not reachable\n" in text
    assert "VERSION   TAGS     REASON   MESSAGE\nabc1234   v1.0.0   Frozen   abc1234 (tagged v1.0.0) is ready" in text
    assert "\nOther problems:\n" in text
    assert f"NotificationFailed   {PREV}   the mail reached nobody\n" in text

    headers, row = ageless(run("history", "production").stdout).splitlines()
    assert headers.endswith("APPROVED BY")
    assert row == f"{PREV}   0001234   v0.9.0   deploy   Succeeded   0s     AGE   push   Ada, Jo"


def test_old_notices_are_forgotten(run: Run, world: World) -> None:
    world.put(make.state(active=None, environment="production"))
    world.store.write(
        timeline.environment_event(
            "scr", "production", EventType.NOTIFICATION_FAILED, "x", at=make.AT, new_id=world.new_id, who="ferryman"
        )
    )
    assert len(json.loads(run("status", "scr", "production", "-o", "json").stdout)["notices"]) == 1

    world.clock.forward(days=8)

    assert json.loads(run("status", "scr", "production", "-o", "json").stdout)["notices"] == []


def test_watch_says_who_may_approve(run: Run, world: World, server: Server) -> None:
    awaiting(world)

    def decided() -> None:
        before = world.store.deployment("scr", "production", ID)
        done = {
            **before.steps,
            step_keys.APPROVAL: make.step("Aborted", reason="Rejected", message="Jo rejected it: no"),
        }
        world.put(
            before.but(phase=Phase.REJECTED, steps=done, message="Jo rejected it: no.", ended_at=make.AT),
            approval(status="Rejected", rev=1),
        )

    server.before = [lambda: None, decided]
    result = run("watch", "production", "-p", "scr", "--interval", "0.2", "--timeout", "30s")

    assert result.exit_code == 1
    assert result.stdout == (
        "    0s  scr/production abc1234 (v1.0.0)  AwaitingApproval\n"
        "    0s  approval  1 of 2 approvals (Ada), expires 2026-01-02 04:04 UTC\n"
        "    0s  approval  Can approve: Jo, with `ferryman approve production --release abc1234 -p scr`.\n"
        "    0s  planning and verification  Succeeded\n"
        "    0s  approval  Running\n"
        "    0s  scr/production abc1234 (v1.0.0)  Rejected\n"
        "    0s  approval  Aborted  Rejected\n"
        "Rejected after 0s: Jo rejected it: no.\n"
    )


def test_the_flow_names_approval_and_promotion(run: Run, world: World) -> None:
    awaiting(world)

    view = world.call("GET", f"/v1/platforms/scr/environments/production/deployments/{ID}")[1]

    assert [(step["kind"], step["status"]) for step in view["steps"]] == [
        ("begin", "Succeeded"),
        ("approval", "Running"),
        ("admit", "Pending"),
        ("promotion", "Pending"),
        ("rollout", "Pending"),
        ("rollout", "Pending"),
    ]
    assert "AQC-token" not in json.dumps(view)


@pytest.mark.parametrize("form", [Format.JSON, Format.TABLE])
def test_watching_shows_what_changed_and_nothing_twice(
    form: Format, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_INTERVAL", 0)
    looks = [
        {"ready": "True", "reconciledAt": "1"},
        {"ready": "True", "reconciledAt": "2"},
        {"ready": "False", "reconciledAt": "2"},
    ]

    def look() -> command.Look:
        if not looks:
            raise KeyboardInterrupt
        data = looks.pop(0)
        return data, lambda: print(data["ready"])

    with pytest.raises(typer.Exit) as ended:
        command._watch(look, form)
    assert ended.value.exit_code == 0
    lines = capsys.readouterr().out.splitlines()
    if form is Format.JSON:
        assert [json.loads(line)["ready"] for line in lines] == ["True", "False"]
    else:
        assert lines == ["True", "", "False"]


class TestName:
    """`status NAME`: an environment if exactly one has that name, else a platform."""

    def test_an_environment_comes_first(self, run: Run) -> None:
        assert run("status", "staging").stdout.startswith("Name:       scr/staging\n")

    def test_a_platform_is_shown_for_one_more_version(self, run: Run) -> None:
        former, now = run("status", "scr"), run("status", "-p", "scr")
        assert (former.exit_code, former.stdout) == (0, now.stdout)
        assert "run `ferryman status -p scr`" in former.stderr
        assert "ferryman status -p scr" not in now.stderr

    def test_so_are_both(self, run: Run) -> None:
        former, now = run("status", "scr", "staging"), run("status", "staging", "-p", "scr")
        assert (former.exit_code, former.stdout) == (0, now.stdout)
        assert "run `ferryman status staging -p scr`" in former.stderr

    def test_one_that_two_platforms_have_is_asked_for(self, run: Run, world: World) -> None:
        world.put(world.store.platform("scr").but(name="other", rev=0))
        told = run("status", "staging")
        assert told.exit_code == 2
        assert "`ferryman status staging -p scr`" in told.stderr
        assert run("status", "staging", "-p", "other").exit_code == 0
