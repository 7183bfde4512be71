"""Pointing a service at a revision: once, whatever is lost, throttled, stale or run again."""

from typing import Any

import pytest

from ferryman.contracts import UpdateServiceOutput
from ferryman.decisions.deployment_report import way_back
from ferryman.errors import ClaimLost, InvalidInput, NotItsTurn, Throttled, Unavailable
from ferryman.records import Phase, PlannedImage, PlannedTag, StepStatus, step_keys
from ferryman.store.step_writer import end
from ferryman.store.table import Store
from unit.ecs_world import NEW, OLD, World
from unit.fakes.clock import FakeClock, FakeIds


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def image(definition: dict[str, Any], container: str = "app") -> str:
    return next(str(item["image"]) for item in definition["containerDefinitions"] if item["name"] == container)


def pass_step(world: World, service: str, status: StepStatus = StepStatus.SUCCEEDED) -> None:
    key = step_keys.rollout(service, "forward")
    end(world.store, world.ref, key, lambda step: step.but(status=status), clock=world.clock, new_id=world.new_id)


# ── forward ──


@pytest.mark.parametrize(
    ("operation", "code", "said"),
    [
        ("register_task_definition", "ClientException",
         "Too many concurrent attempts to create a new revision of the specified family."),
        ("update_service", "InvalidParameterException", "Unable to assume the service linked role."),
        ("update_service", "ClientException", "Rate exceeded"),
    ],
)  # fmt: skip
def test_a_refusal_that_passes_by_itself_is_tried_again_in_the_step(
    world: World, operation: str, code: str, said: str
) -> None:
    world.ecs.refuse(operation, code, said)
    with pytest.raises(Throttled, match=said[:20]):
        world.update()
    step = world.deployment.step(step_keys.rollout("api", "forward"))
    assert step is None or step.status is StepStatus.RUNNING
    assert world.update().verdict == "Started"


def test_forward_registers_by_digest_and_follows_the_new_deployment(world: World) -> None:
    assert world.update().verdict == "Started"
    made, progress = world.ecs.deployment("api"), world.step().rollout
    assert progress is not None
    assert image(world.definition()) == NEW
    assert image(world.definition(), "aws-guardduty-agent") == "guardduty:1"
    assert world.definition()["tags"] == [{"key": "team", "value": "scr"}]
    assert (made["taskDefinition"], made["id"]) == (progress.task_definition, progress.ecs_deployment)
    assert progress.previous_task_definition == world.old["api"]
    assert world.timeline() == ["StepStarted"]
    assert world.deployment.phase is Phase.RUNNING


def test_twice_changes_nothing_more(world: World) -> None:
    first, step = world.update(), world.step()
    assert world.update() == first
    assert world.step() == step
    assert (world.ecs.calls["update_service"], world.ecs.calls["register_task_definition"]) == (1, 1)


@pytest.mark.parametrize("kept", ["service", "family"])
def test_an_equal_revision_is_not_registered_again(world: World, kept: str) -> None:
    arn = world.ecs.new_definition("api", NEW, tags=[{"key": "team", "value": "scr"}])
    if kept == "service":
        world.ecs.new_service("api", arn)
        world.ecs.new_definition("api", "something:else")
    world.update()
    assert world.definition()["taskDefinitionArn"] == arn
    assert world.ecs.calls["register_task_definition"] == 0


@pytest.mark.parametrize("runs", [False, True], ids=["latest", "running"])
def test_a_deregistered_equal_revision_is_not_used(world: World, runs: bool) -> None:
    arn = world.ecs.new_definition("api", NEW, tags=[{"key": "team", "value": "scr"}])
    if runs:
        world.ecs.new_service("api", arn)
    world.ecs.deregister(arn)
    assert world.update().verdict == "Started"
    assert world.definition()["status"] == "ACTIVE"


def test_a_service_that_runs_the_release_already_is_only_judged(world: World) -> None:
    arn = world.ecs.new_definition("api", NEW, tags=[{"key": "team", "value": "scr"}])
    world.ecs.new_service("api", arn)
    assert world.update().verdict == "Started"
    assert world.ecs.calls["update_service"] == 0
    assert world.answer(world.watch()) == {"service": "api", "verdict": "Succeeded", "reason": "Completed"}


def test_a_deployment_that_ecs_gave_up_before_is_started_again(world: World) -> None:
    """A person's retry: PRIMARY is FAILED on just this revision, and an update without force would do nothing."""
    world.update()
    world.ecs.trip_breaker("api", roll_back=False)
    failed = world.ecs.deployment("api")["id"]
    world.claim("01K00000000000000000000TRY", automated=False)
    world.update()
    assert world.ecs.deployment("api")["id"] != failed
    assert world.step().rollout.ecs_deployment == world.ecs.deployment("api")["id"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "operation",
    ["register_task_definition", "update_service", "describe_services", "describe_task_definition"],
)
def test_a_lost_answer_leads_to_the_same(world: World, operation: str) -> None:
    world.ecs.lose_answer(operation)
    with pytest.raises(Unavailable):
        world.update()
    assert world.update().verdict == "Started"
    assert len(world.ecs.services["api"]["deployments"]) == 2
    assert world.step().rollout.ecs_deployment == world.ecs.deployment("api")["id"]  # type: ignore[union-attr]
    assert world.ecs.calls["register_task_definition"] == 1


def test_a_lost_update_is_not_sent_again(world: World) -> None:
    world.ecs.lose_answer("update_service")
    with pytest.raises(Unavailable):
        world.update()
    world.update()
    assert world.ecs.calls["update_service"] == 1


def test_a_stale_read_after_a_lost_update_makes_no_second_deployment(world: World) -> None:
    world.ecs.freeze_reads(2)
    world.ecs.lose_answer("update_service")
    with pytest.raises(Unavailable):
        world.update()
    world.update()
    assert len(world.ecs.services["api"]["deployments"]) == 2
    assert world.step().rollout.ecs_deployment == world.ecs.deployment("api")["id"]  # type: ignore[union-attr]


def test_a_lost_update_that_ecs_gave_up_meanwhile_is_followed_not_repeated(world: World) -> None:
    world.ecs.lose_answer("update_service")
    with pytest.raises(Unavailable):
        world.update()
    world.ecs.trip_breaker("api", roll_back=False)
    world.update()
    assert world.ecs.calls["update_service"] == 1
    assert world.answer(world.watch())["reason"] == "BreakerTripped"  # type: ignore[index]


def test_a_second_run_keeps_to_the_intent(world: World) -> None:
    """Terraform registers another revision between the two runs: the family's latest is no longer ours."""
    world.ecs.throttle("update_service")
    with pytest.raises(Throttled):
        world.update()
    intended = world.definition()["taskDefinitionArn"]
    world.ecs.new_definition("api", "terraform:base")
    world.update()
    assert world.ecs.deployment("api")["taskDefinition"] == intended
    assert world.ecs.calls["register_task_definition"] == 1


@pytest.mark.parametrize(
    "operation", ["register_task_definition", "update_service", "describe_services", "describe_task_definition"]
)
def test_throttling_is_raised_and_passes(world: World, operation: str) -> None:
    world.ecs.throttle(operation, 2)
    for _ in range(2):
        with pytest.raises(Throttled):
            world.update()
    assert world.update().verdict == "Started"


@pytest.mark.parametrize("crash", range(1, 3))
def test_a_crash_at_any_write_leads_to_the_same(world: World, crash: int) -> None:
    """Writes are: the intent, then the deployment's id."""
    with world.killed_at_write(crash):
        world.update()
    world.update()
    assert len(world.ecs.services["api"]["deployments"]) == 2
    assert world.step().rollout.ecs_deployment == world.ecs.deployment("api")["id"]  # type: ignore[union-attr]


def test_who_lost_the_claim_changes_nothing(world: World) -> None:
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.update()
    assert world.ecs.calls["update_service"] == 0


def test_who_lost_the_claim_after_the_intent_changes_nothing(world: World) -> None:
    world.ecs.throttle("update_service")
    with pytest.raises(Throttled):
        world.update()
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.update()
    assert world.ecs.calls["update_service"] == 1


# ── gates and skips ──


@pytest.mark.parametrize("status", [None, *StepStatus])
def test_the_next_wave_waits_for_all_of_the_earlier(world: World, status: StepStatus | None) -> None:
    if status is not None:
        world.come_to_rollouts()
        pass_step(world, "api", status)
    passed = status is not None and status.passed
    assert world.update("web").verdict == ("Started" if passed else "Stopped")
    assert (step_keys.rollout("web", "forward") in world.deployment.steps) == passed
    assert world.ecs.calls["update_service"] == (1 if passed else 0)


def test_services_of_one_wave_do_not_wait_for_each_other(world: World) -> None:
    world.claim("01K00000000000000000000ONE", waves=[["api", "web"]])
    assert world.update("web").verdict == "Started"


def test_abort_stops_before_anything_changes(world: World) -> None:
    world.abort()
    assert world.update().model_dump() == {"verdict": "Stopped", "reason": "AbortRequested"}
    assert step_keys.rollout("api", "forward") not in world.deployment.steps
    assert world.answer(world.watch()) == {"service": "api", "verdict": "Stopped", "reason": "AbortRequested"}


def test_abort_between_intent_and_update_stops_and_is_recorded(world: World) -> None:
    world.ecs.throttle("update_service")
    with pytest.raises(Throttled):
        world.update()
    world.abort()
    assert world.update().verdict == "Stopped"
    assert world.answer(world.watch())["verdict"] == "Aborted"  # type: ignore[index]
    assert world.ecs.deployment("api")["taskDefinition"] == world.old["api"]


@pytest.mark.parametrize(
    ("skip", "desired", "verdict"),
    [
        pytest.param("NotInRelease", 1, "Skipped", id="not-in-release"),
        pytest.param("ScaledToZero", 0, "Skipped", id="scaled-to-zero"),
        pytest.param(None, 0, "Skipped", id="scaled-to-zero-since-the-plan"),
        pytest.param("ScaledToZero", 1, "Started", id="scaled-up-since-the-plan"),
    ],
)
def test_skips(world: World, skip: Any, desired: int, verdict: str) -> None:
    world.replan("api", skip=skip)
    world.ecs.services["api"]["desiredCount"] = desired
    assert world.update().verdict == verdict
    assert world.ecs.calls["update_service"] == (0 if verdict == "Skipped" else 1)
    if verdict == "Skipped":
        reason = skip or "ScaledToZero"
        assert (world.step().status, world.step().reason) == (StepStatus.SKIPPED, reason)
        assert world.answer(world.watch()) == {"service": "api", "verdict": "Skipped", "reason": reason}
        assert world.update("web").verdict == "Started"


@pytest.mark.parametrize("skip", [None, "ScaledToZero"], ids=["planned", "skipped-by-the-plan"])
@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        pytest.param(
            "DAEMON",
            "api: it is a daemon, and no container instance of the cluster runs it, so it was left alone; register a "
            "container instance that meets its placement constraints and run `ferryman redeploy staging -p scr`",
            id="daemon",
        ),
        pytest.param(
            "REPLICA",
            "api: it is scaled to zero and was left alone; scale it up and run `ferryman redeploy staging -p scr`",
            id="replica",
        ),
    ],
)
def test_a_daemon_without_instances_is_not_told_to_be_scaled_up(
    world: World, skip: Any, strategy: str, told: str
) -> None:
    world.replan("api", skip=skip)
    world.ecs.services["api"].update(desiredCount=0, schedulingStrategy=strategy)
    assert world.update().model_dump() == {"verdict": "Skipped", "reason": "ScaledToZero"}
    assert world.step().message == told


# ── failures are verdicts ──


@pytest.mark.parametrize("operation", ["register_task_definition", "update_service", "describe_services"])
def test_a_refusal_is_recorded_and_leaves_nothing_to_take_back(world: World, operation: str) -> None:
    world.ecs.refuse(operation, "AccessDeniedException")
    assert world.update().model_dump() == {"verdict": "Failed", "reason": "AccessDeniedException"}
    assert world.step().status is StepStatus.ERRORED
    assert "AccessDeniedException" in world.step().message
    assert world.answer(world.watch())["verdict"] == "Errored"  # type: ignore[index]
    assert world.update(direction="back").reason == "Untouched"


@pytest.mark.parametrize("gone", ["deleted", "inactive"])
def test_a_service_that_is_gone(world: World, gone: str) -> None:
    if gone == "deleted":
        del world.ecs.services["api"]
    else:
        world.ecs.services["api"]["status"] = "INACTIVE"
    assert world.update().reason == "ServiceMissing"
    assert world.step().status is StepStatus.ERRORED


def test_a_container_that_is_not_there(world: World) -> None:
    world.replan("api", container="server")
    assert world.update().reason == "VerificationFailed"
    assert "'server'" in world.step().message
    assert "aws-guardduty-agent, app" in world.step().message


def test_an_unknown_service_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput):
        world.update("mail")


# ── back ──


def test_back_goes_to_the_last_good_revision_and_turns_the_phase_once(world: World) -> None:
    world.roll_out("api")
    world.update("web")
    assert world.update("web", "back").verdict == "Started"
    assert world.update("api", "back").verdict == "Started"
    assert world.ecs.deployment("api")["taskDefinition"] == world.old["api"]
    assert world.deployment.phase is Phase.ROLLING_BACK
    assert world.timeline().count("RollingBack") == 1
    assert world.roll_out("api", "back") == {"service": "api", "verdict": "Succeeded", "reason": "Completed"}


def test_back_twice_updates_once(world: World) -> None:
    world.roll_out("api")
    world.ecs.calls.clear()
    world.update("api", "back")
    world.update("api", "back")
    assert world.ecs.calls["update_service"] == 1


def test_back_leaves_untouched_services_alone(world: World) -> None:
    world.update("api")
    assert world.update("web", "back").model_dump() == {"verdict": "Skipped", "reason": "Untouched"}
    assert world.answer(world.watch("web", "back")) == {"service": "web", "verdict": "Skipped", "reason": "Untouched"}
    assert world.deployment.phase is Phase.RUNNING


def test_back_takes_along_what_an_earlier_deployment_left_astray(world: World) -> None:
    world.roll_out("api")
    world.roll_out("web")
    world.claim("01K00000000000000000000WAY")
    world.replan("web", stray=True)
    assert world.update("web", "back").reason == "Untouched", "as long as nothing was changed, nothing goes back"
    world.roll_out("api")
    assert world.update("web", "back").verdict == "Started"
    assert world.ecs.deployment("web")["taskDefinition"] == world.old["web"]
    assert world.roll_out("web", "back") == {"service": "web", "verdict": "Succeeded", "reason": "Completed"}


def test_back_takes_along_a_stray_that_is_scaled_to_zero(world: World) -> None:
    """Nothing of it has to run before it counts as back, and scaled up again it runs no release that failed."""
    world.roll_out("api")
    world.roll_out("web")
    world.claim("01K00000000000000000000WAY")
    world.ecs.services["web"]["desiredCount"] = 0
    world.replan("web", stray=True, skip="ScaledToZero")
    world.roll_out("api")
    world.update("web")
    assert world.step("web").reason == "ScaledToZero"
    assert world.update("web", "back").verdict == "Started"
    assert world.ecs.deployment("web")["taskDefinition"] == world.old["web"]
    world.ecs.complete("web")
    said = world.answer(world.watch("web", "back"))
    assert said == {"service": "web", "verdict": "Succeeded", "reason": "ScaledToZero"}
    world.roll_out("api", "back")
    assert way_back(world.deployment).back == ["api", "web"]


@pytest.mark.parametrize(
    ("plan", "service", "reason"),
    [
        pytest.param({"on_failure": "hold"}, {}, "HoldPolicy", id="hold"),
        pytest.param({}, {"rollback_task_definition": None}, "NoTarget", id="first-deployment"),
    ],
)
def test_back_without_a_way(world: World, plan: Any, service: Any, reason: str) -> None:
    world.claim("01K00000000000000000000WAY", **plan)
    world.replan("api", **service)
    world.roll_out("api")
    assert world.update("api", "back").model_dump() == {"verdict": "Skipped", "reason": reason}
    assert world.deployment.phase is Phase.RUNNING
    assert world.ecs.calls["update_service"] == 1


def test_back_is_not_stopped_by_an_abort(world: World) -> None:
    world.roll_out("api")
    world.abort()
    assert world.update("api", "back").verdict == "Started"
    assert world.roll_out("api", "back")["verdict"] == "Succeeded"  # type: ignore[index]


def test_back_follows_what_the_breaker_did(world: World) -> None:
    world.update()
    world.ecs.trip_breaker("api")
    world.watch()
    assert world.update("api", "back").verdict == "Started"
    assert world.ecs.calls["update_service"] == 1
    assert world.answer(world.watch("api", "back"))["verdict"] == "Succeeded"  # type: ignore[index]


def test_back_is_not_fooled_by_a_stale_read(world: World) -> None:
    """Just after the update a stale read shows the old revision PRIMARY: as if ECS were back already."""
    world.ecs.freeze_reads(2)
    world.update()
    world.update("api", "back")
    assert world.ecs.deployment("api")["taskDefinition"] == world.old["api"]


def test_back_registers_a_deregistered_target_anew(world: World) -> None:
    world.roll_out("api")
    world.ecs.deregister(world.old["api"])
    assert world.update("api", "back").verdict == "Started"
    definition = world.definition("api", "back")
    assert (definition["status"], image(definition)) == ("ACTIVE", OLD)
    assert world.roll_out("api", "back")["verdict"] == "Succeeded"  # type: ignore[index]


def test_back_to_a_deleted_target_fails(world: World) -> None:
    world.roll_out("api")
    del world.ecs.definitions[world.old["api"]]
    assert world.update("api", "back").model_dump() == {"verdict": "Failed", "reason": "TargetMissing"}
    assert world.answer(world.watch("api", "back"))["verdict"] == "Failed"  # type: ignore[index]


def test_back_closes_a_step_that_nobody_judged(world: World) -> None:
    world.update()
    world.update("api", "back")
    assert (world.step().status, world.step().reason) == (StepStatus.ERRORED, "NotJudged")


def test_back_closes_a_step_that_nobody_judged_even_where_nothing_goes_back(world: World) -> None:
    world.claim("01K00000000000000000000WAY", on_failure="hold")
    world.update()
    world.update("api", "back")
    assert (world.step().status, world.step().reason) == (StepStatus.ERRORED, "NotJudged")


def test_a_lost_answer_on_the_way_back(world: World) -> None:
    world.roll_out("api")
    world.ecs.lose_answer("update_service")
    with pytest.raises(Unavailable):
        world.update("api", "back")
    world.update("api", "back")
    assert world.ecs.calls["update_service"] == 2  # one forward, one back
    assert world.step("api", "back").rollout.ecs_deployment == world.ecs.deployment("api")["id"]  # type: ignore[union-attr]


# ── promoted images ──


def promoted(world: World, tags_at: dict[str, str]) -> None:
    """The deployment promoted api; its tag points there now, or elsewhere."""
    tag = PlannedTag(component="api", repository="scr-api", digest="sha256:new", tag="production-latest")
    world.claim("01K00000000000000000000PRO", promotions=[tag])
    world.ecr.images["scr-api"] = {digest: {"manifest": "{}", "media": "", "at": None} for digest in tags_at.values()}
    world.ecr.tags["scr-api"] = dict(tags_at)


def test_a_promoted_tag_that_points_there_still_lets_the_service_go(world: World) -> None:
    promoted(world, {"production-latest": "sha256:new"})
    assert world.update().verdict == "Started"
    assert world.ecr.calls == ["DescribeImages"]


@pytest.mark.parametrize("tags", [{"production-latest": "sha256:other"}, {}], ids=["moved", "gone"])
def test_one_that_was_moved_stops_before_the_service_changes(world: World, tags: dict[str, str]) -> None:
    promoted(world, tags)
    assert world.update() == UpdateServiceOutput(verdict="Failed", reason="DigestMismatch")
    assert world.ecs.calls["update_service"] == 0
    assert "scr-api:production-latest" in world.step().message
    assert world.step().rollout.task_definition is None  # type: ignore[union-attr]
    assert world.update("web", "back") == UpdateServiceOutput(verdict="Skipped", reason="Untouched")


def test_one_that_was_moved_after_a_crash_is_taken_back(world: World) -> None:
    promoted(world, {"production-latest": "sha256:new"})
    world.ecs.lose_answer("update_service")
    with pytest.raises(Unavailable):
        world.update()
    world.ecr.tags["scr-api"]["production-latest"] = "sha256:other"
    world.ecr.images["scr-api"]["sha256:other"] = {"manifest": "{}", "media": "", "at": None}
    assert world.update().reason == "DigestMismatch"
    assert world.update(direction="back").verdict == "Started"


def test_the_way_back_and_components_that_were_not_promoted_look_at_no_tag(world: World) -> None:
    promoted(world, {"production-latest": "sha256:new"})
    world.update()
    world.ecr.calls.clear()
    world.update(direction="back")
    assert world.ecr.calls == []


def test_where_nothing_is_promoted_ecr_is_not_asked(world: World) -> None:
    world.update()
    assert world.ecr.calls == []


# ── several containers and components ──


def test_all_containers_of_the_image_move_in_one_revision_and_one_update(world: World) -> None:
    base = world.ecs.new_definition("api", OLD, {"init": OLD, "worker": OLD, "edge": "registry.example/web:old"})
    edge = PlannedImage(component="web", containers=["edge"], image="registry.example/web@sha256:edge", digest="x")
    world.replan("api", base_task_definition=base, containers=["app", "init", "worker"], additional=[edge])
    assert world.update().verdict == "Started"
    images = {item["name"]: item["image"] for item in world.definition()["containerDefinitions"]}
    assert images == {
        "aws-guardduty-agent": "guardduty:1", "app": NEW, "init": NEW, "worker": NEW,
        "edge": "registry.example/web@sha256:edge",
    }  # fmt: skip
    assert (world.ecs.calls["register_task_definition"], world.ecs.calls["update_service"]) == (1, 1)


def test_a_plan_of_the_version_before_changes_the_named_container_alone(world: World) -> None:
    base = world.ecs.new_definition("api", OLD, {"worker": OLD})
    world.replan("api", base_task_definition=base)
    world.update()
    images = {item["name"]: item["image"] for item in world.definition()["containerDefinitions"]}
    assert (images["app"], images["worker"]) == (NEW, OLD)


def test_the_promoted_tag_of_an_additional_component_counts_too(world: World) -> None:
    promoted(world, {"production-latest": "sha256:other"})
    world.replan("web", additional=[PlannedImage(component="api", containers=["edge"], image="x")])
    world.replan("api", skip="NotInRelease")
    world.update()
    assert world.update("web") == UpdateServiceOutput(verdict="Failed", reason="DigestMismatch")


# ── only in its turn ──


@pytest.mark.parametrize("phase", [Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK])
def test_what_is_not_approved_or_goes_back_registers_and_updates_nothing(world: World, phase: Phase) -> None:
    world.come_to_rollouts()
    world.set_phase(phase)
    with pytest.raises(NotItsTurn):
        world.update()
    assert (world.ecs.calls["register_task_definition"], world.ecs.calls["update_service"]) == (0, 0)


def test_a_late_call_of_a_rollout_that_began_changes_nothing_once_the_deployment_goes_back(world: World) -> None:
    world.ecs.throttle("update_service")
    with pytest.raises(Throttled):
        world.update()
    world.set_phase(Phase.ROLLING_BACK)
    with pytest.raises(NotItsTurn, match="is RollingBack"):
        world.update()
    assert world.ecs.calls["update_service"] == 1


def test_a_service_is_not_taken_back_by_a_deployment_that_has_ended(world: World) -> None:
    world.roll_out()
    world.set_phase(Phase.SUCCEEDED)
    with pytest.raises(NotItsTurn, match="is Succeeded"):
        world.update(direction="back")
    assert world.ecs.calls["update_service"] == 1


class TestBackToATag:
    """The adopted task definition names a tag, which may have moved since: a way back goes to what ran."""

    RAN = f"sha256:{'7' * 64}"

    @pytest.fixture
    def tagged(self, world: World) -> str:
        arn = world.ecs.new_definition("api", "registry.example/api:production-latest")
        world.claim("01K00000000000000000000TAG")
        world.replan("api", rollback_task_definition=arn, rollback_digests={"app": self.RAN})
        world.roll_out("api")
        return arn

    def test_registers_what_ran_by_digest(self, world: World, tagged: str) -> None:
        world.update("api", "back")
        definition = world.definition("api", "back")
        image = next(item["image"] for item in definition["containerDefinitions"] if item["name"] == "app")
        assert image == f"registry.example/api@{self.RAN}"
        assert definition["taskDefinitionArn"] != tagged
        assert world.ecs.deployment("api")["taskDefinition"] == definition["taskDefinitionArn"]

    def test_twice_registers_once(self, world: World, tagged: str) -> None:
        world.ecs.calls.clear()
        world.ecs.lose_answer("update_service")
        with pytest.raises(Unavailable):
            world.update("api", "back")
        world.update("api", "back")
        assert world.ecs.calls["register_task_definition"] == 1

    @pytest.mark.parametrize(
        ("digest", "reason"), [(RAN, "Completed"), (f"sha256:{'8' * 64}", "WrongImage")], ids=["what-ran", "another"]
    )
    def test_is_checked_as_on_the_way_forward(self, world: World, tagged: str, digest: str, reason: str) -> None:
        world.update("api", "back")
        world.ecs.complete("api", digest)
        assert world.answer(world.watch("api", "back"))["reason"] == reason  # type: ignore[index]
