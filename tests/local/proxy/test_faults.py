"""Each fault of the proxy with real clients, in front of a real emulator that checks signatures."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from ferryman_local.emulator import Emulator
from ferryman_local.proxy import FaultProxy
from local.clock import until
from local.relay_stage import client

pytest_plugins = ["local.relay_stage"]


@pytest.fixture
def emulator(watched_emulator: Emulator) -> Emulator:
    return watched_emulator


@pytest.fixture
def proxy(emulator: Emulator) -> Iterator[FaultProxy]:
    with FaultProxy(emulator.port) as running:
        yield running


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def through(emulator: Emulator, proxy: FaultProxy) -> Any:
    """Makes clients that go through the proxy."""
    return lambda service, **options: client(emulator.session(), service, proxy.endpoint, **options)


@pytest.fixture
def direct(emulator: Emulator) -> Any:
    """Makes clients that don't."""
    return lambda service, **options: client(emulator.session(), service, emulator.endpoint, **options)


def table(name: str) -> dict[str, Any]:
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def test_without_faults_all_protocols_pass_and_are_recorded(through: Any, proxy: FaultProxy, name: str) -> None:
    through("dynamodb").create_table(**table(name))
    through("dynamodb").put_item(TableName=name, Item={"pk": {"S": "a b/ü"}})
    through("sns").create_topic(Name=name)
    through("lambda").list_functions()
    through("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    big = b"\x00\xff" * (3 << 20)
    through("s3").put_object(Bucket=name, Key="ä b/c+d", Body=big)

    assert through("s3").get_object(Bucket=name, Key="ä b/c+d")["Body"].read() == big
    assert through("dynamodb").get_item(TableName=name, Key={"pk": {"S": "a b/ü"}})["Item"]
    assert [
        proxy.count(*call)
        for call in (("dynamodb", "CreateTable"), ("SNS", "CreateTopic"), ("lambda", "ListFunctions"))
    ] == [1, 1, 1]
    assert {r.access_key for r in proxy.requests} == {"test"}
    until(lambda: all(r.done for r in proxy.requests))
    assert all(r.status == 200 and r.forwarded for r in proxy.requests)


def test_signatures_survive_and_bad_ones_are_still_refused(
    emulator: Emulator, proxy: FaultProxy, direct: Any, name: str
) -> None:
    user = direct("iam")
    user.create_user(UserName=name)
    allowed = {"Effect": "Allow", "Action": ["dynamodb:CreateTable", "s3:*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    user.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    key = user.create_access_key(UserName=name)["AccessKey"]
    good = emulator.session(key["AccessKeyId"], key["SecretAccessKey"])
    forged = emulator.session(key["AccessKeyId"], "x" * 40)

    client(good, "dynamodb", proxy.endpoint).create_table(**table(name))
    bucket = {"Bucket": name, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    client(good, "s3", proxy.endpoint).create_bucket(**bucket)
    client(good, "s3", proxy.endpoint).put_object(Bucket=name, Key="ä b/c+d", Body=b"1")
    with pytest.raises(ClientError, match="AccessDenied"):
        client(good, "dynamodb", proxy.endpoint).list_tables()
    with pytest.raises(ClientError, match=r"InvalidSignature|SignatureDoesNotMatch"):
        client(forged, "dynamodb", proxy.endpoint).create_table(**table(name + "2"))

    assert {r.access_key for r in proxy.requests} == {key["AccessKeyId"]}


def test_a_lost_response_worked(through: Any, direct: Any, proxy: FaultProxy, name: str) -> None:
    lost = proxy.fault("lost_response", service="dynamodb", action="CreateTable")

    with pytest.raises(ConnectionClosedError):
        through("dynamodb").create_table(**table(name))

    assert name in direct("dynamodb").list_tables()["TableNames"]
    assert lost.hits == 1
    (request,) = [r for r in proxy.requests if r.action == "CreateTable"]
    assert (request.status, request.forwarded, request.faults) == (200, True, ("lost_response",))
    with pytest.raises(ClientError, match="ResourceInUse"):
        through("dynamodb").create_table(**table(name))


def test_a_lost_response_of_run_task_started_the_task(through: Any, direct: Any, proxy: FaultProxy, name: str) -> None:
    direct("ecs").create_cluster(clusterName=name)
    direct("ecs").register_task_definition(family=name, containerDefinitions=[{"name": "x", "image": "x"}])
    proxy.fault("lost_response", service="ecs", action="RunTask", match=lambda asked: asked["cluster"] == name)

    with pytest.raises(ConnectionClosedError):
        through("ecs").run_task(cluster=name, taskDefinition=name, startedBy="me")

    listed = [direct("ecs").list_tasks(cluster=name, startedBy="me", desiredStatus=s) for s in ("RUNNING", "STOPPED")]
    # It may stop between the two lists, and be in both.
    assert len({arn for answer in listed for arn in answer["taskArns"]}) == 1


@pytest.mark.parametrize(
    ("service", "ask", "code"),
    [
        pytest.param("ecs", lambda c: c.list_clusters(), "ThrottlingException", id="json"),
        pytest.param("stepfunctions", lambda c: c.list_state_machines(), "ThrottlingException", id="json10"),
        pytest.param("sns", lambda c: c.list_topics(), "Throttling", id="query"),
        pytest.param("lambda", lambda c: c.list_functions(), "TooManyRequestsException", id="rest"),
        pytest.param("s3", lambda c: c.list_buckets(), "SlowDown", id="s3"),
    ],
)
def test_a_throttle_is_told_in_the_services_protocol_and_retried(
    through: Any, proxy: FaultProxy, service: str, ask: Any, code: str
) -> None:
    proxy.fault("throttle", times=3)

    with pytest.raises(ClientError) as refused:
        ask(through(service))
    assert refused.value.response["Error"]["Code"] == code
    ask(through(service, attempts=4))

    assert [request.forwarded for request in proxy.requests] == [False, False, False, True]


def test_a_throttle_may_last_for_a_time(through: Any, proxy: FaultProxy) -> None:
    throttle = proxy.fault("throttle", service="ecs", times=None, lasting=0.4)

    def answered() -> bool:
        try:
            through("ecs").list_clusters()
        except ClientError:
            return False
        return True

    assert not answered()
    until(answered)
    assert throttle.hits >= 1


def test_a_stale_answer_is_the_last_before_the_fault(through: Any, direct: Any, proxy: FaultProxy, name: str) -> None:
    ecs = through("ecs")
    ecs.create_cluster(clusterName=name)
    asked = {"cluster": name, "services": ["web"]}
    assert ecs.describe_services(**asked)["failures"]
    stale = proxy.fault("stale", service="ecs", action="DescribeServices", times=2)
    direct("ecs").register_task_definition(family=name, containerDefinitions=[{"name": "x", "image": "x"}])
    direct("ecs").create_service(cluster=name, serviceName="web", taskDefinition=name, desiredCount=0)

    # Nothing was asked about this service before the fault, so nothing about it can be stale.
    assert ecs.describe_services(cluster=name, services=["web", "other"])["services"]
    answers = [bool(ecs.describe_services(**asked)["services"]) for _ in range(3)]

    assert answers == [False, False, True]
    assert stale.hits == 2


def test_a_live_answer_can_be_changed(through: Any, proxy: FaultProxy, name: str) -> None:
    dynamodb = through("dynamodb")
    dynamodb.create_table(**table(name))
    proxy.fault(
        "stale", service="dynamodb", action="ListTables",
        transform=lambda answer: {"TableNames": [t for t in answer["TableNames"] if t != name] + ["ghost"]},
    )  # fmt: skip

    assert "ghost" in dynamodb.list_tables()["TableNames"]
    assert name in dynamodb.list_tables()["TableNames"]


def test_a_delay_comes_before_the_work_and_before_another_fault(through: Any, proxy: FaultProxy) -> None:
    proxy.fault("delay", service="ecs", seconds=0.3)
    proxy.fault("delay", service="ecs", seconds=0.2)
    proxy.fault("error", service="ecs", status=503, code="ServerException", message="gone fishing")

    began = time.monotonic()
    with pytest.raises(ClientError, match="gone fishing") as error:
        through("ecs").list_clusters()

    assert time.monotonic() - began >= 0.5
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert error.value.response["Error"]["Code"] == "ServerException"


@pytest.mark.parametrize(
    ("forward", "done"), [pytest.param(False, False, id="lost"), pytest.param(True, True, id="done")]
)
def test_a_timeout_lasts_until_the_client_gives_up(
    through: Any, direct: Any, proxy: FaultProxy, name: str, forward: bool, done: bool
) -> None:
    proxy.fault("timeout", service="dynamodb", forward=forward)

    with pytest.raises(ReadTimeoutError):
        through("dynamodb", read_timeout=0.5).create_table(**table(name))

    proxy.wait_for(lambda r: r.action == "CreateTable" and r.done)
    assert (name in direct("dynamodb").list_tables()["TableNames"]) is done


def test_a_timeout_is_bounded(through: Any, proxy: FaultProxy) -> None:
    proxy.fault("timeout", service="ecs", seconds=0.2)

    with pytest.raises(ConnectionClosedError):
        through("ecs").list_clusters()


def test_faults_end_when_told(through: Any, proxy: FaultProxy) -> None:
    first = proxy.fault("throttle", service="ecs", times=None)
    second = proxy.fault("error", service="ecs", times=None)

    with pytest.raises(ClientError, match="Throttling"):
        through("ecs").list_clusters()
    first.remove()
    with pytest.raises(ClientError, match="InternalFailure"):
        through("ecs").list_clusters()
    proxy.clear()
    through("ecs").list_clusters()

    assert (first.hits, second.hits) == (1, 1)
    proxy.forget_requests()
    assert proxy.count("ecs") == 0


def test_a_condition_that_fails_is_reported_and_stops_nobody(
    through: Any, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = proxy.fault("throttle", service="ecs", match=lambda asked: asked["no such argument"])

    with pytest.raises(ConnectionClosedError):
        through("ecs").list_clusters()
    wrong.remove()

    through("ecs").list_clusters()
    assert "no such argument" in caplog.text
