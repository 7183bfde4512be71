"""The relay against a real emulator: pushes, whom it tells of them, and what disturbances do."""

import io
import json
import time
import uuid
import zipfile
from pathlib import Path

from ferryman_local.relay import Relay
from local.clock import until
from local.relay_stage import Stage, of, told

pytest_plugins = ["local.relay_stage"]

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


FUNCTION = """
import json
def handler(event, context):
    with open({out!r}, "a") as file:
        print(json.dumps(event), file=file)
"""


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
    assert json.loads(until(lambda: out.exists() and out.read_text())) == delivery.event


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
    assert json.loads(until(stage.received)[0]["Message"]) == "v9"
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

    began = time.monotonic()
    for tag in ("lost", "late", "twice", "plain"):
        stage.push(tag)
        told(relay, stage, 1, **{"image-tag": tag})

    relay.wait_for(lambda d: of(stage.name, "late")(d.event))
    assert time.monotonic() - began >= 0.5
    sent = lambda: sorted(d.event["detail"]["image-tag"] for d in relay.sent if of(stage.name)(d.event))  # noqa: E731
    until(lambda: sent() == ["late", "plain", "twice", "twice"])
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
