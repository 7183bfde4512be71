"""The models of ECR, ECS, SQS and Step Functions against moto as it is: the same requests, answers and refusals.

What moto does not know is not compared: tests/simulation/README.md lists it, with AWS's sentences.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from simulation import stack
from simulation.aws.ecs import Ecs
from simulation.aws.machines import Machines
from simulation.aws.registry import MANIFEST, Image, Registry, digest_of
from simulation.choices import Choices
from simulation.queues import Queues
from simulation.scheduler import BEGINNING, Future, Scheduler

Answer = dict[str, Any]
SEEDS = range(2)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        yield lambda service: boto3.client(service, region_name="eu-west-1")


def said(do: Callable[[], Answer]) -> Answer | str:
    """What a call answers, or the code of its refusal."""
    try:
        return do()
    except ClientError as error:
        return str(error.response["Error"]["Code"])


# ── ECR ──


def manifest(content: int) -> str:
    layers = [{"digest": f"sha256:{content:064x}", "size": 1, "mediaType": "layer"}]
    config = {"digest": f"sha256:{'a' * 64}", "size": 2, "mediaType": "config"}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers})


def both(ours: Registry, theirs: Any) -> dict[str, str]:
    """Push three images to both; return the digests: ours, and those that moto makes up."""
    theirs.create_repository(repositoryName="api")
    found = {}
    for number in range(3):
        text, tag = manifest(number), f"first-{number}"
        digest = digest_of(text)
        ours.images["api"][digest], ours.tags["api"][tag] = Image(text, BEGINNING), digest
        made = theirs.put_image(repositoryName="api", imageManifest=text, imageTag=tag)
        found[digest] = made["image"]["imageId"]["imageDigest"]
    return found


def registry_requests(chosen: random.Random, digests: list[str]) -> Iterator[tuple[str, Answer]]:
    nowhere = f"sha256:{'0' * 64}"
    for _ in range(40):
        repository = chosen.choice(["api", "api", "api", "nope"])
        digest, tag = chosen.choice([*digests, nowhere]), chosen.choice(["live", "old", "none"])
        named = {"repositoryName": repository}
        image = chosen.choice([{"imageDigest": digest}, {"imageTag": tag}])
        number = digests.index(digest) if digest in digests else 0
        put = {"imageManifest": manifest(number), "imageDigest": digests[number], "imageTag": tag}
        yield from [
            ("describe_repositories", {"repositoryNames": [repository]}),
            ("describe_images", {**named, "imageIds": [image]}),
            ("describe_images", {**named, "filter": {"tagStatus": "TAGGED"}}),
            ("batch_get_image", {**named, "imageIds": [{"imageDigest": digest}]}),
            ("describe_image_scan_findings", {"repositoryName": "api", "imageId": {"imageDigest": digests[number]}}),
            ("put_image", {"repositoryName": "api", **put}),
        ]


def of_registry(answer: Answer | str) -> str:
    """What of an answer both have: digests with their tags, manifests, and failures."""
    if isinstance(answer, str):
        return answer
    details = [f"{one['imageDigest']} {sorted(one['imageTags'])}" for one in answer.get("imageDetails", [])]
    images = [one["imageManifest"] for one in answer.get("images", [])]
    return json.dumps([details, images, [one["failureCode"] for one in answer.get("failures", [])]])


def ordered(text: str) -> Any:
    """The digests in an order that does not depend on whose they are."""
    return [sorted(part) for part in json.loads(text)] if text.startswith("[") else text


@pytest.mark.parametrize("seed", SEEDS)
def test_ecr(moto: Callable[[str], Any], seed: int) -> None:
    ours, theirs = Registry(lambda: BEGINNING, "api"), moto("ecr")
    digests = both(ours, theirs)
    for operation, request in registry_requests(random.Random(seed), list(digests)):
        text = json.dumps(request)
        for own, other in digests.items():
            text = text.replace(own, other)
        expected = of_registry(said(lambda: getattr(theirs, operation)(**json.loads(text))))  # noqa: B023 - called at once
        for own, other in digests.items():
            expected = expected.replace(other, own)
        found = of_registry(said(lambda: getattr(ours, operation)(request)))  # noqa: B023
        assert ordered(found) == ordered(expected), (operation, request)


# ── ECS ──


def task_definition(family: str, image: str) -> Answer:
    return {
        "family": family, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "app", "image": image, "essential": True, "memory": 512}],
    }  # fmt: skip


def ecs_requests(chosen: random.Random) -> Iterator[tuple[str, Answer]]:
    for number in range(40):
        family, revision = chosen.choice(["web", "api", "nope"]), chosen.randrange(1, 5)
        named = chosen.choice([family, f"{family}:{revision}"])
        if family != "nope" and number % 3 == 0:
            yield "register_task_definition", task_definition(family, f"image-{number}")
        yield "describe_task_definition", {"taskDefinition": named, "include": ["TAGS"]}
        yield "describe_services", {"cluster": "c", "services": chosen.choice([["web"], ["nope"], ["web", "nope"]])}


def of_ecs(answer: Answer | str) -> Any:
    """What of an answer both have."""
    if isinstance(answer, str):
        return answer
    found = answer.get("taskDefinition", {})
    containers = [(one["name"], one["image"], one["essential"]) for one in found.get("containerDefinitions", [])]
    services = [(one["serviceName"], one["status"], one["desiredCount"]) for one in answer.get("services", [])]
    about = {name: found.get(name) for name in ("taskDefinitionArn", "revision", "status", "networkMode", "cpu")}
    return about, containers, services, answer.get("tasks", []), answer.get("taskArns", [])


@pytest.mark.parametrize("seed", SEEDS)
def test_ecs(moto: Callable[[str], Any], seed: int) -> None:
    ours = Ecs(Scheduler(), lambda image: None, lambda *event: None)
    ours.create_service("c", "web", "web", "image")
    theirs = moto("ecs")
    theirs.create_cluster(clusterName="c")
    theirs.register_task_definition(**task_definition("web", "image"))
    theirs.create_service(cluster="c", serviceName="web", taskDefinition="web", desiredCount=2)
    first = of_ecs(said(lambda: theirs.describe_services(cluster="c", services=["web"])))
    assert first == of_ecs(ours.describe_services({"cluster": "c", "services": ["web"]}))
    registered = task_definition("web", "image")
    assert ours.register_task_definition(registered)["taskDefinition"]["revision"] == 2
    theirs.register_task_definition(**registered)
    for operation, request in ecs_requests(random.Random(seed)):
        found = of_ecs(said(lambda: getattr(ours, operation)(request)))  # noqa: B023 - called at once
        expected = of_ecs(said(lambda: getattr(theirs, operation)(**request)))  # noqa: B023
        assert found == expected, (operation, request)


def test_ecs_tasks(moto: Callable[[str], Any]) -> None:
    ours, theirs = Ecs(Scheduler(), lambda image: None, lambda *event: None), moto("ecs")
    theirs.create_cluster(clusterName="c")
    definition = task_definition("job", "image")
    ours.register_task_definition(definition)
    arn = theirs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    subnets = [moto("ec2").describe_subnets()["Subnets"][0]["SubnetId"]]
    request = {
        "cluster": "c", "taskDefinition": arn, "startedBy": "me", "overrides": {"containerOverrides": []},
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": []}},
    }  # fmt: skip
    own = ours.run_task({**request, "clientToken": "once"})["tasks"][0]
    other = theirs.run_task(**request, launchType="FARGATE")["tasks"][0]
    assert (own["startedBy"], own["taskDefinitionArn"]) == (other["startedBy"], other["taskDefinitionArn"])
    nowhere = "arn:aws:ecs:eu-west-1:123456789012:task/c/0123456789abcdef0123456789abcdef"

    def seen(client: Any, task: str) -> Any:
        listed = [client("list_tasks", cluster="c", startedBy=by, desiredStatus="RUNNING") for by in ("me", "you")]
        found = client("describe_tasks", cluster="c", tasks=[task, nowhere])
        return (
            [[one == task for one in answer["taskArns"]] for answer in listed],
            [(one["taskArn"] == task, one["desiredStatus"], one["startedBy"]) for one in found["tasks"]],
        )

    def at_ours(operation: str, **how: Any) -> Any:
        return getattr(ours, operation)(how)

    def at_theirs(operation: str, **how: Any) -> Any:
        return getattr(theirs, operation)(**how)

    assert seen(at_ours, own["taskArn"]) == seen(at_theirs, other["taskArn"])
    at_ours("stop_task", cluster="c", task=own["taskArn"], reason="test")
    at_theirs("stop_task", cluster="c", task=other["taskArn"], reason="test")
    assert seen(at_ours, own["taskArn"]) == seen(at_theirs, other["taskArn"])


# ── SQS ──


def test_sqs(moto: Callable[[str], Any]) -> None:
    """Of a batch only what failed comes again: as often as the template says, then it is dead."""
    most = stack.queues()["Nudges"].receives
    bodies, fails = ["good", "bad", "worse"], {"bad", "worse"}
    scheduler, ours = Scheduler(), Counter[str]()

    def invoke(function: str, payload: Any) -> Future:
        ours.update(record["body"] for record in payload["Records"])
        failed = [{"itemIdentifier": one["messageId"]} for one in payload["Records"] if one["body"] in fails]
        future = Future()
        future.set({"batchItemFailures": failed})
        return future

    dead_ones: list[tuple[str, Any]] = []
    ours_queues = Queues(scheduler, Choices(story=[]), invoke, 0.0, dead_ones)
    for body in bodies:
        ours_queues.send("Nudges", body, 0.0)
    while scheduler.next_at() < float("inf"):
        scheduler.step()

    queues, theirs = moto("sqs"), Counter[str]()
    dead = queues.create_queue(QueueName="dead")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(most)})
    url = queues.create_queue(
        QueueName="nudges", Attributes={"VisibilityTimeout": "0", "RedrivePolicy": redrive}
    )["QueueUrl"]  # fmt: skip
    for body in bodies:
        queues.send_message(QueueUrl=url, MessageBody=body)
    while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        theirs.update(message["Body"] for message in messages)
        for message in messages:
            if message["Body"] not in fails:
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    buried = queues.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]

    assert ours == theirs == {"good": 1, "bad": most, "worse": most}
    assert sorted(body for _, body in dead_ones) == sorted(message["Body"] for message in buried)


# ── Step Functions ──


def executions_requests(chosen: random.Random) -> Iterator[tuple[str, Answer]]:
    for _ in range(40):
        name, payload = chosen.choice("ab"), chosen.choice(["{}", '{"a": 1}'])
        yield "start_execution", {"name": name, "input": payload}
        yield "describe_execution", {"name": chosen.choice("abc")}
        if chosen.random() < 0.2:
            yield "stop_execution", {"name": name}


@pytest.mark.parametrize("seed", SEEDS)
def test_step_functions(moto: Callable[[str], Any], seed: int) -> None:
    waits = {
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 9999, "Next": "Done"}, "Done": {"Type": "Succeed"}},
    }
    theirs, scheduler = moto("stepfunctions"), Scheduler()
    ours = Machines(scheduler, lambda function, payload: Future(), lambda execution: None)
    role = "arn:aws:iam::123456789012:role/some"
    machine = theirs.create_state_machine(name="some", definition=json.dumps(waits), roleArn=role)["stateMachineArn"]
    ours.define(machine, waits)
    scheduler.seconds = 60.0
    for operation, request in executions_requests(random.Random(seed)):
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{request['name']}"
        if operation == "start_execution":
            asked = {**request, "stateMachineArn": machine}
            found = said(lambda: ours.start_execution(asked))  # noqa: B023 - called at once
            expected = said(lambda: theirs.start_execution(**asked))  # noqa: B023
        elif operation == "describe_execution":
            found = said(lambda: ours.describe_execution({"executionArn": arn}))  # noqa: B023
            expected = said(lambda: theirs.describe_execution(executionArn=arn))  # noqa: B023
        else:
            ours.stop(arn)
            theirs.stop_execution(executionArn=arn)
            continue
        assert of_execution(found) == of_execution(expected), (operation, request)


def of_execution(answer: Answer | str) -> Any:
    return answer if isinstance(answer, str) else (answer["executionArn"], answer.get("status"))
