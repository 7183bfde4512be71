"""The relay against a real emulator: what it sees, whom it tells, and what disturbances do."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.images import push_image
from ferryman_local.relay import Event, Relay
from local.relay_stage import client, eventually

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


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


@pytest.fixture
def stage(emulator: Emulator) -> Stage:
    return Stage(emulator)


@pytest.fixture
def relay(stage: Stage) -> Iterator[Relay]:
    with Relay(stage.emulator.session(), poll=0.05) as running:
        yield running


def of(repository: str, tag: str | None = None) -> Any:
    """Matches the ECR events of a repository (and a tag)."""

    def match(event: Event) -> bool:
        detail = event.get("detail", {})
        return detail.get("repository-name") == repository and tag in (None, detail.get("image-tag"))

    return match


def told(relay: Relay, stage: Stage, count: int, **wanted: str) -> list[Event]:
    """The first `count` events that say so, of this test's repository."""

    def look() -> list[Event]:
        found = [e for e in relay.seen if of(stage.name)(e) and wanted.items() <= e["detail"].items()]
        return found if len(found) >= count else []

    return eventually(look)


def test_a_push_reaches_a_queue_in_the_shape_aws_documents(stage: Stage, relay: Relay) -> None:
    stage.rule(stage.pushes())

    digest = stage.push("v1")

    relay.wait_for(lambda d: of(stage.name)(d.event))
    (event,) = stage.received()
    assert event.keys() == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip
    assert uuid.UUID(event["id"])
    assert time.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ")
    assert (event["source"], event["detail-type"]) == ("aws.ecr", "ECR Image Action")
    assert (event["account"], event["region"], event["resources"]) == (stage.emulator.account, "eu-west-1", [])
    assert event["detail"].items() >= {
        "result": "SUCCESS", "repository-name": stage.name, "image-digest": digest,
        "action-type": "PUSH", "image-tag": "v1",
    }.items()  # fmt: skip


def test_a_retag_an_untagged_push_and_a_deletion_are_told(stage: Stage, relay: Relay) -> None:
    first = stage.push("latest")
    told(relay, stage, 1, **{"image-tag": "latest"})

    second = stage.push("latest")
    assert [e["detail"]["image-digest"] for e in told(relay, stage, 2, **{"image-tag": "latest"})] == [first, second]

    untagged = stage.push()
    assert told(relay, stage, 1, **{"image-tag": ""})[0]["detail"]["image-digest"] == untagged

    stage.ecr.batch_delete_image(repositoryName=stage.name, imageIds=[{"imageTag": "latest"}])
    assert told(relay, stage, 1, **{"action-type": "DELETE"})[0]["detail"]["image-digest"] == second


def test_what_is_there_at_the_start_is_told_only_without_baseline(stage: Stage) -> None:
    stage.push("old")
    with Relay(stage.emulator.session(), poll=0.05) as quiet:
        stage.push("new")
        assert [e["detail"]["image-tag"] for e in told(quiet, stage, 1)] == ["new"]
    with Relay(stage.emulator.session(), poll=0.05, baseline=False) as eager:
        assert {e["detail"]["image-tag"] for e in told(eager, stage, 2)} == {"old", "new"}


def test_only_rules_that_match_and_are_enabled_get_the_event(stage: Stage, relay: Relay) -> None:
    stage.rule(stage.pushes(), name=f"{stage.name}-yes")
    stage.rule({**stage.pushes(), "detail": {"image-tag": [{"prefix": "production-"}]}}, name=f"{stage.name}-tag")
    stage.rule({"source": ["aws.ecs"]}, name=f"{stage.name}-source")
    off = stage.rule(stage.pushes(), name=f"{stage.name}-off")
    stage.events.disable_rule(Name=off)

    stage.push("sha")
    stage.push("production-latest")

    relay.wait_for(lambda d: d.rule == f"{stage.name}-tag")
    last = relay.wait_for(lambda d: of(stage.name, "production-latest")(d.event) and d.rule == f"{stage.name}-yes")
    rules = [d.rule for d in relay.sent if d.rule.startswith(stage.name)]
    assert sorted(rules) == [f"{stage.name}-tag", f"{stage.name}-yes", f"{stage.name}-yes"]
    assert last.error == ""


def test_a_function_gets_the_event_asynchronously(stage: Stage, relay: Relay, tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", FUNCTION.format(out=str(out)))
    role = stage.client("iam").create_role(RoleName=stage.name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    function = stage.client("lambda").create_function(
        FunctionName=stage.name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": packed.getvalue()},
    )
    stage.rule(stage.pushes(), {"Arn": function["FunctionArn"]})

    stage.push("v1")

    delivery = relay.wait_for(lambda d: of(stage.name)(d.event))
    assert delivery.target == function["FunctionArn"]
    assert json.loads(eventually(lambda: out.exists() and out.read_text())) == delivery.event


def test_inputs_topics_and_machines(stage: Stage, relay: Relay) -> None:
    sns, states = stage.client("sns"), stage.client("stepfunctions")
    topic = sns.create_topic(Name=stage.name)["TopicArn"]
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": stage.queue_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everyone]})
    stage.sqs.set_queue_attributes(QueueUrl=stage.queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=stage.queue_arn)
    role = stage.client("iam").create_role(
        RoleName=stage.name, AssumeRolePolicyDocument=TRUST.replace("lambda.", "states.")
    )["Role"]["Arn"]
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = states.create_state_machine(name=stage.name, definition=definition, roleArn=role)["stateMachineArn"]
    transformer = {"InputPathsMap": {"t": "$.detail.image-tag"}, "InputTemplate": '{"tag": <t>}'}
    stage.rule(
        stage.pushes(),
        {"Arn": topic, "InputPath": "$.detail.image-tag"},
        {"Arn": machine, "InputTransformer": transformer},
    )

    stage.push("v9")

    relay.wait_for(lambda d: d.target == machine and not d.error)
    assert json.loads(eventually(stage.received)[0]["Message"]) == "v9"
    (execution,) = states.list_executions(stateMachineArn=machine)["executions"]
    assert json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"]) == {"tag": "v9"}


def test_a_delivery_that_fails_is_retried_and_goes_to_the_dead_letter_queue(stage: Stage, relay: Relay) -> None:
    nowhere = f"arn:aws:lambda:eu-west-1:{stage.emulator.account}:function:{stage.name}-gone"
    other, other_arn = stage.make_queue(f"{stage.name}-other")
    stage.rule(stage.pushes(), {"Arn": nowhere, "DeadLetterConfig": {"Arn": stage.queue_arn}}, {"Arn": other_arn})

    stage.push("v1")

    failed = relay.wait_for(lambda d: d.target == nowhere)
    assert (failed.attempts, failed.buried, bool(failed.error)) == (3, True, True)
    message = stage.sqs.receive_message(QueueUrl=stage.queue, MessageAttributeNames=["All"])["Messages"][0]
    assert json.loads(message["Body"]) == failed.event
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["TARGET_ARN"] == nowhere
    assert attributes["ERROR_CODE"] == "ResourceNotFoundException"
    assert stage.sqs.receive_message(QueueUrl=other)["Messages"], "one bad target must not stop the others"


def test_disturbances_on_the_way_to_a_queue(stage: Stage, relay: Relay) -> None:
    stage.rule(stage.pushes())
    relay.disturb(of(stage.name, "lost"), "drop", times=1)
    relay.disturb(of(stage.name, "twice"), "duplicate", times=1)
    late = relay.disturb(of(stage.name, "late"), "delay", times=1, seconds=0.5)

    for tag in ("lost", "late", "twice", "plain"):
        stage.push(tag)
        told(relay, stage, 1, **{"image-tag": tag})

    relay.wait_for(lambda d: of(stage.name, "late")(d.event))
    tags = [d.event["detail"]["image-tag"] for d in relay.sent if of(stage.name)(d.event)]
    assert sorted(tags) == ["late", "plain", "twice", "twice"]
    assert tags.index("late") > tags.index("twice")
    assert late.hits == 1
    ids = {d.event["id"] for d in relay.sent if of(stage.name, "twice")(d.event)}
    assert len(ids) == 1, "a duplicate is the same event"


def test_reordered_events_come_reversed_once_released(stage: Stage, relay: Relay) -> None:
    stage.rule(stage.pushes())
    kept_back = relay.disturb(of(stage.name), "reorder")
    for tag in ("one", "two", "three"):
        stage.push(tag)
        told(relay, stage, 1, **{"image-tag": tag})

    assert relay.release(kept_back) == 3
    relay.wait_for(lambda d: of(stage.name, "one")(d.event))

    tags = [d.event["detail"]["image-tag"] for d in relay.sent if of(stage.name)(d.event)]
    assert tags == ["three", "two", "one"]


def test_a_hand_made_event_goes_the_same_way_and_a_malformed_one_stops_nobody(stage: Stage, relay: Relay) -> None:
    stage.rule({"source": ["aws.ecr"], "detail": {"marker": [stage.name]}})
    well = {"id": "1", "source": "aws.ecr", "detail-type": "x", "detail": {"marker": stage.name, "image-tag": 7}}

    relay.emit({"source": "aws.ecr", "detail": "no object"})
    relay.emit({})
    relay.emit(well)

    assert relay.wait_for(lambda d: d.rule.startswith(stage.name)).event == well
    assert stage.received() == [well]


FUNCTION = """
import json
def handler(event, context):
    with open({out!r}, "a") as file:
        print(json.dumps(event), file=file)
"""
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

    def update(self, task_definition: str) -> str:
        answer = self.ecs.update_service(cluster=self.name, service="web", taskDefinition=task_definition)
        return next(str(d["id"]) for d in answer["service"]["deployments"] if d["status"] == "PRIMARY")


def wait_for_event(relay: Relay, *path: str, timeout: float = 60.0, **wanted: Any) -> Event:
    def look() -> Event | None:
        return next(
            (e for e in relay.seen if set(path) <= set(e["resources"]) and wanted.items() <= e["detail"].items()), None
        )

    found = eventually(look, timeout)
    assert found is not None
    return found


def test_a_rollout_its_tasks_and_the_breakers_rollback_are_told(stage: Stage, relay: Relay, tmp_path: Path) -> None:
    platform = Platform(stage, tmp_path / "app")
    service = platform.create_service(platform.task_definition())
    first = wait_for_event(relay, service, eventName="SERVICE_DEPLOYMENT_COMPLETED")["detail"]["deploymentId"]

    good = platform.update(platform.task_definition(RELEASE="2"))
    completed = wait_for_event(relay, service, deploymentId=good, eventName="SERVICE_DEPLOYMENT_COMPLETED")
    assert completed["detail-type"] == "ECS Deployment State Change"
    assert completed["detail"]["eventType"] == "INFO"

    bad = platform.update(platform.task_definition(CRASH="1"))
    failed = wait_for_event(relay, service, deploymentId=bad, eventName="SERVICE_DEPLOYMENT_FAILED")
    assert failed["detail"]["eventType"] == "ERROR"
    eventually(lambda: len(names(relay, service, good)) >= 4)

    assert names(relay, service, first)[-1:] == ["COMPLETED"]
    assert names(relay, service, good) == ["IN_PROGRESS", "COMPLETED", "IN_PROGRESS", "COMPLETED"]
    assert names(relay, service, bad) == ["IN_PROGRESS", "FAILED"]
    rolling_back = [e for e in relay.seen if "rolling back" in e["detail"].get("reason", "")]
    assert [e["detail"]["deploymentId"] for e in rolling_back if service in e["resources"]] == [good]

    crashed = wait_for_event(relay, lastStatus="STOPPED", group="service:web", stopCode="EssentialContainerExited")
    detail = crashed["detail"]
    assert crashed["resources"] == [detail["taskArn"]]
    assert detail["containers"][0]["exitCode"] == 3
    assert detail["clusterArn"].endswith(platform.name)
    assert detail["stoppedReason"]
    versions = [e["detail"]["version"] for e in relay.seen if e["detail"].get("taskArn") == detail["taskArn"]]
    assert versions == sorted(set(versions)), "each version once, in order"


def names(relay: Relay, service: str, deployment: str) -> list[str]:
    found = [e["detail"] for e in relay.seen if service in e["resources"] and e["detail"]["deploymentId"] == deployment]
    return [detail["eventName"].removeprefix("SERVICE_DEPLOYMENT_") for detail in found]


def test_a_one_off_task_is_told_to_its_end(stage: Stage, relay: Relay, tmp_path: Path) -> None:
    platform = Platform(stage, tmp_path / "app")
    answer = platform.ecs.run_task(
        cluster=platform.name,
        taskDefinition=platform.task_definition(CRASH="1"),
        launchType="FARGATE",
        startedBy="ferryman/1",
    )

    event = wait_for_event(relay, answer["tasks"][0]["taskArn"], lastStatus="STOPPED")

    assert event["detail-type"] == "ECS Task State Change"
    assert event["detail"]["startedBy"] == "ferryman/1"
    assert event["detail"]["launchType"] == "FARGATE"
    assert event["detail"]["containers"][0]["exitCode"] == 3
    assert event["detail"]["stopCode"] == "EssentialContainerExited"


def relay_process(emulator: Emulator, *before: str) -> list[str]:
    relay = ["-m", "ferryman_local.relay", "--endpoint", emulator.endpoint, "--region", emulator.region]
    return [sys.executable, *before, *relay]


def python_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_as_a_process_it_delivers_and_ends_on_sigterm(stage: Stage) -> None:
    stage.rule(stage.pushes())
    with subprocess.Popen(
        relay_process(stage.emulator), stdout=subprocess.PIPE, text=True, env=python_path()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "relay ready\n"
        stage.push("v1")
        assert eventually(stage.received)[0]["detail"]["image-tag"] == "v1"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_as_a_process_it_ends_with_its_parent(stage: Stage) -> None:
    parent = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); print(p.pid, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", parent, *relay_process(stage.emulator)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=python_path()
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert process.stdout.readline() == "relay ready\n"
        process.kill()

    eventually(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2])
