"""Task scale-in protection on the local AWS, as AWS answers, and what it does to a deployment."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


def test_a_protected_task_outlasts_the_deployment_that_replaces_it(stage: Stage) -> None:
    stage.create(stage.push(SERVER, VERSION="1"))
    (old,) = stage.tasks()
    stage.ecs.update_task_protection(cluster=stage.cluster, tasks=[old], protectionEnabled=True, expiresInMinutes=60)
    begun = stage.update(stage.push(SERVER, VERSION="2"))

    def both_run() -> bool:
        states = {d["id"]: (d["rolloutState"], d["runningCount"]) for d in stage.service()["deployments"]}
        return states.get(begun) == ("IN_PROGRESS", 1) and len(states) == 2

    until(both_run, "both")
    alone = stage.run(stage.push("import time; time.sleep(600)"))["taskArn"]
    told = stage.ecs.get_task_protection(cluster=stage.cluster, tasks=[*stage.tasks(), alone, "f" * 32])
    protected = {one["taskArn"]: one for one in told["protectedTasks"]}
    assert {arn: one["protectionEnabled"] for arn, one in protected.items()} == {
        arn: arn == old for arn in stage.tasks()
    }
    assert timedelta() < protected[old]["expirationDate"] - datetime.now(UTC) <= timedelta(hours=1)
    assert [(one["arn"], one["reason"]) for one in told["failures"]] == [
        (alone, "TASK_NOT_VALID"),
        ("f" * 32, "MISSING"),
    ]
    stage.ecs.stop_task(cluster=stage.cluster, task=alone)
    assert stage.task(old)["desiredStatus"] == "RUNNING"
    stage.ecs.update_task_protection(cluster=stage.cluster, tasks=[old], protectionEnabled=False)
    until(lambda: [d["id"] for d in stage.service()["deployments"]] == [begun], "the old one to go")
    assert stage.settled()["runningCount"] == 1


def test_a_protected_task_is_stopped_by_whoever_asks_for_it(stage: Stage) -> None:
    stage.create(stage.push(SERVER, VERSION="1"))
    (task,) = stage.tasks()
    stage.ecs.update_task_protection(cluster=stage.cluster, tasks=[task], protectionEnabled=True)
    stage.ecs.stop_task(cluster=stage.cluster, task=task, reason="enough")
    stage.finished(task)


@pytest.mark.parametrize("call", ["get", "update"])
def test_what_aws_refuses(stage: Stage, call: str) -> None:
    def ask(cluster: str, count: int) -> None:
        if call == "get":
            stage.ecs.get_task_protection(cluster=cluster, tasks=["f" * 32] * count)
        else:
            stage.ecs.update_task_protection(cluster=cluster, tasks=["f" * 32] * count, protectionEnabled=True)

    most = 100 if call == "get" else 10
    ask(stage.cluster, most)
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ask(stage.cluster, most + 1)
    with pytest.raises(ClientError, match="ClusterNotFoundException"):
        ask("nowhere", 1)
