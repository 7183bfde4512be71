"""What the tests of the relay and the proxy share: an emulator, and things to watch in it.

A pytest plugin: `pytest_plugins = ["local.relay_stage"]`. PYTEST_DONT_REWRITE: its users import it first.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from ferryman_local.emulator import Emulator
from ferryman_local.images.oci import push_image
from ferryman_local.relay import Event, Relay
from local.clock import until


def client(session: boto3.Session, service: str, endpoint: str, *, attempts: int = 1, **options: Any) -> Any:
    """A client that tries `attempts` times, so that a test says how often AWS is asked."""
    retries: Any = {"total_max_attempts": attempts, "mode": "standard"}
    make: Any = session.client
    return make(service, endpoint_url=endpoint, config=Config(retries=retries, **options))


def of(repository: str, tag: str | None = None) -> Any:
    """Matches the ECR events of a repository (and a tag)."""

    def match(event: Event) -> bool:
        detail = event.get("detail", {})
        return detail.get("repository-name") == repository and tag in (None, detail.get("image-tag"))

    return match


class Stage:
    """One test's own repository, queue and rule beside those of the others."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.name = f"t{uuid.uuid4().hex[:10]}"
        self.ecr, self.ecs, self.sqs, self.events = (self.client(s) for s in ("ecr", "ecs", "sqs", "events"))
        self.ecr.create_repository(repositoryName=self.name)
        self.queue, self.queue_arn = self.make_queue(self.name)

    def client(self, service: str) -> Any:
        return client(self.emulator.session(), service, self.emulator.endpoint)

    def make_queue(self, name: str) -> tuple[str, str]:
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        return url, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def rule(self, pattern: dict[str, Any], *targets: dict[str, Any], name: str = "") -> str:
        rule = name or f"{self.name}-{uuid.uuid4().hex[:6]}"
        self.events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        chosen = targets or ({"Arn": self.queue_arn},)
        self.events.put_targets(Rule=rule, Targets=[{"Id": str(n), **target} for n, target in enumerate(chosen)])
        return rule

    def push(self, tag: str | None = None, manifest: str = "") -> str:
        """Put an image made of any JSON; its digest."""
        text = manifest or json.dumps({"schemaVersion": 2, "n": uuid.uuid4().hex})
        arguments = {"imageTag": tag} if tag else {}
        answer = self.ecr.put_image(repositoryName=self.name, imageManifest=text, **arguments)
        return str(answer["image"]["imageId"]["imageDigest"])

    def received(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def pushes(self) -> dict[str, Any]:
        return {"source": ["aws.ecr"], "detail-type": ["ECR Image Action"], "detail": {"repository-name": [self.name]}}


def told(relay: Relay, stage: Stage, count: int, **wanted: str) -> list[Event]:
    """The first `count` events that say so, of this test's repository."""

    def look() -> list[Event]:
        found = [e for e in relay.seen if of(stage.name)(e) and wanted.items() <= e["detail"].items()]
        return found if len(found) >= count else []

    return until(look)


APP = """
import http.server, os, sys
if os.environ.get("CRASH"):
    sys.exit(3)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer((os.environ["BIND_ADDRESS"], 8080), Handler).serve_forever()
"""


class Platform:
    """A service on the emulator's ECS."""

    def __init__(self, stage: Stage, root: Path) -> None:
        self.stage, self.ecs, self.name = stage, stage.ecs, stage.name
        root.mkdir()
        (root / "app.py").write_text(APP)
        push_image(stage.emulator.endpoint, self.name, "v1", root, cmd=["python3", "app.py"])
        self.ecs.create_cluster(clusterName=self.name)

    def task_definition(self, **environment: str) -> str:
        container = {
            "name": "app", "image": f"{self.stage.emulator.registry}/{self.name}:v1", "essential": True,
            "environment": [{"name": key, "value": value} for key, value in environment.items()],
        }  # fmt: skip
        answer = self.ecs.register_task_definition(
            family=self.name, containerDefinitions=[container], requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc", cpu="256", memory="512",
        )  # fmt: skip
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create_service(self, task_definition: str) -> str:
        answer = self.ecs.create_service(
            cluster=self.name, serviceName="web", taskDefinition=task_definition, desiredCount=1, launchType="FARGATE",
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )  # fmt: skip
        return str(answer["service"]["serviceArn"])

    def stopped(self, task: str) -> bool:
        answer = self.ecs.describe_tasks(cluster=self.name, tasks=[task])
        return bool(answer["tasks"][0]["lastStatus"] == "STOPPED")

    def update(self, task_definition: str) -> str:
        answer = self.ecs.update_service(cluster=self.name, service="web", taskDefinition=task_definition)
        return next(str(d["id"]) for d in answer["service"]["deployments"] if d["status"] == "PRIMARY")


@pytest.fixture(scope="session")
def watched_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator, with signatures and policies checked, for all these tests: each uses names of its own."""
    with Emulator(tmp_path_factory.mktemp("emulator"), auth=True) as running:
        yield running


@pytest.fixture
def stage(watched_emulator: Emulator) -> Stage:
    return Stage(watched_emulator)


@pytest.fixture
def relay(stage: Stage) -> Iterator[Relay]:
    with Relay(stage.emulator.session(), poll=0.05) as running:
        yield running
