"""`ferryman doctor` on the whole product: all is well; then each line is broken once, and named with its cure."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from ferryman.platform import parse
from ferryman.records import EnvironmentState
from ferryman.records.limits import ITEM
from ferryman.store import items
from ferryman_cli.doctor import examine, eyes
from ferryman_cli.main import app
from ferryman_cli.source import of_text
from flow.doctor_cases import ALONE, CLOCKS, PLATFORM, TOGETHER, WITH_ENVIRONMENT, WITHOUT_ENVIRONMENT, Case
from flow.production import Production, promoted
from flow.stage import Stage

Lines = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def stage(standing: Callable[..., AbstractContextManager[Stage]]) -> Iterator[Stage]:
    """A local AWS of this module's own, with one platform and nothing else that its operator may touch."""
    with standing("doctor", places=0, promoting=1) as started:
        yield started


@pytest.fixture(scope="module")
def scr(stage: Stage) -> Iterator[Production]:
    one = promoted(stage, slack=True, github=True, migration=True)
    yield one
    one.remove()


@pytest.fixture
def doctor(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Lines]]:
    """Run the command as the local admin; return its exit code, and its lines by the name of the check."""
    for name, value in {**stage.aws.emulator.env(), **stage.aws.admin.env}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FERRYMAN_API_CONNECT", stage.aws.emulator.endpoint)

    def run(*arguments: str) -> tuple[int, Lines]:
        result = CliRunner().invoke(app, ["doctor", "-o", "json", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        found: Lines = {}
        for line in json.loads(result.stdout)["checks"]:
            found.setdefault(line["name"], []).append(line)
        return result.exit_code, found

    return run


def wrong(found: Lines) -> dict[str, list[tuple[str, str, str]]]:
    """Return the lines that are not ok, by check: status, message, next step."""
    return {
        name: [(line["status"], line["message"], line["nextStep"]) for line in lines if line["status"] != "ok"]
        for name, lines in found.items()
        if any(line["status"] != "ok" for line in lines)
    }


def test_all_is_well(scr: Production, stage: Stage, doctor: Any) -> None:
    code, found = doctor()
    assert (code, wrong(found)) == (0, {})
    probed = {f"slack chat of {scr.name}", f"github of {scr.name}"}
    assert {f"{scr.name}/staging", f"{scr.name}/production", *probed} <= found.keys()
    code, found = doctor("--preflight")
    assert (code, wrong(found)) == (0, {})

    before = len(stage.aws.slack.messages)
    code, found = doctor("--send-test", "-p", scr.name)
    assert (code, wrong(found)) == (0, {})
    (message,) = stage.aws.slack.messages[before:]
    assert message.text == f"Test message of Ferryman for {scr.name}"


def test_a_first_document_declares_what_runs(scr: Production, doctor: Any) -> None:
    """`ferryman init`, with the caller's eyes of the doctor."""
    declared = scr.document["spec"]["environments"]
    places = [word for name, one in declared.items() for word in ("-e", f"{name}={one['cluster']}")]
    result = CliRunner().invoke(app, ["init", "-p", scr.name, *places, "-o", "-"])
    assert result.exit_code == 0, result.stderr
    # The emulator has no pull-through caches.
    assert [line for line in result.stderr.splitlines() if "warning" in line and "pull-through" not in line] == []
    found = parse(of_text("document", result.stdout).data)
    assert found.spec.components.keys() == scr.document["spec"]["components"].keys()
    for name, one in declared.items():
        services = {service["name"]: service["component"] for wave in one["waves"] for service in wave["services"]}
        assert {service.name: service.component for service in found.environment(name).services} == services


def test_who_may_little_is_told_which_permissions_are_missing(
    scr: Production, stage: Stage, doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the caller policy and the role viewer, all that only the operator has to see is seen."""
    for name, value in stage.aws.people["viewer"].env.items():
        monkeypatch.setenv(name, value)
    code, found = doctor()
    needs = {name: [told for _, told, _ in lines] for name, lines in wrong(found).items()}
    assert (code, needs) == (
        0,
        {
            "concurrency": ["can't look, needs lambda:GetAccountSettings"],
            "lists": ["can't look, needs ssm:GetParameters"],
            "target groups": ["can't look, needs ecs:DescribeServices"],
            "pushes": ["can't look, needs cloudformation:DescribeStackResource"],
            "mail": ["can't look, needs ses:GetAccount"],
            "alarms": ["can't look, needs cloudwatch:DescribeAlarms"],
            "dead letters": ["can't look, needs sqs:GetQueueAttributes"],
        },
    )
    code, found = doctor("--send-test")
    assert code == 1
    expect(found, ALONE["examine.channels"], scr)


def expect(found: Lines, case: Case, scr: Production) -> None:
    """Find the line of a case that says what is wrong and what to do."""
    lines = wrong(found).get(case.line.replace(PLATFORM, scr.name), [])
    words = case.words.replace(PLATFORM, scr.name)
    assert any(words in told and case.cure in step for _, told, step in lines), (case, lines)


UNSET = {
    "machine.no_credentials": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "machine.region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
}


@pytest.mark.parametrize("key", WITHOUT_ENVIRONMENT)
def test_without_what_aws_needs(scr: Production, doctor: Any, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    for name in UNSET[key]:
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    code, found = doctor()
    assert code == WITHOUT_ENVIRONMENT[key].code
    assert len(found) == 1, "nothing else can be looked at"
    expect(found, WITHOUT_ENVIRONMENT[key], scr)


SET = {
    "machine.credentials": {"AWS_SECRET_ACCESS_KEY": "wrong"},
    "installation.stack": {"AWS_REGION": "us-east-1", "FERRYMAN_STACK": "nothing"},
    "examine.installation.OPERATOR": {"FERRYMAN_API_CONNECT": "http://127.0.0.1:9"},
}


@pytest.mark.parametrize("key", WITH_ENVIRONMENT)
def test_without_a_way_to_the_operator(scr: Production, doctor: Any, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    for name, value in SET[key].items():
        monkeypatch.setenv(name, value)
    code, found = doctor()
    assert code == WITH_ENVIRONMENT[key].code
    expect(found, WITH_ENVIRONMENT[key], scr)


@pytest.mark.parametrize(
    ("key", "modules"), [("machine.clock", [eyes, examine]), ("platforms.operators_clock", [examine])]
)
def test_a_clock_that_is_ten_minutes_off(
    scr: Production, doctor: Any, monkeypatch: pytest.MonkeyPatch, key: str, modules: list[ModuleType]
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(minutes=10)

    for module in modules:
        monkeypatch.setattr(module, "datetime", Ahead)
    code, found = doctor()
    assert code == CLOCKS[key].code
    assert len(wrong(found)) == 1, wrong(found)
    line = next(iter(wrong(found).values()))[0][1].replace("599", "600").replace("601", "600")
    assert CLOCKS[key].words in line
    assert CLOCKS[key].cure in next(iter(wrong(found).values()))[0][2]


def test_an_environment_that_cannot_be_looked_at(scr: Production, stage: Stage, doctor: Any) -> None:
    """AWS throttles whatever the operator asks ECS for."""
    stage.proxy.fault("throttle", service="ecs", action="*", times=None)
    code, found = doctor()
    stage.proxy.clear()
    assert code == 1
    expect(found, ALONE["examine.where"], scr)


def test_before_the_first_deploy_a_new_account_gets_parameters_that_work(
    stage: Stage, doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRYMAN_STACK", "not-yet")
    stage.aws.limit_concurrency(10)
    code, found = doctor("--preflight")
    stage.aws.limit_concurrency(1000)
    (line,) = wrong(found)["concurrency"]
    assert (code, line[0], "ApprovalConcurrency=0 SlackConcurrency=0" in line[2]) == (0, "warning", True), line


def test_each_line_broken_once_is_named_with_its_cure(
    scr: Production, stage: Stage, doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_all(scr, stage)
    monkeypatch.setattr(examine, "__version__", "9.9.9")
    code, found = doctor()
    lines = wrong(found)
    stage.client("sqs").purge_queue(QueueUrl=stage.aws.outputs["DeadLettersUrl"])

    assert code == 1
    for case in TOGETHER.values():
        expect(found, case, scr)
    assert lines.keys() == {case.line.replace(PLATFORM, scr.name) for case in TOGETHER.values()}


def break_all(scr: Production, stage: Stage) -> None:
    """Break what each line looks at, as it gets broken in real accounts."""
    reserve_nothing(stage)
    stage.client("ssm").delete_parameter(Name="/ferryman/operator/topic-arns")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "*"}]}
    role = f"{scr.cluster}-execution"
    stage.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    give_a_foreign_role(scr, stage)
    balancers = stage.client("elbv2")
    for group in balancers.describe_target_groups()["TargetGroups"]:
        arn = group["TargetGroupArn"]
        health = balancers.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        targets = [one["Target"] for one in health]
        if targets:
            balancers.deregister_targets(TargetGroupArn=arn, Targets=targets)
    stage.aws.slack.bot_token = "xoxb-another"
    stage.aws.github.tokens.clear()
    rule = stage.function("ReceivePushPushed")
    stage.client("events").disable_rule(Name=rule.rpartition("/")[2])
    for identity in stage.client("sesv2").list_email_identities()["EmailIdentities"]:
        stage.client("sesv2").delete_email_identity(EmailIdentity=identity["IdentityName"])
    stage.client("sesv2").put_account_details(
        MailType="TRANSACTIONAL", WebsiteURL="https://flow.example", ProductionAccessEnabled=False
    )

    # A reconcile that still runs would take the wait away.
    stage.quiet(scr.name)

    def two_hours_ago(state: EnvironmentState) -> EnvironmentState:
        return state.but(waiting_since=scr.now() - timedelta(hours=2, seconds=1))

    store_a_long_text(stage, stage.store.update_state(scr.name, "staging", two_hours_ago))
    topic = stage.client("ssm").get_parameter(Name="/ferryman/operator/alarm-topic-arn")["Parameter"]["Value"]
    for one in stage.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        stage.client("sns").unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    alarm = stage.function("RollbackFailedAlarm")
    stage.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
    stage.client("sqs").send_message(QueueUrl=stage.aws.outputs["DeadLettersUrl"], MessageBody="{}")


def store_a_long_text(stage: Stage, state: EnvironmentState) -> None:
    """Store what no version writes today: one that had no limits may have."""
    item = items.item(state)
    (first, *others) = item["conditions"]["L"]
    long = {**first["M"], "message": {"S": "x" * int(ITEM * 0.85)}}
    stage.table(
        "update_item",
        Key={name: item[name] for name in ("pk", "sk")},
        UpdateExpression="SET conditions = :conditions",
        ExpressionAttributeValues={":conditions": {"L": [{"M": long}, *others]}},
    )


def reserve_nothing(stage: Stage) -> None:
    """Deploy the stack as a new account has to."""
    formation = stage.client("cloudformation")
    (stack,) = formation.describe_stacks(StackName="ferryman")["Stacks"]
    kept = [
        {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        for one in stack["Parameters"]
        if one["ParameterKey"] != "ApprovalConcurrency"
    ]
    formation.update_stack(
        StackName="ferryman",
        UsePreviousTemplate=True,
        Parameters=[*kept, {"ParameterKey": "ApprovalConcurrency", "ParameterValue": "0"}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    formation.get_waiter("stack_update_complete").wait(
        StackName="ferryman", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def give_a_foreign_role(scr: Production, stage: Stage) -> None:
    """Let Terraform make a base revision with a role that is not in pass-role-arns."""
    ecs = stage.client("ecs")
    service = scr.service_of("api")
    live = scr.service("api")["taskDefinition"]
    definition = ecs.describe_task_definition(taskDefinition=live)["taskDefinition"]
    kept = ("containerDefinitions", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "*"}]}
    foreign = stage.client("iam").create_role(RoleName="foreign", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    made = ecs.register_task_definition(
        family=definition["family"],
        taskRoleArn=foreign["Arn"],
        **{name: definition[name] for name in kept if name in definition},
    )["taskDefinition"]["taskDefinitionArn"]
    base = f"/ferryman/{scr.name}/production/task-definitions/{service}"
    stage.client("ssm").put_parameter(Name=base, Value=made, Type="String", Overwrite=True)
