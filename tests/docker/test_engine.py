"""The Docker engine under the emulator's ECS: one-off tasks as ECS tells them, and nothing left however it ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.engines import docker_client
from ferryman_local.engines.engine import DOCKER
from ferryman_local.images import oci
from ferryman_local.images.docker_builder import DockerBuilder
from ferryman_local.local_aws import PLATFORM_FILE, wait_until
from ferryman_local.provisioning import ensure

SECONDS = 60.0
CLUSTER, REPOSITORY, GROUP = "engine", "engine-app", "/ecs/engine"


class Ecs:
    """An emulator with one image in it, and RunTask."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator, session = emulator, emulator.session()
        self.ecs, self.logs = session.client("ecs"), session.client("logs")
        ensure.repository(session, REPOSITORY)
        ensure.log_group(session, GROUP)
        self.ecs.create_cluster(clusterName=CLUSTER)
        builder = DockerBuilder(emulator.port, PLATFORM_FILE.parent, print)
        builder.prepare()
        builder.placeholder(REPOSITORY, 8000)
        self.image = f"{emulator.registry}/{REPOSITORY}:{oci.BOOTSTRAP}"

    def run(self, *command: str, image: str = "", **more: Any) -> str:
        """Start a task; its ARN."""
        log = {"awslogs-group": GROUP, "awslogs-region": self.emulator.region, "awslogs-stream-prefix": "t"}
        container = {
            "name": "app",
            "image": image or self.image,
            "essential": True,
            "linuxParameters": {"initProcessEnabled": True},
            "logConfiguration": {"logDriver": "awslogs", "options": log},
            **({"command": list(command)} if command else {}),
            **more,
        }
        definition = self.ecs.register_task_definition(
            family="engine", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            containerDefinitions=[container], volumes=[{"name": "scratch"}],
        )["taskDefinition"]["taskDefinitionArn"]  # fmt: skip
        network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
        started = self.ecs.run_task(
            cluster=CLUSTER, taskDefinition=definition, launchType="FARGATE", networkConfiguration=network
        )
        return str(started["tasks"][0]["taskArn"])

    def task(self, arn: str) -> Any:
        return self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]

    def at(self, arn: str, status: str) -> Any:
        """The task once it is RUNNING or STOPPED."""
        return wait_until(lambda: t if (t := self.task(arn))["lastStatus"] == status else None, SECONDS, f"it {status}")

    def said(self, arn: str) -> list[str]:
        """Its log."""
        stream = f"t/app/{arn.rpartition('/')[2]}"
        events = self.logs.get_log_events(logGroupName=GROUP, logStreamName=stream)["events"]
        return [event["message"] for event in events]


@pytest.fixture(scope="module")
def ecs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ecs]:
    with Emulator(tmp_path_factory.mktemp("engine"), engine=DOCKER, auth=False) as emulator:
        yield Ecs(emulator)


def test_a_task_tells_its_exit_code_its_digest_and_its_whole_log(ecs: Ecs) -> None:
    arn = ecs.run("sh", "-c", "for n in 1 2 3; do echo line $n; done; printf last; exit 7")
    ended = ecs.at(arn, "STOPPED")
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("EssentialContainerExited", 7)
    pushed = httpx.get(f"{ecs.emulator.endpoint}/v2/{REPOSITORY}/manifests/{oci.BOOTSTRAP}", trust_env=False)
    assert ended["containers"][0]["imageDigest"] == oci.digest_of(pushed.content)
    assert ecs.said(arn) == ["line 1", "line 2", "line 3", "last"]


def test_a_stopped_task_was_terminated(ecs: Ecs) -> None:
    arn = ecs.run()
    ecs.at(arn, "RUNNING")
    ecs.ecs.stop_task(cluster=CLUSTER, task=arn, reason="a test")
    ended = ecs.at(arn, "STOPPED")
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("UserInitiated", 143)


def test_a_killed_container_exits_with_137(ecs: Ecs) -> None:
    ended = ecs.at(ecs.run("sh", "-c", "kill -9 $$"), "STOPPED")
    assert ended["containers"][0]["exitCode"] == 137


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        pytest.param({"image": f"localhost:1/{REPOSITORY}:missing"}, "CannotPullContainerError", id="no-such-image"),
        pytest.param(
            {"command": ["no-such-program"], "linuxParameters": {}}, "CannotStartContainerError", id="no-such-program"
        ),
    ],
)
def test_what_can_not_start_says_why(ecs: Ecs, how: dict[str, Any], reason: str) -> None:
    assert reason in ecs.at(ecs.run(**how), "STOPPED")["stoppedReason"]


def test_a_closed_root_has_scratch_space_where_the_task_says(ecs: Ecs) -> None:
    tried = "for f in /app/x /scratch/x; do (echo > $f) 2>/dev/null && echo $f written || echo $f refused; done"
    mounts = [{"sourceVolume": "scratch", "containerPath": "/scratch"}]
    arn = ecs.run("sh", "-c", tried, readonlyRootFilesystem=True, mountPoints=mounts)
    ecs.at(arn, "STOPPED")
    assert ecs.said(arn) == ["/app/x refused", "/scratch/x written"]


def test_a_container_reaches_the_emulator(ecs: Ecs) -> None:
    ask = f"import urllib.request as r; print(r.urlopen('http://host.docker.internal:{ecs.emulator.port}/_ferryman/owner').read().decode())"
    arn = ecs.run("python", "-c", ask)
    ecs.at(arn, "STOPPED")
    assert ecs.emulator.owner in ecs.said(arn)[0]


def test_a_killed_emulator_leaves_nothing_and_others_keep_theirs(tmp_path: Path, foreign: Any) -> None:
    emulator = Emulator(tmp_path, engine=DOCKER, auth=False).start()
    ecs = Ecs(emulator)
    ecs.at(ecs.run(), "RUNNING")
    client = docker_client.connect()
    assert len(docker_client.owned(client, emulator.owner)) == 2, "a container and its network"
    process = emulator._process
    assert process is not None
    process.kill()
    process.wait()
    assert docker_client.owned(client, emulator.owner), "nobody has cleaned up yet"
    emulator.stop()
    assert docker_client.owned(client, emulator.owner) == []
    foreign.reload()
    assert foreign.status == "running"
    client.close()


@pytest.fixture
def foreign(ecs: Ecs) -> Iterator[Any]:
    """A container of another local AWS."""
    client = docker_client.connect()
    made = client.containers.run(ecs.image, detach=True, labels=docker_client.mark("somebody else"))
    yield made
    made.remove(force=True)
    client.close()
