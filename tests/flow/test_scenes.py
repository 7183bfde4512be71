"""The scenes of the demo: what a team sees."""

import itertools
from collections.abc import Callable

from ferryman.records import Deployment, Phase, Step, StepStatus, step_keys
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]


def test_images_pushed_in_mixed_order_end_verified(place: Make, stage: Stage) -> None:
    scr = place(("api", "gateway", "web"), migration=True, notify=["team", "ops-mail"])
    version = scr.push(components=("web", "api", "gateway"))
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    scr.runs(version)
    assert len(scr.migrations()) == 1
    ends = [(step.started_at, step.ended_at) for step in rollouts(scr, done)]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ends)), "waves overlap"
    assert [item["status"] for item in stage.executions(scr.name)] in (["SUCCEEDED"], ["RUNNING"])
    verified = scr.release(version)
    assert verified is not None
    assert verified.verified["staging"].digests == scr.digests[version]
    told = scr.api.get(scr.path())
    assert told["current"]["version"] == version
    for component in ("api", "gateway", "web"):
        for tag in ("staging-latest", "staging-current"):
            scr.until(
                lambda c=component, t=tag: scr.digest_of(c, t) == scr.digests[version][c], f"{tag} of {component}"
            )
    for channel in ("team", "ops-mail"):
        scr.until(lambda c=channel: (m := scr.message(done, c)) and m.sent_at, f"the message to {channel}")
    assert [version in mail["Subject"] for mail in stage.mails(f"{scr.name}@flow.example")] == [True]


def rollouts(scr: Place, done: Deployment) -> list[Step]:
    """The steps that bring the services forward, in the order of the document."""
    return [done.steps[step_keys.rollout(name, "forward")] for name in scr.services]


def test_a_failing_migration_stops_everything_before_a_service_changes(place: Make) -> None:
    scr = place(("api", "web"), migration=True, notify=["team"])
    version = scr.push(MIGRATION_EXIT="7")
    done = scr.ended(version)
    assert (done.phase, done.reason) == (Phase.FAILED, "NonZeroExit"), scr.tell()
    assert done.steps[step_keys.MIGRATION].migration.exit_code == 7
    assert scr.calls("UpdateService") == []
    scr.runs("bootstrap")
    message = scr.message(done)
    assert message is not None
    for text in (version, "code 7", "column orders.total exists already", "No service was changed"):
        assert text in message.text
    assert scr.state.settled[version].retry_at is None
    assert len(scr.migrations()) == 1


def test_a_crash_at_start_is_rolled_back_while_ecs_looks_stable(place: Make) -> None:
    scr = place(("api", "web"), notify=["team"])
    version = scr.version()
    scr.push_one("api", version, version)
    scr.push_one("web", version, version, CRASH="3")
    done = scr.ended(version)
    assert done.phase is Phase.ROLLED_BACK, scr.tell()
    scr.runs("bootstrap")
    for component in ("api", "web"):
        service = scr.service(component)
        stable = [item for item in service["deployments"] if item["rolloutState"] != "FAILED"]
        assert len(stable) == 1
        assert service["runningCount"] == service["desiredCount"]
        assert done.steps[step_keys.rollout(f"{scr.name}-{component}", "back")].status is StepStatus.SUCCEEDED
    back = [done.steps[step_keys.rollout(f"{scr.name}-{component}", "back")].started_at for component in ("web", "api")]
    assert back == sorted(back), "the last wave goes back first"
    assert done.steps[step_keys.rollout(f"{scr.name}-web", "forward")].status is StepStatus.FAILED
    message = scr.message(done)
    assert message is not None
    for text in ("code 3", "no database is named: giving up", "web"):
        assert text in message.text, message.text


def test_a_failed_smoke_test_is_rolled_back(place: Make) -> None:
    scr = place(("api", "web"), notify=["team"])
    good = scr.push()
    assert scr.ended(good).phase is Phase.SUCCEEDED, scr.tell()
    bad = scr.version()
    scr.push_one("api", bad, bad, TELLS="0000000")
    scr.push_one("web", bad, bad)
    done = scr.ended(bad)
    assert done.phase is Phase.ROLLED_BACK, scr.tell()
    assert done.steps[step_keys.SMOKE_TEST].status is StepStatus.FAILED
    scr.runs(good)
    message = scr.message(done)
    assert message is not None
    assert bad in message.text
    assert "0000000" in message.text
    assert scr.state.current.version == good


def test_of_three_quick_pushes_the_one_between_is_superseded(place: Make, stage: Stage) -> None:
    scr = place(("api", "web"))
    gate = scr.gate()
    first = scr.push(GATE=str(gate))
    scr.step(first, step_keys.rollout(f"{scr.name}-api", "forward"))
    between, last = scr.push(), scr.push()
    for version in (between, last):
        scr.until(lambda v=version: (r := scr.release(v)) and r.ready_at, f"release {version}")
    assert [item.version for item in scr.deployments()] == [first], "nothing starts while the first is on its way"
    gate.touch()
    assert scr.ended(first).phase is Phase.SUCCEEDED, scr.tell()
    assert scr.ended(last).phase is Phase.SUCCEEDED, scr.tell()
    skipped = scr.ended(between)
    assert (skipped.phase, skipped.superseded_by) == (Phase.SUPERSEDED, last)
    scr.runs(last)
    assert len(scr.deployments()) == 3
    assert len(stage.executions(scr.name)) == 2
