"""ECS on the local AWS: images run as processes, and what the operator judges by is as on AWS."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from ferryman_local import ensure, images
from ferryman_local.emulator import Emulator
from local.clock import until

SERVER = """
import json, os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ.get("STATUS", "200")))
        self.end_headers()
        self.wfile.write(json.dumps({"version": os.environ["VERSION"], "host": self.headers["Host"]}).encode())
    def log_message(self, *a): pass
print("listening on", os.environ["BIND_ADDRESS"], flush=True)
HTTPServer((os.environ["BIND_ADDRESS"], 8000), Handler).serve_forever()
"""
type Client = Callable[[str], Any]


class Stage:
    """Repositories, task definitions, services and tasks of one test, in the shared cluster."""

    def __init__(self, emulator: Emulator, aws: Client, cluster: str, files: Callable[[str], Path]) -> None:
        self.emulator, self.ecs, self.cluster, self._files = emulator, aws("ecs"), cluster, files
        self.name = f"svc-{uuid4().hex[:8]}"
        ensure.repository(emulator.session(), self.name)
        ensure.log_group(emulator.session(), f"/ecs/{self.name}")

    def push(self, source: str, *, index: bool = False, **env: str) -> str:
        return images.push_image(
            self.emulator.port,
            self.name,
            uuid4().hex[:7],
            self._files(source),
            cmd=["python", "main.py"],
            env=env,
            exposed=8000,
            index=index,
        )

    def definition(self, digest: str) -> str:
        arn: str = self.ecs.register_task_definition(
            family=self.name,
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[
                {
                    "name": "app",
                    "image": f"{self.emulator.registry}/{self.name}@{digest}",
                    "essential": True,
                    "portMappings": [{"containerPort": 8000}],
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {
                            "awslogs-group": f"/ecs/{self.name}",
                            "awslogs-region": self.emulator.region,
                            "awslogs-stream-prefix": "ecs",
                        },
                    },
                }
            ],
        )["taskDefinition"]["taskDefinitionArn"]
        return arn

    def run(self, digest: str, command: list[str] | None = None, **more: Any) -> Any:
        override = {"containerOverrides": [{"name": "app", **({"command": command} if command else {})}]}
        return self.ecs.run_task(
            cluster=self.cluster,
            taskDefinition=self.definition(digest),
            launchType="FARGATE",
            overrides=override,
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            **more,
        )["tasks"][0]

    def task(self, arn: str) -> Any:
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0]

    def task_in(self, status: str, arn: str) -> Any:
        found = self.task(arn)
        return found if found["lastStatus"] == status else None

    def finished(self, arn: str) -> Any:
        return until(lambda: self.task_in("STOPPED", arn), "its end")

    def running(self, arn: str) -> Any:
        return until(lambda: self.task_in("RUNNING", arn), "a start")

    def create(self, digest: str, count: int = 1) -> str:
        """A service behind a load balancer; the URL that reaches it."""
        session = self.emulator.session()
        vpc, subnets, group = ensure.network(session, "tests")
        balancer = ensure.load_balancer(session, self.name, subnets, group)
        target = ensure.target_group(session, self.name, vpc, 8000, "/health", "200", unhealthy_after=2)
        ensure.listener(session, balancer, target)
        ensure.service(
            session,
            self.cluster,
            self.name,
            taskDefinition=self.definition(digest),
            desiredCount=count,
            launchType="FARGATE",
            deploymentConfiguration={
                "minimumHealthyPercent": 100,
                "maximumPercent": 200,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
            networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}},
            loadBalancers=[{"targetGroupArn": target, "containerName": "app", "containerPort": 8000}],
        )
        self.settled()
        return f"{self.emulator.endpoint}/_ferryman/at/{self.name}/app.example"

    def update(self, digest: str) -> str:
        """Begin a deployment; its id."""
        service = self.ecs.update_service(
            cluster=self.cluster, service=self.name, taskDefinition=self.definition(digest)
        )
        (begun,) = [d["id"] for d in service["service"]["deployments"] if d["status"] == "PRIMARY"]
        return str(begun)

    def service(self) -> Any:
        return self.ecs.describe_services(cluster=self.cluster, services=[self.name])["services"][0]

    def settled(self, seconds: float = 20) -> Any:
        def primary_completed() -> Any:
            found = self.service()
            states = {d["status"]: d["rolloutState"] for d in found["deployments"]}
            return found if states.get("PRIMARY") == "COMPLETED" else None

        return until(primary_completed, f"a completed deployment of {self.name}", seconds)

    def digests(self) -> list[str]:
        arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=self.name)["taskArns"]
        return [self.task(arn)["containers"][0]["imageDigest"] for arn in arns]


@pytest.fixture
def stage(emulator: Emulator, aws: Client, cluster: str, image_files: Callable[[str], Path]) -> Any:
    stage = Stage(emulator, aws, cluster, image_files)
    yield stage
    if any(
        s["status"] == "ACTIVE" for s in stage.ecs.describe_services(cluster=cluster, services=[stage.name])["services"]
    ):
        stage.ecs.delete_service(cluster=cluster, service=stage.name, force=True)


@pytest.mark.parametrize("status", [0, 3], ids=["success", "failure"])
def test_the_exit_code_of_a_task(stage: Stage, aws: Client, status: int) -> None:
    digest = stage.push("import sys; print('migrating'); sys.exit(int(sys.argv[1]))")
    task = stage.finished(stage.run(digest, ["python", "main.py", str(status)])["taskArn"])
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", status)
    assert task["containers"][0]["imageDigest"] == digest
    found = until(lambda: aws("logs").filter_log_events(logGroupName=f"/ecs/{stage.name}")["events"], "its log")
    assert [event["message"] for event in found] == ["migrating"]


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
        (address,) = [d["value"] for d in task["attachments"][0]["details"] if d["name"] == "privateIPv4Address"]
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
    failed = 0
    deployment = stage.update(second)
    deadline = time.monotonic() + 20
    while seen != {"2"} and time.monotonic() < deadline:
        answer = httpx.get(url, trust_env=False)
        if answer.status_code != 200:
            # The emulator has no deregistration delay: a request that is under way when its old task stops may fail,
            # once per old task. A new task that does not listen yet fails dozens in a row.
            failed += 1
            assert failed <= 2, "the load balancer sent requests to a task that does not listen yet"
            continue
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
    until(
        lambda: begun in [d["id"] for d in stage.service()["deployments"] if d["rolloutState"] == "FAILED"], "a failure"
    )
    service = stage.settled()
    failed = next(d for d in service["deployments"] if d["id"] == begun)
    assert (failed["status"], failed["rolloutState"], failed["failedTasks"]) == ("ACTIVE", "FAILED", 3)
    assert service["runningCount"] == service["desiredCount"] == 1
    assert stage.digests() == [good]
    assert httpx.get(url, trust_env=False).json()["version"] == "1"
    stopped = stage.ecs.list_tasks(cluster=stage.cluster, serviceName=stage.name, desiredStatus="STOPPED")["taskArns"]
    assert {stage.task(arn)["containers"][0]["exitCode"] for arn in stopped} == {3}
    following = stage.update(stage.push(SERVER, VERSION="3"))
    stage.settled()
    # Neither the failed one nor the one before is listed for ever.
    until(lambda: [d["id"] for d in stage.service()["deployments"]] == [following], "the others to be gone")


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
