"""ECS as it is: slow to tell, throttling, losing answers, changed by others while we deploy."""

import copy
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ferryman.contracts import DeploymentRef
from ferryman.records import Phase, Step, StepStatus, step_keys
from ferryman.store.step_writer import amend
from flow.documents import ENVIRONMENT
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]


def forward(scr: Place, component: str = "api") -> str:
    """Key of the step that brings a service forward."""
    return step_keys.rollout(f"{scr.name}-{component}", "forward")


def updates(scr: Place, since: float = 0.0) -> list[str]:
    """Task definitions that the operator asked ECS to update the service to."""
    return [request.arguments["taskDefinition"] for request in scr.calls("UpdateService", since)]


def test_a_new_deployment_that_ecs_does_not_list_yet_is_waited_for(shared: Make, stage: Stage) -> None:
    scr = shared()
    scr.runs(scr.running)
    before = scr.service()
    since = time.monotonic()
    hidden: list[str] = []

    def earlier(answer: dict[str, Any]) -> dict[str, Any]:
        """The service as it was, the first four times that it is something else."""
        primary = next(item for item in answer["services"][0]["deployments"] if item["status"] == "PRIMARY")
        if primary["id"] == before["deployments"][0]["id"] or len(hidden) >= 4:
            return answer
        hidden.append(primary["id"])
        return {**answer, "services": [copy.deepcopy(plain(before))]}

    stage.proxy.fault("stale", service="ecs", action="DescribeServices", times=None, match=scr.mine, transform=earlier)
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    assert len(hidden) == 4
    assert len(updates(scr, since)) == 1
    scr.runs(version)


def test_rollouts_are_found_done_when_no_ecs_event_comes(shared: Make, stage: Stage) -> None:
    scr = shared()
    lost = stage.relay.disturb(lambda event: event["source"] == "aws.ecs" and scr.concerns(event), "drop")
    version = scr.push()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    assert lost.hits > 0
    scr.runs(version)


@pytest.mark.parametrize("times", [1, 3], ids=["once", "more often than the client tries"])
def test_an_update_whose_answer_is_lost_makes_one_ecs_deployment(shared: Make, stage: Stage, times: int) -> None:
    scr = shared()
    scr.runs(scr.running)
    since = time.monotonic()
    lost = stage.proxy.fault("lost_response", service="ecs", action="UpdateService", times=times, match=scr.mine)
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    assert lost.hits == times
    assert len(set(updates(scr, since))) == 1
    definition = done.steps[forward(scr)].rollout.task_definition
    assert len([task for task in scr.tasks(f"{scr.name}-api") if task["taskDefinitionArn"] == definition]) == 1
    assert done.steps[forward(scr)].rollout.ecs_deployment == scr.primary()["id"]
    scr.runs(version)


def test_a_deployment_survives_seconds_in_which_ecs_throttles_every_call(shared: Make, stage: Stage) -> None:
    scr = shared(migration=True)
    scr.runs(scr.running)
    throttled = stage.proxy.fault("throttle", service="ecs", action="*", times=None, lasting=4.0)
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    assert throttled.hits >= 4
    assert len(scr.deployments(version)) == 1
    scr.runs(version)


def test_autoscaling_in_the_middle_of_a_rollout_keeps_its_say(shared: Make, stage: Stage) -> None:
    scr = shared()
    since = time.monotonic()
    gate = scr.gate()
    version = scr.push(GATE=str(gate))
    scr.until(lambda: scr.calls("UpdateService", since), "the update")
    scr.step(version, forward(scr))
    scr.ecs.update_service(cluster=scr.cluster, service=f"{scr.name}-api", desiredCount=2)
    gate.touch()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    scr.runs(version)
    assert scr.service()["desiredCount"] == 2
    assert all("desiredCount" not in request.arguments for request in scr.calls("UpdateService", since))
    scr.ecs.update_service(cluster=scr.cluster, service=f"{scr.name}-api", desiredCount=1)


def test_a_service_scaled_to_zero_is_left_alone_and_proves_nothing(place: Make, stage: Stage) -> None:
    scr = place()
    scr.ecs.update_service(cluster=scr.cluster, service=f"{scr.name}-api", desiredCount=0)
    scr.until(lambda: scr.service()["runningCount"] == 0, "no task")
    since = time.monotonic()
    version = scr.push()
    done = scr.ended(version)
    step = done.steps[forward(scr)]
    assert (step.status, step.reason) == (StepStatus.SKIPPED, "ScaledToZero"), scr.tell()
    assert updates(scr, since) == []
    assert scr.service()["desiredCount"] == 0
    assert ENVIRONMENT not in scr.release(version).verified
    assert done.phase is Phase.SUCCEEDED, scr.tell()


def test_a_rollback_by_the_breaker_is_no_success_though_the_service_is_stable(shared: Make, stage: Stage) -> None:
    # failFast leaves it to the breaker of ECS, which trips after three failed tasks.
    scr = shared(fail_fast=200)
    before = scr.running
    version = scr.push(CRASH="9")
    done = scr.ended(version)
    assert done.phase is Phase.ROLLED_BACK, scr.tell()
    step = done.steps[forward(scr)]
    assert (step.status, step.reason) == (StepStatus.FAILED, "BreakerRolledBack")
    assert "code 9" in step.message
    scr.runs(before)
    service = scr.service()
    # What `aws ecs wait services-stable` looks at, were it not for the failed one that stays listed.
    assert [item["rolloutState"] for item in service["deployments"] if item["runningCount"]] == ["COMPLETED"]
    assert service["runningCount"] == service["desiredCount"]


def test_a_rollout_that_never_becomes_healthy_ends_at_its_deadline(shared: Make, stage: Stage) -> None:
    scr = shared(timeout="8s")  # the way back has as long
    before = scr.running
    version = scr.push(GATE=str(scr.gate()))
    done = scr.ended(version)
    assert done.phase is Phase.ROLLED_BACK, scr.tell()
    assert done.steps[forward(scr)].reason == "DeadlineExceeded"
    stage.open_all_gates()
    scr.runs(before)


def drains(scr: Place, seconds: int, component: str = "api") -> None:
    """Give a service's target group a deregistration delay."""
    elb = scr.stage.client("elbv2")
    service = scr.ecs.describe_services(cluster=scr.cluster, services=[f"{scr.name}-{component}"])["services"][0]
    elb.modify_target_group_attributes(
        TargetGroupArn=service["loadBalancers"][0]["targetGroupArn"],
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}],
    )


def test_a_healthy_release_whose_old_tasks_drain_longer_than_its_timeout_succeeds(place: Make) -> None:
    """As a load balancer with its defaults does it (five minutes), at a smaller scale."""
    scr = place(timeout="12s")
    drains(scr, 20)
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    step = done.steps[forward(scr)]
    assert step.reason == "Completed"
    assert step.ended_at is not None
    assert (step.ended_at - step.started_at).total_seconds() >= 20
    assert step.rollout is not None
    assert step.rollout.healthy_at is not None
    assert step.rollout.drain_seconds == 20 + 30 + 120
    scr.runs(version)


def test_old_tasks_that_never_go_are_told_and_followed(place: Make, stage: Stage) -> None:
    """Nothing is taken back; the condition says which task stays, until the sweep finds it gone."""
    scr = place()
    (old,) = [task["taskArn"] for task in scr.tasks(f"{scr.name}-api") if task["lastStatus"] == "RUNNING"]
    scr.ecs.update_task_protection(cluster=scr.cluster, tasks=[old], protectionEnabled=True, expiresInMinutes=2_880)
    version = scr.push()

    def drains_already() -> Any:
        deployment = next(iter(scr.deployments(version)), None)
        step = deployment.step(forward(scr)) if deployment is not None else None
        seen = step.rollout if step is not None else None
        return deployment if seen is not None and seen.drain_seconds is not None else None

    deployment = scr.until(drains_already, "healthy tasks")
    assert deployment.steps[forward(scr)].rollout.drain_seconds == 300 + 30 + 120, "48 hours are not waited for"

    def long_ago(step: Step) -> Step:
        assert step.rollout is not None
        return step.but(rollout=step.rollout.but(healthy_at=scr.now() - timedelta(seconds=500)))

    ref = DeploymentRef(platform=scr.name, environment=ENVIRONMENT, deployment=deployment.id, fence=deployment.fence)
    amend(stage.store, ref, forward(scr), long_ago)
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    step = done.steps[forward(scr)]
    assert (step.status, step.reason) == (StepStatus.SUCCEEDED, "OldTasksRemain")
    assert "1 old task is protected from scale-in until 20" in step.message

    def told() -> Any:
        return scr.state.condition("OldTasksRemain")

    stage.sweep()
    condition = scr.until(told, "the condition")
    assert (condition.status, condition.reason) == ("True", "Draining")
    assert f"{scr.name}-api: 1 old task is protected from scale-in until 20" in condition.message
    scr.ecs.update_task_protection(cluster=scr.cluster, tasks=[old], protectionEnabled=False)
    scr.until(lambda: len(scr.service()["deployments"]) == 1, "the old task to go")
    stage.sweep()
    scr.until(lambda: told() is None, "the condition to go")
    assert len(scr.deployments(version)) == 1
    scr.runs(version)


def test_the_next_wave_begins_while_the_last_one_drains(place: Make) -> None:
    scr = place(("api", "web"))
    scr.document["spec"]["environments"][ENVIRONMENT]["waves"][0]["proceedWhen"] = "healthy"
    scr.apply()
    drains(scr, 20)
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    api, web = done.steps[forward(scr)], done.steps[forward(scr, "web")]
    assert api.ended_at is not None
    assert web.started_at < api.ended_at, "web waited for the old tasks of api"
    assert (api.reason, web.reason) == ("Completed", "Completed")
    scr.runs(version)


def test_a_wave_that_fails_takes_back_the_one_that_still_drains(place: Make) -> None:
    scr = place(("api", "web"))
    scr.document["spec"]["environments"][ENVIRONMENT]["waves"][0]["proceedWhen"] = "healthy"
    scr.apply()
    drains(scr, 10)
    before = scr.running
    version = scr.version()
    scr.push(version, ["api"])
    scr.push(version, ["web"], CRASH="9")
    done = scr.ended(version)
    assert done.phase is Phase.ROLLED_BACK, scr.tell()
    assert done.reason == done.steps[forward(scr, "web")].reason
    api = done.steps[forward(scr)]
    assert (api.status, api.reason) == (StepStatus.ABORTED, "EndedWhileDraining")
    scr.runs(before)


def test_on_failure_hold_leaves_services_as_they_are_and_stops(place: Make) -> None:
    scr = place(onFailure="hold")
    version = scr.push(TELLS="0000000")
    done = scr.ended(version)
    assert done.phase is Phase.FAILED, scr.tell()
    assert scr.state.hold is not None
    scr.runs(version)


def plain(value: Any) -> Any:
    """boto3's answer as the JSON that AWS sends: times are seconds."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.timestamp() if hasattr(value, "timestamp") else value
