"""A second tag on the same images while the first deployment runs, or after it: they are not deployed a second time."""

import json

import pytest

from ferryman.contracts import FinishDeploymentInput
from ferryman.decisions.explain.environment import explain
from ferryman.decisions.outcome import Judgement
from ferryman.decisions.requests.retry import request_retry
from ferryman.records import Phase, Release, Request
from ferryman.records.writes import Save
from ferryman.steps import record_outcome
from ferryman.steps.finish_deployment import finish
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World, document

V1, V2, V3, V4, V5 = (f"aaaaaaa{number}" for number in range(1, 6))


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    world.run_services()
    for name in ("prod-api", "prod-web"):
        world.ecs.new_service(name, world.ecs.new_definition(name, f"registry.example/{name}:old"))
    world.apply(document(production={"approval": None, "triggers": ["tag", "manual"]}))
    return world


def retag(world: World, version: str, again: str) -> Release:
    """Put a second version tag on all images of a release."""
    for component in ("api", "web"):
        world.receive(world.tag(component, version, again))
    found = world.store.release("scr", again)
    assert found is not None
    assert found.digests == world.store.release("scr", version).digests  # type: ignore[union-attr]
    return found


def nudge(world: World, environment: str = "staging") -> None:
    body = json.dumps({"platform": "scr", "environment": environment})
    assert world.wake({"Records": [{"messageId": "1", "body": body}]}) == {"batchItemFailures": []}


def end(world: World, environment: str = "staging", *, phase: Phase = Phase.SUCCEEDED) -> None:
    active = world.store.state("scr", environment).active
    assert active is not None
    assert active.execution_arn is not None
    ref = FinishDeploymentInput(
        platform="scr", environment=environment, deployment=active.deployment, fence=active.fence
    )
    plan = make.plan()
    world.store.update_deployment(ref, lambda it: it.but(phase=Phase.RUNNING, plan=plan, steps=make.passed()))
    world.clock.forward(seconds=30)
    world.states.end(active.execution_arn, "SUCCEEDED", world.clock())
    if phase is Phase.SUCCEEDED:
        finish(ref, store=world.store, clock=world.clock, new_id=world.new_id, count=lambda name: None)
    else:
        judgement = Judgement(phase, "Because", "It did.")
        record_outcome.record(ref, judgement, store=world.store, clock=world.clock, new_id=world.new_id)
    world.clock.forward(minutes=2)
    nudge(world, environment)


def told(world: World, environment: str = "staging") -> list[tuple[str, str]]:
    found = world.store.deployments("scr", environment, limit=500)[::-1]
    return [(item.version, str(item.phase)) for item in found]


def deploy(world: World, version: str) -> None:
    world.release(version)
    nudge(world)
    end(world)


def reasons(world: World, environment: str = "staging") -> list[tuple[str, str, str]]:
    """What explain says about releases that do not run."""
    state, deployments = (
        world.store.state("scr", environment),
        world.store.deployments("scr", environment),
    )
    found = explain(world.document, state, world.store.releases("scr"), deployments, world.clock())
    return [(item.version, str(item.reason), item.message) for item in found.newer]


def status(world: World) -> tuple[str, str]:
    """What the condition says that `ferryman status` shows."""
    ready = world.state.condition("Ready")
    assert ready is not None
    return ready.reason, ready.message


def headline(world: World) -> tuple[str, str]:
    deployments = world.store.deployments("scr", "staging")
    found = explain(world.document, world.state, world.store.releases("scr"), deployments, world.clock())
    return found.summary, found.headline


def lines(world: World, environment: str = "staging") -> list[str]:
    return [line.message for line in world.store.timeline(f"scr#{environment}") if "same images" in line.message]


def test_during_the_first_deployment(world: World) -> None:
    world.release(V1)
    nudge(world)
    retag(world, V1, V2)
    nudge(world)
    _, (version, reason, message) = sorted(reasons(world))
    assert (version, reason) == (V2, "SameImages")
    assert message == f"{V2} has the same images as {V1}, which is being deployed, so it is not deployed after that."
    end(world)
    assert told(world) == [(V1, "Succeeded")]
    assert [(version, reason) for version, reason, _ in reasons(world)] == [(V2, "SameImages")]
    assert world.state.active is None
    (line,) = lines(world)
    assert line.startswith(f"{V2} has the same images as {V1}, which is running")
    assert "ferryman redeploy staging" in line
    assert status(world) == ("UpToDate", f"{V1} is running; {V2} has the same images.")
    assert headline(world) == ("UpToDate", f"runs {V1}; {V2} has the same images as {V1}")
    for _ in range(3):
        world.sweep()
    assert told(world) == [(V1, "Succeeded")]
    assert len(lines(world)) == 1


def test_after_it_succeeded(world: World) -> None:
    deploy(world, V1)
    retag(world, V1, V2)
    nudge(world)
    world.sweep()
    assert told(world) == [(V1, "Succeeded")]
    # What comes next comes as always.
    deploy(world, V3)
    assert told(world)[-1] == (V3, "Succeeded")


def test_a_new_tag_on_old_images_makes_no_newest_release(world: World) -> None:
    """Whoever may push could take the environment back with it, as if it were new."""
    deploy(world, V1)
    deploy(world, V2)
    retag(world, V1, V3)
    nudge(world)
    world.sweep()
    assert told(world) == [(V1, "Succeeded"), (V2, "Succeeded")]
    why = (
        f"{V3} has the same images as {V1}, which is older than {V2}, so it does not become the newest release; to go "
        f"back to it, run `ferryman deploy staging --release {V3} --confirm DEPLOY -p scr`"
    )
    assert [item for item in reasons(world) if item[0] == V3] == [(V3, "SameImages", f"{why}.")]
    assert lines(world) == [why]
    assert any(why in message.text for message in world.store.unsent())
    assert status(world) == ("UpToDate", f"{V2} is running; {V3} has the same images as {V1}, which is older.")
    assert headline(world) == ("UpToDate", f"runs {V2}; {V3} has the same images as {V1}")
    third = world.store.release("scr", V3)
    assert third is not None
    assert third.verified == {}, "a proof of the old images would take it to production"
    # What comes next comes as always, also with one component as it was, or with nothing but another commit.
    for component in ("api", "web"):
        world.receive(world.tag(component, V2, V4))
    nudge(world)
    assert told(world)[-1] == (V2, "Succeeded"), "the same images as the newest: nothing to do"
    deploy(world, V5)
    assert told(world)[-1] == (V5, "Succeeded")


def test_a_person_may_go_back_to_old_images(world: World) -> None:
    deploy(world, V1)
    deploy(world, V2)
    retag(world, V1, V3)
    nudge(world)
    state = world.state.but(requested=Request(version=V3, kind="deploy", reason="back", who="jo", at=world.clock()))
    world.store.write(Save(state))
    nudge(world)
    end(world)
    assert told(world)[-1] == (V3, "Succeeded")
    # Now it is the newest, and the images that it replaced are the old ones.
    retag(world, V2, V4)
    nudge(world)
    assert told(world)[-1] == (V3, "Succeeded")
    assert (V4, "SameImages") in [(version, reason) for version, reason, _ in reasons(world)]


def test_old_images_under_a_new_name_hold_up_nothing(world: World) -> None:
    """What waits between the old release and its new name goes on."""
    deploy(world, V1)
    deploy(world, V2)
    world.release(V4)
    retag(world, V1, V3)
    nudge(world)
    end(world)
    assert told(world)[-1] == (V4, "Succeeded")


@pytest.mark.parametrize("phase", [Phase.REJECTED, Phase.FAILED, Phase.ROLLED_BACK, Phase.EXPIRED])
@pytest.mark.parametrize("when", ["before", "after"])
def test_another_name_is_no_way_around_how_it_ended(world: World, phase: Phase, when: str) -> None:
    deploy(world, V1)
    world.release(V2)
    nudge(world)
    if when == "before":
        retag(world, V2, V3)
    end(world, phase=phase)
    if when == "after":
        retag(world, V2, V3)
    nudge(world)
    world.sweep()
    assert told(world) == [(V1, "Succeeded"), (V2, str(phase))]
    (line,) = lines(world)
    assert f"{V3} has the same images as {V2}, which ended {phase} (Because)" in line
    assert world.condition("Ready") == ("False", str(phase))
    assert headline(world) == ("Settled", f"runs {V1}; {V3} has the same images as {V2}, which ended {phase}")
    assert any("same images" in message.text for message in world.store.unsent())


def test_a_person_can_deploy_what_was_rejected_under_another_name(world: World) -> None:
    deploy(world, V1)
    world.release(V2)
    nudge(world)
    end(world, phase=Phase.REJECTED)
    retag(world, V2, V3)
    nudge(world)
    outcome = request_retry(
        world.state, world.store.releases("scr"), version=V3, reason="now", lift_hold=False, who="ada",
        at=world.clock(),
    )  # fmt: skip
    assert outcome.state is not None
    world.store.write(Save(outcome.state))
    nudge(world)
    end(world)
    assert told(world)[-1] == (V3, "Succeeded")


def test_what_people_left_by_a_rollback_does_not_come_back_under_another_name(world: World) -> None:
    deploy(world, V1)
    deploy(world, V2)
    back = Request(version=V1, kind="rollback", reason="bad", who="ada", at=world.clock())
    world.store.write(Save(world.state.but(requested=back)))
    nudge(world)
    end(world)
    retag(world, V2, V3)
    nudge(world)
    world.sweep()
    assert told(world) == [(V1, "Succeeded"), (V2, "Succeeded"), (V1, "Succeeded")]
    assert "(LeftByRollback)" in lines(world)[0]


def test_a_person_goes_back_to_a_release_whose_images_have_another_name(world: World) -> None:
    deploy(world, V1)
    retag(world, V1, V3)
    nudge(world)
    deploy(world, V2)
    back = Request(version=V1, kind="rollback", reason="bad", who="ada", at=world.clock())
    world.store.write(Save(world.state.but(requested=back)))
    nudge(world)
    end(world)
    assert world.state.current.version == V1  # type: ignore[union-attr]
    assert told(world)[-1] == (V1, "Succeeded")


def test_a_person_can_deploy_it_again(world: World) -> None:
    deploy(world, V1)
    retag(world, V1, V2)
    nudge(world)
    again = Request(version=V1, kind="redeploy", reason="because", who="ada", at=world.clock())
    world.store.write(Save(world.state.but(requested=again)))
    nudge(world)
    end(world)
    assert told(world) == [(V1, "Succeeded"), (V1, "Succeeded")]


def test_after_a_failure_the_images_of_what_ran_come_back_with_a_person_only(world: World) -> None:
    deploy(world, V1)
    world.release(V2)
    nudge(world)
    end(world, phase=Phase.FAILED)
    retag(world, V1, V3)
    nudge(world)
    assert world.state.active is None
    assert [reason for version, reason, _ in reasons(world) if version == V3] == ["SameImages"]


def test_the_proof_of_the_first_name_holds_for_the_second(world: World) -> None:
    """Production waits for no second deployment in staging, which never comes."""
    deploy(world, V1)
    retag(world, V1, V2)
    nudge(world)
    for component in ("api", "web"):
        world.receive(world.tag(component, V2, "v1.0.0"))
    first, second = (world.store.release("scr", version) for version in (V1, V2))
    assert first is not None
    assert second is not None
    assert second.verified == first.verified
    nudge(world, "production")
    assert [version for version, _ in told(world, "production")] in ([V1], [V2])
    end(world, "production")
    for component in ("api", "web"):
        world.receive(world.tag(component, V2, "v1.0.1"))
    nudge(world, "production")
    world.sweep()
    assert len(told(world, "production")) == 1


def test_a_second_semver_tag_on_one_release_starts_nothing(world: World) -> None:
    deploy(world, V1)
    world.name(V1, "v1.0.0")
    nudge(world, "production")
    world.name(V1, "v1.0.1")
    nudge(world, "production")
    end(world, "production")
    world.name(V1, "v1.0.2")
    nudge(world, "production")
    world.sweep()
    assert told(world, "production") == [(V1, "Succeeded")]
