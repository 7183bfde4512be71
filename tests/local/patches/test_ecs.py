"""ECS on the local AWS: images run as processes, and what the operator judges by is as on AWS."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from ferryman_local.emulator import Emulator
from local.clock import until
from local.patches.ecs_stage import SERVER, Client, Stage


@pytest.fixture
def stage(emulator: Emulator, aws: Client, cluster: str, image_files: Callable[[str], Path]) -> Iterator[Stage]:
    stage = Stage(emulator, aws, cluster, image_files)
    yield stage
    stage.clear()


@pytest.mark.parametrize("status", [0, 3], ids=["success", "failure"])
def test_the_exit_code_of_a_task(stage: Stage, aws: Client, status: int) -> None:
    digest = stage.push("import sys; print('migrating'); sys.exit(int(sys.argv[1]))")
    task = stage.finished(stage.run(digest, ["python", "main.py", str(status)])["taskArn"])
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", status)
    assert task["containers"][0]["imageDigest"] == digest
    found = until(lambda: aws("logs").filter_log_events(logGroupName=f"/ecs/{stage.name}")["events"], "its log")
    assert [event["message"] for event in found] == ["migrating"]


def two_containers(stage: Stage, digest: str, app: str, sidecar: str, *, app_is_essential: bool = True) -> str:
    """A task with two containers of one image; each runs a line of Python. Its ARN."""
    image = f"{stage.emulator.registry}/{stage.name}@{digest}"
    definition = stage.ecs.register_task_definition(
        family=stage.name,
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[
            {"name": "app", "image": image, "command": ["python", "-c", app], "essential": app_is_essential},
            {"name": "sidecar", "image": image, "command": ["python", "-c", sidecar], "essential": True},
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    started = stage.ecs.run_task(
        cluster=stage.cluster, taskDefinition=definition, launchType="FARGATE", networkConfiguration=network
    )
    return str(started["tasks"][0]["taskArn"])


FOREVER = "import time; time.sleep(600)"


def exit_codes(task: Any) -> dict[str, int | None]:
    return {container["name"]: container.get("exitCode") for container in task["containers"]}


def test_the_container_that_is_stopped_with_its_task_does_not_have_the_code_of_the_one_that_exited(
    stage: Stage,
) -> None:
    task = stage.finished(two_containers(stage, stage.push("pass"), FOREVER, "import sys; sys.exit(3)"))
    assert (task["stopCode"], exit_codes(task)) == ("EssentialContainerExited", {"app": 143, "sidecar": 3})


def test_a_container_that_is_stopped_with_its_task_may_end_with_a_code_of_its_own(stage: Stage, tmp_path: Path) -> None:
    """One that catches SIGTERM half way and exits with 0 has not done its work."""
    ready = str(tmp_path / "ready")
    app = (
        "import pathlib, signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
        f"pathlib.Path({ready!r}).touch(); signal.pause()"
    )
    sidecar = f"import os, time\nwhile not os.path.exists({ready!r}): time.sleep(0.05)"
    task = stage.finished(two_containers(stage, stage.push("pass"), app, sidecar))
    assert (task["stopCode"], exit_codes(task)) == ("EssentialContainerExited", {"app": 0, "sidecar": 0})


def test_a_container_that_is_not_essential_exits_and_its_task_goes_on(stage: Stage) -> None:
    arn = two_containers(stage, stage.push("pass"), "import sys; sys.exit(0)", FOREVER, app_is_essential=False)
    task = until(lambda: (found := stage.task(arn)) and exit_codes(found)["app"] is not None and found, "an exit")
    assert (task["lastStatus"], task["desiredStatus"], exit_codes(task)) == (
        "RUNNING",
        "RUNNING",
        {"app": 0, "sidecar": None},
    )
    stage.ecs.stop_task(cluster=stage.cluster, task=arn, reason="enough")
    assert exit_codes(stage.finished(arn)) == {"app": 0, "sidecar": 143}


def test_a_stopped_task_did_not_succeed(stage: Stage) -> None:
    arn = stage.run(stage.push(SERVER, VERSION="1"))["taskArn"]
    stage.running(arn)
    stage.ecs.stop_task(cluster=stage.cluster, task=arn, reason="enough")
    task = stage.finished(arn)
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("UserInitiated", 143)


def test_a_killed_process(stage: Stage) -> None:
    digest = stage.push("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert stage.finished(stage.run(digest)["taskArn"])["containers"][0]["exitCode"] == 137


def test_an_image_that_is_not_there(stage: Stage) -> None:
    task = stage.finished(stage.run("sha256:" + "0" * 64)["taskArn"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError")
    assert "exitCode" not in task["containers"][0]


def test_a_command_that_is_not_there(stage: Stage) -> None:
    task = stage.finished(stage.run(stage.push("pass"), ["no-such-program"])["taskArn"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert "no-such-program" in task["stoppedReason"]


def test_a_client_token_makes_run_task_idempotent(stage: Stage) -> None:
    digest, token = stage.push("pass"), uuid4().hex
    definition = stage.definition(digest)
    first = stage.ecs.run_task(cluster=stage.cluster, taskDefinition=definition, clientToken=token)["tasks"][0]
    again = stage.ecs.run_task(cluster=stage.cluster, taskDefinition=definition, clientToken=token)["tasks"][0]
    assert first["taskArn"] == again["taskArn"]
    with pytest.raises(ClientError, match="ConflictException"):
        stage.ecs.run_task(cluster=stage.cluster, taskDefinition=definition, clientToken=token, startedBy="other")


def test_a_task_of_an_index_tells_the_child_that_runs(stage: Stage) -> None:
    index = stage.push("pass", index=True)
    manifest = json.loads(httpx.get(f"{stage.emulator.endpoint}/v2/{stage.name}/manifests/{index}").content)
    children = [child["digest"] for child in manifest["manifests"]]
    digest = stage.finished(stage.run(index)["taskArn"])["containers"][0]["imageDigest"]
    assert digest in children
    assert digest != index


def test_two_tasks_listen_on_one_port(stage: Stage) -> None:
    digest = stage.push(SERVER, VERSION="1")
    addresses = set()
    for _ in range(2):
        task = stage.running(stage.run(digest)["taskArn"])
        address = stage.address(task["taskArn"])
        until(lambda at=address: answers(f"http://{at}:8000/"), "an answer")
        addresses.add(address)
        stage_task = task["taskArn"]
    assert len(addresses) == 2
    stage.ecs.stop_task(cluster=stage.cluster, task=stage_task)


def test_a_rolling_deployment_sends_nothing_to_a_task_that_does_not_listen_yet(stage: Stage) -> None:
    first, second = stage.push(SERVER, VERSION="1"), stage.push(SERVER, VERSION="2")
    url = stage.create(first, count=2)
    assert stage.digests() == [first, first]
    seen: set[str] = set()
    deployment = stage.update(second)
    deadline = time.monotonic() + 20
    while seen != {"2"} and time.monotonic() < deadline:
        answer = httpx.get(url, trust_env=False)
        # A new task that does not listen yet would fail dozens in a row, one that stops a few: see test_draining.
        assert answer.status_code == 200, answer.text
        seen = {answer.json()["version"]} if stage.service()["deployments"][0]["rolloutState"] == "COMPLETED" else seen
    # The old deployment stays listed until its tasks are gone.
    service = until(lambda: found if len((found := stage.service())["deployments"]) == 1 else None, "one deployment")
    assert [(d["id"], d["rolloutState"]) for d in service["deployments"]] == [(deployment, "COMPLETED")]
    assert stage.digests() == [second, second]


def test_a_crash_loop_is_rolled_back(stage: Stage) -> None:
    good = stage.push(SERVER, VERSION="1")
    url = stage.create(good)
    broken = stage.push("import sys; print('no configuration'); sys.exit(3)")
    begun = stage.update(broken)
    failed = until(lambda: given_up(stage, begun), "a failure")
    assert (failed["status"], failed["failedTasks"]) == ("ACTIVE", 3)
    service = stage.settled()
    assert service["runningCount"] == service["desiredCount"] == 1
    assert stage.digests() == [good]
    assert httpx.get(url, trust_env=False).json()["version"] == "1"
    stopped = stage.ecs.list_tasks(cluster=stage.cluster, serviceName=stage.name, desiredStatus="STOPPED")["taskArns"]
    assert {stage.task(arn)["containers"][0]["exitCode"] for arn in stopped} == {3}
    following = stage.update(stage.push(SERVER, VERSION="3"))
    stage.settled()
    # Neither the failed one nor the one before is listed for ever.
    until(lambda: [d["id"] for d in stage.service()["deployments"]] == [following], "the others to be gone")


def given_up(stage: Stage, deployment: str) -> Any:
    """The deployment as listed, once ECS gave it up."""
    listed = stage.service()["deployments"]
    return next((d for d in listed if d["id"] == deployment and d["rolloutState"] == "FAILED"), None)


def back_on(stage: Stage, definition: str, url: str) -> None:
    """Wait as `aws ecs wait services-stable` does, and look at what it does not look at."""
    # Only its pause of 15 s is shorter.
    stage.ecs.get_waiter("services_stable").wait(
        cluster=stage.cluster, services=[stage.name], WaiterConfig={"Delay": 1, "MaxAttempts": 40}
    )
    (only,) = stage.service()["deployments"]
    assert (only["status"], only["rolloutState"], only["taskDefinition"]) == ("PRIMARY", "COMPLETED", definition)
    assert httpx.get(url, trust_env=False).json()["version"] == "1"


def test_a_service_that_the_breaker_took_back_is_stable(stage: Stage) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    before = stage.service()["taskDefinition"]
    begun = stage.update(stage.push("import sys; sys.exit(3)"))
    until(lambda: given_up(stage, begun), "a failure")
    back_on(stage, before, url)


def test_an_update_back_after_the_breaker_tripped(stage: Stage) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    before = stage.service()["taskDefinition"]
    begun = stage.update(stage.push("import sys; sys.exit(3)"))
    until(lambda: given_up(stage, begun), "a failure")
    stage.ecs.update_service(cluster=stage.cluster, service=stage.name, taskDefinition=before)
    back_on(stage, before, url)


THIRD_WAITS = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
for turn in "123":
    try:
        pathlib.Path({folder!r}, turn).touch(exist_ok=False)
        break
    except FileExistsError:
        pass
if turn == "3":
    signal.pause()
sys.exit(3)
"""
"""Crashes at once, but the third task does so only when it is stopped."""


def test_an_update_back_before_the_breaker_trips(stage: Stage, tmp_path: Path) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    before = stage.service()["taskDefinition"]
    begun = stage.update(stage.push(THIRD_WAITS.format(folder=str(tmp_path))))
    until(lambda: (tmp_path / "3").exists(), "the third task")
    (listed,) = [d for d in stage.service()["deployments"] if d["id"] == begun]
    assert (listed["rolloutState"], listed["failedTasks"]) == ("IN_PROGRESS", 2)
    stage.ecs.update_service(cluster=stage.cluster, service=stage.name, taskDefinition=before)
    assert given_up(stage, begun) is None
    back_on(stage, before, url)


@pytest.mark.parametrize("lives", [0.0, 0.3, 1.0], ids=lambda seconds: f"{seconds}s")
def test_the_way_back_while_a_rollout_crashes(stage: Stage, lives: float) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    before = stage.service()["taskDefinition"]
    stage.update(stage.push(f"import sys, time; time.sleep({lives}); sys.exit(3)"))
    back = stage.ecs.update_service(cluster=stage.cluster, service=stage.name, taskDefinition=before)["service"]
    begun = next(d["id"] for d in back["deployments"] if d["status"] == "PRIMARY")

    def done() -> Any:
        found = stage.service()
        return found if [(d["id"], d["rolloutState"]) for d in found["deployments"]] == [(begun, "COMPLETED")] else None

    service = until(done, "the way back", 20)
    assert (service["runningCount"], service["taskDefinition"]) == (1, before)
    assert httpx.get(url, trust_env=False).json()["version"] == "1"


def test_a_rollout_that_is_replaced_gives_way_and_the_healthy_task_stays(stage: Stage) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    deaf = "import time; time.sleep(60)"
    stuck = stage.update(stage.push(deaf))
    until(
        lambda: next((d for d in stage.service()["deployments"] if d["id"] == stuck and d["runningCount"]), None),
        "its task",
    )
    following = stage.update(stage.push(SERVER, VERSION="3"))
    while stage.service()["deployments"][0]["rolloutState"] != "COMPLETED":
        assert httpx.get(url, trust_env=False).status_code == 200, "the healthy task was stopped to make room"
        time.sleep(0.02)
    until(lambda: [d["id"] for d in stage.service()["deployments"]] == [following], "the replaced ones to be gone")
    assert httpx.get(url, trust_env=False).json()["version"] == "3"


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_a_release_that_never_gets_healthy_fails_its_tasks(stage: Stage) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    begun = stage.update(stage.push(SERVER, VERSION="2", STATUS="500"))

    def failed() -> Any:
        """The deployment, once a task of it counts as failed: the event is written a moment before the count."""
        (deployment,) = [d for d in stage.service()["deployments"] if d["id"] == begun]
        return deployment if deployment["failedTasks"] else None

    deployment = until(failed, "a failed task", 40)
    assert (deployment["failedTasks"], deployment["rolloutState"]) == (1, "IN_PROGRESS")
    assert any("failed ELB health checks" in event["message"] for event in stage.service()["events"])
    assert httpx.get(url, trust_env=False).json()["version"] == "1"


def test_an_update_that_is_repeated_replaces_nothing(stage: Stage) -> None:
    stage.create(stage.push(SERVER, VERSION="1"))
    definition = stage.definition(stage.push(SERVER, VERSION="2"))
    for _ in range(3):
        stage.ecs.update_service(cluster=stage.cluster, service=stage.name, taskDefinition=definition)
    until(lambda: len(stage.service()["deployments"]) == 1, "one deployment")
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in stage.ecs.list_tasks(cluster=stage.cluster, serviceName=stage.name, desiredStatus=status)["taskArns"]
    ]
    assert [stage.task(arn)["taskDefinitionArn"] for arn in arns].count(definition) == 1


def test_service_deployments_and_revisions_can_be_followed(stage: Stage) -> None:
    good = stage.push(SERVER, VERSION="1")
    stage.create(good)
    newer = stage.push(SERVER, VERSION="2")
    begun = stage.update(newer)
    (deployment,) = stage.ecs.list_service_deployments(
        cluster=stage.cluster, service=stage.name, status=["PENDING", "IN_PROGRESS"]
    )["serviceDeployments"]
    arn = deployment["serviceDeploymentArn"]
    assert arn.endswith(f"/{stage.name}/{begun.rpartition('/')[2]}")
    stage.settled()

    def successful() -> Any:
        (found,) = stage.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
        return found if found["status"] == "SUCCESSFUL" else None

    ended = until(successful, "the end of the service deployment")
    assert "lifecycleStage" not in ended, "a rolling deployment has none"
    assert ended["deploymentCircuitBreaker"] == {"status": "MONITORING_COMPLETE", "failureCount": 0, "threshold": 3}
    (revision,) = stage.ecs.describe_service_revisions(serviceRevisionArns=[ended["targetServiceRevision"]["arn"]])[
        "serviceRevisions"
    ]
    assert [image["imageDigest"] for image in revision["containerImages"]] == [newer]
    with pytest.raises(ClientError, match="has ended"):
        stage.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")


def test_a_service_deployment_that_is_stopped_goes_back(stage: Stage) -> None:
    good = stage.push(SERVER, VERSION="1")
    stage.create(good)
    before = stage.service()["taskDefinition"]
    stage.update(stage.push("import time; time.sleep(600)", VERSION="2"))
    (deployment,) = stage.ecs.list_service_deployments(
        cluster=stage.cluster, service=stage.name, status=["PENDING", "IN_PROGRESS"]
    )["serviceDeployments"]
    stage.ecs.stop_service_deployment(serviceDeploymentArn=deployment["serviceDeploymentArn"], stopType="ROLLBACK")
    stage.settled()
    assert stage.service()["taskDefinition"] == before
    (ended,) = stage.ecs.describe_service_deployments(serviceDeploymentArns=[deployment["serviceDeploymentArn"]])[
        "serviceDeployments"
    ]
    assert (ended["status"], ended["rollback"]["reason"]) == ("ROLLBACK_SUCCESSFUL", "user initiated")
