"""Moving a scheduled task: once, every field as it was, whatever is lost, stale, changed by others or repeated."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import UpdateServiceOutput
from ferryman.decisions import outcome
from ferryman.decisions.deployment_report import way_back
from ferryman.errors import ClaimLost, NotItsTurn, NotVisibleYet, Throttled, Unavailable
from ferryman.records import Phase, PlannedTag, StepStatus, step_keys
from ferryman.store.step_writer import end
from ferryman.store.table import Store
from unit.ecs_world import NEW, OLD
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.events import CLUSTER, ecs_target
from unit.jobs_world import REPORT, UPLOAD, JobsWorld

BOTH = pytest.mark.parametrize(("job", "name"), [(REPORT, "report"), (UPLOAD, "upload")])


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> JobsWorld:
    made = JobsWorld(store, clock, new_id)
    made.pass_first_wave()
    return made


def image(definition: dict[str, Any], container: str = "app") -> str:
    return next(str(item["image"]) for item in definition["containerDefinitions"] if item["name"] == container)


def everything(world: JobsWorld) -> dict[str, Any]:
    """All that the schedule and the rule say, without when it was said."""
    schedule = {k: v for k, v in world.events.schedules["default", "nightly"].items() if k != "LastModificationDate"}
    targets = sorted(world.events.targets["default", "uploads"], key=lambda target: str(target["Id"]))
    return copy.deepcopy({"schedule": schedule, "rule": world.events.rules["default", "uploads"], "targets": targets})


def writes(world: JobsWorld) -> int:
    return world.events.calls["update_schedule"] + world.events.calls["put_targets"]


# ── forward ──


@BOTH
def test_a_job_moves_to_the_release_and_nothing_else_of_it_changes(world: JobsWorld, job: str, name: str) -> None:
    before = everything(world)
    assert world.update(job) == UpdateServiceOutput(verdict="Started", reason="Moved")
    assert image(world.runs(name)) == NEW
    assert image(world.runs(name), "aws-guardduty-agent") == "guardduty:1"
    after = everything(world)
    moved = after["schedule"]["Target"] if name == "report" else after["targets"][1]
    moved["EcsParameters"]["TaskDefinitionArn"] = world.before[name]
    assert after == before
    step = world.step(job)
    assert (step.status, step.reason) == (StepStatus.SUCCEEDED, "Moved")
    assert step.rollout is not None
    assert step.rollout.previous_task_definition == world.before[name]
    assert step.message == f"job {name}: runs {name}:2 from now on"


def test_every_field_of_a_schedule_is_kept(world: JobsWorld, clock: FakeClock) -> None:
    """UpdateSchedule resets what it is not given."""
    more = {
        "ScheduleExpression": "rate(15 minutes)",
        "ScheduleExpressionTimezone": "Europe/Vienna",
        "StartDate": clock() + timedelta(days=1),
        "EndDate": clock() + timedelta(days=9),
        "Description": "at night",
        "State": "DISABLED",
        "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 7},
        "ActionAfterCompletion": "DELETE",
    }
    world.events.new_schedule("nightly", world.before["report"], **more)
    world.update(REPORT)
    assert image(world.runs()) == NEW
    now = world.events.schedules["default", "nightly"]
    assert {field: now[field] for field in more} == more
    assert "is disabled, and stays so" in world.step(REPORT).message


def test_a_schedule_that_began_long_ago_is_moved(world: JobsWorld, clock: FakeClock) -> None:
    """AWS takes no StartDate that is more than five minutes past."""
    world.events.new_schedule("nightly", world.before["report"], StartDate=clock() - timedelta(days=90))
    assert world.update(REPORT).verdict == "Started"
    assert image(world.runs()) == NEW


@BOTH
def test_twice_changes_nothing_more(world: JobsWorld, job: str, name: str) -> None:
    first, step = world.update(job), world.step(job)
    assert world.update(job) == first
    assert world.step(job) == step
    assert (writes(world), world.ecs.calls["register_task_definition"]) == (1, 2)  # with that of api


@BOTH
@pytest.mark.parametrize("fault", ["lose_answer", "lose_request"])
def test_a_lost_write_leads_to_the_same(world: JobsWorld, job: str, name: str, fault: str) -> None:
    operation = "update_schedule" if name == "report" else "put_targets"
    getattr(world.events, fault)(operation)
    with pytest.raises(Unavailable):
        world.update(job)
    assert world.step(job).status is StepStatus.RUNNING
    assert world.update(job).reason == "Moved"
    assert image(world.runs(name)) == NEW
    # Where the first call worked, its result is adopted.
    assert world.events.calls[operation] == (1 if fault == "lose_answer" else 2)
    assert world.ecs.calls["register_task_definition"] == 2


@BOTH
def test_who_lost_the_claim_after_the_intent_changes_nothing(world: JobsWorld, job: str, name: str) -> None:
    operation = "update_schedule" if name == "report" else "put_targets"
    world.events.refuse(operation, "ThrottlingException")
    with pytest.raises(Throttled):
        world.update(job)
    world.lose_claim()
    with pytest.raises(ClaimLost):
        world.update(job)
    assert world.events.calls[operation] == 1
    assert image(world.runs(name)) != NEW


@pytest.mark.parametrize(
    ("job", "operation", "code"),
    [
        (REPORT, "get_schedule", "ThrottlingException"),
        (REPORT, "update_schedule", "ThrottlingException"),
        (REPORT, "update_schedule", "ConflictException"),
        (UPLOAD, "put_targets", "ConcurrentModificationException"),
        (UPLOAD, "list_targets_by_rule", "ThrottlingException"),
    ],
)
def test_what_passes_by_itself_is_tried_again(world: JobsWorld, job: str, operation: str, code: str) -> None:
    world.events.refuse(operation, code)
    with pytest.raises(Throttled):
        world.update(job)
    assert world.update(job).reason == "Moved"


@pytest.mark.parametrize(
    ("job", "operation", "code"),
    [
        (REPORT, "update_schedule", "ValidationException"),
        (REPORT, "update_schedule", "AccessDeniedException"),
        (UPLOAD, "put_targets", "ManagedRuleException"),
    ],
)
def test_a_refusal_is_an_error_of_ours_and_nothing_goes_back(
    world: JobsWorld, job: str, operation: str, code: str
) -> None:
    world.events.refuse(operation, code, "no")
    assert world.update(job) == UpdateServiceOutput(verdict="Failed", reason=code)
    assert world.step(job).status is StepStatus.ERRORED
    assert world.update(job, "back") == UpdateServiceOutput(verdict="Skipped", reason="Untouched")


@pytest.mark.parametrize("failed", [{}, {"TargetId": "task", "ErrorCode": "InternalFault", "ErrorMessage": "no"}])
def test_an_entry_that_failed_is_a_failure(world: JobsWorld, failed: dict[str, Any]) -> None:
    """PutTargets answers 200 although it did not take the target."""
    world.events.failed = failed
    assert world.update(UPLOAD).verdict == "Failed"
    assert world.step(UPLOAD).reason == (failed.get("ErrorCode") or "FailedEntry")
    assert image(world.runs("upload")) == OLD


def test_a_failed_entry_that_passes_by_itself_is_tried_again(world: JobsWorld) -> None:
    world.events.failed = {"TargetId": "task", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "busy"}
    with pytest.raises(Throttled):
        world.update(UPLOAD)
    world.events.failed = None
    assert world.update(UPLOAD).reason == "Moved"


def test_a_stale_read_after_the_write_is_no_success(world: JobsWorld) -> None:
    world.events.freeze_reads(3)
    with pytest.raises(NotVisibleYet):
        world.update(REPORT)
    assert world.update(REPORT).reason == "Moved"


def test_what_somebody_else_changes_meanwhile_stays(world: JobsWorld) -> None:
    """Between the first read and the write: their field stays, and only the task definition is ours."""

    def change() -> None:
        schedule = world.events.schedules["default", "nightly"]
        schedule["ScheduleExpression"] = "rate(1 hour)"
        schedule["Target"]["EcsParameters"]["TaskCount"] = 5
        world.events.before_read = None

    def first_read() -> None:
        world.events.before_read = change

    world.events.before_read = first_read
    world.update(REPORT)
    schedule = world.events.schedules["default", "nightly"]
    assert (schedule["ScheduleExpression"], schedule["Target"]["EcsParameters"]["TaskCount"]) == ("rate(1 hour)", 5)
    assert image(world.runs()) == NEW
    assert "somebody else changed its target" in world.step(REPORT).message


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        (lambda world: world.events.schedules.clear(), "JobMissing", "schedule default/nightly does not exist"),
        (
            lambda world: world.events.new_schedule("nightly", world.before["upload"]),
            "JobChanged",
            "now runs upload:1: somebody changed it meanwhile",
        ),
        (
            lambda world: world.events.new_schedule(
                "nightly", "", Target={"Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f", "RoleArn": "r"}
            ),
            "JobChanged",
            "does not run an ECS task",
        ),
        (
            lambda world: world.events.new_schedule(
                "nightly", "", Target=ecs_target(world.before["report"], Arn=CLUSTER.replace("staging", "other"))
            ),
            "JobChanged",
            "in cluster scr-other, and the environment is scr-staging",
        ),
    ],
    ids=["deleted", "another family", "no ECS target", "another cluster"],
)
def test_a_schedule_that_is_no_longer_the_planned_one(world: JobsWorld, change: Any, reason: str, said: str) -> None:
    change(world)
    assert world.update(REPORT) == UpdateServiceOutput(verdict="Failed", reason=reason)
    assert said in world.step(REPORT).message
    assert world.events.calls["update_schedule"] == 0


@pytest.mark.parametrize("how", ["EndDate", "at"])
def test_a_schedule_that_has_ended_is_left_alone(world: JobsWorld, clock: FakeClock, how: str) -> None:
    ended = clock() - timedelta(days=1)
    more = {"EndDate": ended} if how == "EndDate" else {"ScheduleExpression": f"at({ended:%Y-%m-%dT%H:%M:%S})"}
    world.events.new_schedule("nightly", world.before["report"], **more)
    assert world.update(REPORT) == UpdateServiceOutput(verdict="Skipped", reason="JobEnded")
    assert writes(world) == 0
    assert world.update(REPORT, "back").reason == "Untouched"


@pytest.mark.parametrize(
    ("zone", "hours", "reason"),
    [
        ("UTC", 1, "JobEnded"),
        ("UTC", -1, "Moved"),
        ("Pacific/Honolulu", 9, "Moved"),
        ("Pacific/Honolulu", 11, "JobEnded"),
        ("Of/AnotherPlanet", 11, "Moved"),
        ("Of/AnotherPlanet", 13, "JobEnded"),
    ],
)
def test_a_one_time_schedule_ends_by_its_own_clock(
    world: JobsWorld, clock: FakeClock, zone: str, hours: int, reason: str
) -> None:
    at = f"at({clock() - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S})"
    more = {"ScheduleExpression": at, "ScheduleExpressionTimezone": zone}
    world.events.new_schedule("nightly", world.before["report"], **more)
    assert world.update(REPORT).reason == reason


def test_a_job_waits_for_the_earlier_waves(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    world = JobsWorld(store, clock, new_id)
    assert world.update(REPORT) == UpdateServiceOutput(verdict="Stopped", reason="EarlierWaveFailed")
    assert world.answer(world.watch(REPORT)) == {"service": REPORT, "verdict": "Stopped", "reason": "EarlierWaveFailed"}


def test_a_release_without_its_image_leaves_it_alone(world: JobsWorld) -> None:
    jobs = {REPORT: world.planned()[REPORT].but(skip="NotInRelease")}
    world.claim("01K00000000000000000000NIR", waves=[[REPORT]], jobs=jobs)
    assert world.update(REPORT) == UpdateServiceOutput(verdict="Skipped", reason="NotInRelease")


def test_a_promoted_tag_that_moved_is_a_mismatch(world: JobsWorld) -> None:
    tag = PlannedTag(component="api", repository="scr-api", digest="sha256:new", tag="live")
    world.ecr.push("scr-api", "live", "sha256:else")
    jobs = {REPORT: world.planned()[REPORT]}
    world.claim("01K00000000000000000000MIS", waves=[[REPORT]], jobs=jobs, promotions=[tag])
    assert world.update(REPORT).reason == "DigestMismatch"


# ── the machine's next state ──


@BOTH
def test_there_is_nothing_to_watch(world: JobsWorld, job: str, name: str) -> None:
    world.update(job)
    assert world.answer(world.watch(job)) == {"service": job, "verdict": "Succeeded", "reason": "Moved"}
    assert list(world.store.waits(world.planned()[job].arn)) == []


def test_a_step_that_never_ended_is_no_success(world: JobsWorld) -> None:
    world.events.lose_answer("update_schedule")
    with pytest.raises(Unavailable):
        world.update(REPORT)
    answer = world.answer(world.watch(REPORT))
    assert answer is not None
    assert answer["verdict"] == "Errored"


# ── back ──


@BOTH
def test_going_back_restores_exactly_what_was_there(world: JobsWorld, job: str, name: str) -> None:
    before = everything(world)
    world.update(job)
    assert world.update(job, "back") == UpdateServiceOutput(verdict="Started", reason="MovedBack")
    assert everything(world) == before
    assert world.step(job, "back").message == f"job {name}: is back on {name}:1"
    assert world.deployment.phase is Phase.ROLLING_BACK
    assert world.answer(world.watch(job, "back")) == {"service": job, "verdict": "Succeeded", "reason": "MovedBack"}


def test_going_back_leaves_what_others_changed(world: JobsWorld) -> None:
    world.update(REPORT)
    schedule = world.events.schedules["default", "nightly"]
    schedule["State"] = "DISABLED"
    schedule["Target"]["Input"] = "{}"
    world.update(REPORT, "back")
    schedule = world.events.schedules["default", "nightly"]
    assert (schedule["State"], schedule["Target"]["Input"]) == ("DISABLED", "{}")
    assert image(world.runs()) == OLD
    assert "somebody else changed its target" in world.step(REPORT, "back").message


def test_a_stale_read_on_the_way_back_does_not_leave_the_new_revision(world: JobsWorld) -> None:
    """GetSchedule still tells of the time before the deployment, as if the job were back already."""
    stale = copy.deepcopy(world.events.schedules)
    world.update(REPORT)
    world.events._stale = [copy.deepcopy(stale), copy.deepcopy(stale)]
    world.update(REPORT, "back")
    assert image(world.runs()) == OLD


@pytest.mark.parametrize("fault", [None, "lose_answer", "lose_request"])
def test_a_job_whose_family_changed_goes_back_from_where_it_was_left(world: JobsWorld, fault: str | None) -> None:
    """The document names another family; a deployment moved the job there, errored, and left it."""
    good, base = world.before["report"], world.ecs.new_definition("nightly-report", OLD)
    left = world.ecs.new_definition("nightly-report", NEW)
    world.events.new_schedule("nightly", left)
    job = world.planned()[REPORT].but(
        base_task_definition=base, task_definition=left, stray=True, rollback_task_definition=good
    )
    world.claim("01K00000000000000000000FAM", waves=[["api"], ["web", REPORT]], jobs={REPORT: job})
    world.pass_first_wave()
    world.update(REPORT)
    if fault is not None:
        getattr(world.events, fault)("update_schedule")
        with pytest.raises(Unavailable):
            world.update(REPORT, "back")
    assert world.update(REPORT, "back") == UpdateServiceOutput(verdict="Started", reason="MovedBack")
    assert world.events.task_definition("nightly") == good
    assert way_back(world.deployment).not_back == ["api"], "the job is back"


def test_a_lost_answer_on_the_way_back_leads_to_the_same(world: JobsWorld) -> None:
    world.update(REPORT)
    world.events.lose_answer("update_schedule")
    with pytest.raises(Unavailable):
        world.update(REPORT, "back")
    assert world.update(REPORT, "back").reason == "MovedBack"
    assert image(world.runs()) == OLD


def test_a_lambda_that_died_after_its_write_is_taken_back(world: JobsWorld) -> None:
    world.events.lose_answer("update_schedule")
    with pytest.raises(Unavailable):
        world.update(REPORT)
    assert world.update(REPORT, "back").reason == "MovedBack"
    assert world.step(REPORT).reason == "NotJudged"
    assert image(world.runs()) == OLD


def test_a_deregistered_revision_is_registered_anew(world: JobsWorld) -> None:
    world.update(REPORT)
    world.ecs.deregister(world.before["report"])
    world.update(REPORT, "back")
    assert (image(world.runs()), world.runs()["status"]) == (OLD, "ACTIVE")


def test_a_deleted_revision_is_told(world: JobsWorld) -> None:
    world.update(REPORT)
    del world.ecs.definitions[world.before["report"]]
    assert world.update(REPORT, "back") == UpdateServiceOutput(verdict="Failed", reason="TargetMissing")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda world: world.events.schedules.clear(), "JobMissing"),
        (lambda world: world.events.new_schedule("nightly", world.before["upload"]), "JobChanged"),
    ],
)
def test_a_job_that_is_not_ours_any_more_does_not_fail_the_way_back(world: JobsWorld, change: Any, reason: str) -> None:
    world.update(REPORT)
    change(world)
    assert world.update(REPORT, "back") == UpdateServiceOutput(verdict="Skipped", reason=reason)
    back = way_back(world.deployment)
    assert REPORT in back.changed
    assert REPORT not in (*back.back, *back.not_back)


def test_hold_leaves_it_as_it_is(world: JobsWorld) -> None:
    world.claim_with_jobs("01K00000000000000000000HLD", on_failure="hold")
    world.pass_first_wave()
    world.update(REPORT)
    assert world.update(REPORT, "back") == UpdateServiceOutput(verdict="Skipped", reason="HoldPolicy")
    assert image(world.runs()) == NEW


# ── the outcome ──


def test_the_outcome_counts_jobs(world: JobsWorld) -> None:
    for job in (REPORT, UPLOAD):
        world.update(job)
    deployment = world.deployment
    passed = deployment.steps[step_keys.rollout("api", "forward")]
    others = ("begin_deployment", "admit_deployment", "migration", step_keys.rollout("web", "forward"), "smoke_test")
    steps = {**deployment.steps, **dict.fromkeys(others, passed)}
    judged = outcome.judge(deployment.but(steps=steps), None)
    assert judged.phase is Phase.SUCCEEDED
    assert "runs on 2 of 2 services and in 2 of 2 jobs" in judged.message
    without = {key: step for key, step in steps.items() if key != step_keys.rollout(UPLOAD, "forward")}
    assert outcome.judge(deployment.but(steps=without), None).phase is not Phase.SUCCEEDED


def test_a_job_that_is_not_back_is_a_failed_way_back(world: JobsWorld) -> None:
    world.update(REPORT)
    end(
        world.store,
        world.ref,
        step_keys.rollout("web", "forward"),
        lambda step: step.but(status=StepStatus.FAILED, reason="FailFast"),
        clock=world.clock,
        new_id=world.new_id,
    )
    judged = outcome.judge(world.deployment, None)
    assert judged.reason == "RollbackFailed"
    assert REPORT in judged.message


@pytest.mark.parametrize("phase", [Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK])
def test_what_is_not_approved_or_goes_back_registers_and_moves_nothing(world: JobsWorld, phase: Phase) -> None:
    world.set_phase(phase)
    registered = world.ecs.calls["register_task_definition"]
    with pytest.raises(NotItsTurn):
        world.update(REPORT)
    assert (world.ecs.calls["register_task_definition"] - registered, writes(world)) == (0, 0)
