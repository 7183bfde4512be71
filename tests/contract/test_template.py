"""template.yaml against the folders, the settings that the code reads, and the rules on permissions and delivery."""

import ast
import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from contract.machine import ROOT, snake
from contract.template import functions, resources, statements, template
from ferryman.controller import execute
from ferryman.platform.hosts import GITHUB, SLACK, SLACK_HOOKS

FUNCTIONS = sorted(functions().items())
IDS = [name for name, _ in FUNCTIONS]

# Actions without resource-level permissions, and why nobody minds; the list stays short because a test holds it.
STAR_ALLOWED = {
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:ListTasks",
    # They read which targets are healthy, and how target groups and scans are set: nothing that a document could name.
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "inspector2:ListCoverage",
    "inspector2:ListFindings",
    "states:SendTaskSuccess",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}

READ_IN_CLUSTERS = {
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:GetTaskProtection",
    "ecs:DescribeContainerInstances",
}
"""Actions that are limited by the condition `ecs:cluster` as well as by a resource."""


def test_each_function_has_its_folder_its_events_and_its_name() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert {snake(name) for name in functions()} == folders
    for name, properties in FUNCTIONS:
        assert properties["CodeUri"] == f"functions/{snake(name)}"
        assert list((ROOT / "events" / snake(name)).glob("*.json")), f"events/{snake(name)}/ has no event"


def test_the_sweep_rate_is_a_schedule_that_aws_takes() -> None:
    """CloudFormation matches the whole value; one that was cut short is refused before anything is changed."""
    rate = template()["Parameters"]["SweepRate"]
    taken = re.compile(rate["AllowedPattern"])
    right = ["rate(1 minute)", "rate(2 minutes)", "rate(10 minutes)", "rate(1 day)", "cron(0/5 * * * ? *)"]
    for expression in [rate["Default"], *right]:
        assert taken.fullmatch(expression), expression
    wrong = ["", "rate(1", "rate(1)", "rate(0 minutes)", "rate(01 minute)", "rate(1 minutes)", "rate(5 minute)"]
    wrong += [
        "rate(5 seconds)",
        "rate(5 minutes) ",
        "5 minutes",
        "cron(0/5 * * * *)",
        "cron(0/5 * * * ? * *)",
        "cron()",
    ]
    for expression in wrong:
        assert not taken.fullmatch(expression), expression


_ROLE = "arn:aws:iam::123456789012:role/Admins"
_SET = "role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"


def test_admins_are_named_one_by_one_and_there_is_no_default() -> None:
    admins = template()["Parameters"]["AdminArns"]
    assert admins["Type"] == "String"
    assert "Default" not in admins
    taken = re.compile(admins["AllowedPattern"])
    right = [_ROLE, "arn:aws:iam::123456789012:user/teams/web/ada@example.com", f"{_ROLE},{_ROLE}2"]
    right += [f"arn:{part}:iam::123456789012:{_SET}" for part in ("aws", "aws-cn", "aws-us-gov", "aws-iso-b")]
    for value in right:
        assert taken.fullmatch(value), value
    wrong = ["", " ", "*", ",", f"{_ROLE},", f",{_ROLE}", f"{_ROLE}, {_ROLE}", f"{_ROLE} ", f"{_ROLE}\n", f"{_ROLE}*"]
    wrong += [
        f"arn:aws:iam::123456789012:{it}" for it in ("root", "role/", "user/", "role/*", "role/?", "group/a", "*")
    ]
    wrong += ["arn:aws:iam::*:role/Admins", "arn:*:iam::123456789012:role/Admins", "arn:aws:iam::1234:role/Admins"]
    wrong += ["arn:aws:sts::123456789012:assumed-role/Admins/ada", "123456789012", "Admins", f"{_ROLE},*"]
    for value in wrong:
        assert not taken.fullmatch(value), value


@pytest.mark.parametrize(("name", "properties"), FUNCTIONS, ids=IDS)
def test_policies_are_explicit(name: str, properties: dict[str, Any]) -> None:
    for statement in statements(properties):
        assert statement["Sid"], f"{name}: a statement without a purpose"
        for action in statement["Action"]:
            assert "*" not in action, f"{name}: {action}"
            if statement["Resource"] == "*":
                in_clusters = statement.get("Condition") == {"ArnEquals": {"ecs:cluster": {"Ref": "ClusterArns"}}}
                allowed = STAR_ALLOWED | (READ_IN_CLUSTERS if in_clusters else set())
                assert action in allowed, f"{name}: {action} on every resource"


@pytest.mark.parametrize(("name", "properties"), FUNCTIONS, ids=IDS)
def test_roles_are_passed_to_ecs_tasks_and_to_what_starts_jobs_only(name: str, properties: dict[str, Any]) -> None:
    for statement in statements(properties):
        if "iam:PassRole" in statement["Action"]:
            of_jobs = statement["Sid"] == "PassJobRoles"
            services = ["scheduler.amazonaws.com", "events.amazonaws.com"] if of_jobs else "ecs-tasks.amazonaws.com"
            assert statement["Resource"] == {"Ref": "JobRoleArns" if of_jobs else "PassRoleArns"}
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": services}}
            assert not of_jobs or name == "UpdateService"


def test_only_who_must_may_answer_a_waiting_step() -> None:
    """Whoever may answer a step may wave a deployment through: nobody whom the public can call."""
    holders = {
        snake(name)
        for name, properties in FUNCTIONS
        for statement in statements(properties)
        if any(action.startswith("states:SendTask") for action in statement["Action"])
    }
    assert holders == {"watch_migration", "watch_rollout", "relay_change", "request_approval", "reconcile"}


def test_what_the_public_can_call_holds_nothing_but_the_table_and_a_wake_up_call() -> None:
    public = {
        name: properties
        for name, properties in FUNCTIONS
        if properties.get("FunctionUrlConfig", {}).get("AuthType") == "NONE"
    }
    assert set(public) == {"DecideApproval", "SlackActions"}
    for name, properties in public.items():
        assert "ReservedConcurrentExecutions" in properties, "a flood must not take the account's whole concurrency"
        actions = {action for statement in statements(properties) for action in statement["Action"]}
        assert actions == {
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:ConditionCheckItem",
            "ssm:GetParameter",
            "secretsmanager:GetSecretValue",
            "sqs:SendMessage",
            *(["lambda:InvokeFunction"] if name == "DecideApproval" else []),
        }


def test_only_the_function_for_slack_reads_signing_secrets_and_the_pages_may_call_nothing_else() -> None:
    readers = {
        name: found["Resource"]
        for name in ("DecideApproval", "SlackActions")
        for found in statements(functions()[name])
        if "secretsmanager:GetSecretValue" in found["Action"] and found["Sid"] != "ReadOriginSecret"
    }
    assert readers == {"SlackActions": {"Ref": "SigningSecretArns"}}
    (called,) = (
        found["Resource"]
        for found in statements(functions()["DecideApproval"])
        if "lambda:InvokeFunction" in found["Action"]
    )
    assert called == {"GetAtt": "SlackActions.Arn"}


def test_every_condition_on_all_values_wants_a_value() -> None:
    """`ForAllValues` is true of a request that has none: https://docs.aws.amazon.com/IAM/latest/UserGuide."""
    found = 0
    for name, properties in FUNCTIONS:
        for statement in statements(properties):
            for operator, keys in statement.get("Condition", {}).items():
                if operator.startswith("ForAllValues:"):
                    found += 1
                    assert statement["Condition"].get("Null") == dict.fromkeys(keys, "false"), (name, statement["Sid"])
    assert found >= 10


HOSTILE = {
    "DecideApproval": {"ENV#", "DEPLOYMENT#", "APPROVAL#"},
    "SlackActions": {"ENV#", "DEPLOYMENT#", "APPROVAL#"},
    "Notify": {"ENV#", "DEPLOYMENT#", "APPROVAL#", "PACE#"},
    "PublishRelease": {"ENV#", "DEPLOYMENT#"},
    "SmokeTest": {"ENV#", "DEPLOYMENT#"},
}
"""Functions that talk to servers and people whom nobody vouches for, and the partitions that they can write."""
READS = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"}


@pytest.mark.parametrize("name", HOSTILE)
def test_who_talks_to_strangers_writes_its_part_of_the_table_only(name: str) -> None:
    written: set[str] = set()
    for statement in statements(functions()[name]):
        if {action for action in statement["Action"] if action.startswith("dynamodb:")} - READS:
            written |= set(statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
    assert {key.removesuffix("*") for key in written} == HOSTILE[name]
    page = (ROOT / "docs/security.md").read_text().partition("## Functions that talk to strangers")[2]
    line = next(line for line in page.splitlines() if line.startswith(f"| `{snake(name)}` |"))
    assert set(re.findall(r"`([^`]+)`", line.split("|")[2])) == HOSTILE[name], "docs/security.md says otherwise"


def test_all_other_functions_are_those_that_talk_to_aws_alone() -> None:
    """A function that begins to talk to others, or gets a condition, has to be sorted anew."""
    whole = {
        name
        for name, properties in FUNCTIONS
        for statement in statements(properties)
        if "dynamodb:PutItem" in statement["Action"] and "Condition" not in statement
    }
    assert whole == set(functions()) - set(HOSTILE)
    for name, properties in FUNCTIONS:
        talks = {"secretsmanager:GetSecretValue", "sns:Publish", "ses:SendEmail"} & {
            action for statement in statements(properties) for action in statement["Action"]
        }
        assert name in HOSTILE or not talks, name


@pytest.mark.parametrize("name", ["DecideApproval", "SlackActions"])
def test_what_the_public_can_call_reads_its_part_of_the_table_only(name: str) -> None:
    of = {action: found for found in statements(functions()[name]) for action in found["Action"]}
    leading = {
        action: found["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for action, found in of.items()
        if action.startswith("dynamodb:")
    }
    asked = ["PLATFORM", "ENV#scr#production", "APPROVAL#01K"]
    if name == "DecideApproval":
        asked.append("RELEASE#scr")
    written = ["ENV#scr#production", "DEPLOYMENT#01K", "APPROVAL#01K"]
    allowed = {
        "dynamodb:GetItem": asked,
        "dynamodb:Query": ["PLATFORM"] if name == "SlackActions" else [],
        "dynamodb:PutItem": written,
        "dynamodb:ConditionCheckItem": ["PLATFORM", "ENV#scr#production"],
    }
    everything = {*asked, *written, "RELEASE#scr", "WAIT#arn:aws:ecs:x", "MIGRATION#scr#production", "NAME#scr"}
    for action, partitions in allowed.items():
        open_to = {key for key in everything if any(fnmatch.fnmatchcase(key, one) for one in leading[action])}
        assert open_to == set(partitions), action


def test_each_function_reads_secrets_for_the_uses_that_it_has() -> None:
    """No function that talks to a channel can read what Slack signs with, and no public one anything else."""
    read: dict[str, set[str]] = {}
    for name, properties in FUNCTIONS:
        for statement in statements(properties):
            # The origin's secret signs nothing: it says that a request came over the pages' domain.
            if "secretsmanager:GetSecretValue" in statement["Action"] and statement["Sid"] != "ReadOriginSecret":
                assert statement["Action"] == ["secretsmanager:GetSecretValue"], name
                read.setdefault(snake(name), set()).add(statement["Resource"]["Ref"])
    assert read == {
        "notify": {"WebhookSecretArns", "BotTokenSecretArns", "GitHubSecretArns"},
        "publish_release": {"GitHubSecretArns"},
        "slack_actions": {"SigningSecretArns"},
    }


def test_no_host_is_allowed_unless_somebody_names_it() -> None:
    for receiver in (SLACK, SLACK_HOOKS, GITHUB):
        parameter = template()["Parameters"][receiver.parameter]
        assert parameter["Default"] == ""
        right = ["", "git.example.com", "git.example.com:8443,10.0.0.1", "http://127.0.0.1:4000"]
        wrong = [
            "*",
            "git.example.com, chat.example.com",
            "user@git.example.com",
            "git.example.com,",
            "GIT.example.com",
        ]
        assert [text for text in right + wrong if re.fullmatch(parameter["AllowedPattern"], text)] == right


def test_every_ecs_change_is_bound_to_the_clusters_that_terraform_names() -> None:
    for name, properties in FUNCTIONS:
        for statement in statements(properties):
            if {"ecs:UpdateService", "ecs:RunTask", "ecs:StopTask"} & set(statement["Action"]):
                assert statement["Condition"] == {"ArnEquals": {"ecs:cluster": {"Ref": "ClusterArns"}}}, name


def test_schedules_and_rules_are_bound_to_those_that_terraform_names() -> None:
    holders: dict[str, set[str]] = {}
    for name, properties in FUNCTIONS:
        for statement in statements(properties):
            if any(action.startswith(("scheduler:", "events:")) for action in statement["Action"]):
                assert statement["Resource"] == {"Ref": "JobArns"}, name
                for action in statement["Action"]:
                    holders.setdefault(action, set()).add(snake(name))
    readers = {"begin_deployment", "reconcile", "serve_api", "update_service"}
    reads = ("scheduler:GetSchedule", "events:DescribeRule", "events:ListTargetsByRule")
    writes = ("scheduler:UpdateSchedule", "events:PutTargets")
    assert holders == {**dict.fromkeys(reads, readers), **{action: {"update_service"} for action in writes}}


def test_the_environment_a_function_reads_is_the_environment_it_has() -> None:
    common = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    for name, properties in FUNCTIONS:
        source = (ROOT / properties["CodeUri"] / "app.py").read_text()
        read = set(re.findall(r"setting\(\"(\w+)\"\)", source))
        given = set(properties.get("Environment", {}).get("Variables", {}))
        assert read <= given | common, f"{name} reads {read - given - common}, which the template does not set"
        assert given <= read, f"{name} is given {given - read}, which it never reads"


def test_every_asynchronous_function_has_a_dead_letter_queue() -> None:
    steps = template()["Resources"]["DeployMachine"]["Properties"]["DefinitionSubstitutions"]
    for name, properties in FUNCTIONS:
        synchronous = name in steps or "FunctionUrlConfig" in properties
        assert synchronous or properties["DeadLetterQueue"]["TargetArn"] == {"GetAtt": "DeadLetters.Arn"}, name


def test_every_rule_filters_and_every_source_has_a_dead_letter_queue() -> None:
    dead = {"GetAtt": "DeadLetters.Arn"}
    for name, properties in FUNCTIONS:
        for event_name, event in properties.get("Events", {}).items():
            where, what = f"{name}.{event_name}", event["Properties"]
            match event["Type"]:
                case "EventBridgeRule":
                    assert what["DeadLetterConfig"]["Arn"] == dead, where
                    assert what["RetryPolicy"], where
                    assert {"source", "detail-type", "detail"} <= set(what["Pattern"]), f"{where} is too wide"
                case "ScheduleV2":
                    assert what["DeadLetterConfig"]["Arn"] == dead, where
                case "DynamoDB":
                    assert what["DestinationConfig"]["OnFailure"]["Destination"] == dead, where
                    assert what["FilterCriteria"]["Filters"], where
                    assert what["FunctionResponseTypes"] == ["ReportBatchItemFailures"], where
                case "SQS":
                    assert what["FunctionResponseTypes"] == ["ReportBatchItemFailures"], where
                    queue = template()["Resources"][what["Queue"]["GetAtt"].split(".")[0]]["Properties"]
                    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == dead, where
                case kind:
                    pytest.fail(f"{where}: {kind} is not covered by this test")


NAMES = {"FunctionName", "LogGroupName", "ManagedPolicyName", "Name", "QueueName", "RoleName", "RuleName", "TableName"}
"""Properties that name a resource. One with a fixed name cannot be created by a second stack of the account."""


def test_a_second_stack_in_the_account_finds_no_name_taken() -> None:
    for name, resource in template()["Resources"].items():
        for key in NAMES & set(resource["Properties"]):
            assert "${AWS::StackName}" in resource["Properties"][key].get("Sub", ""), f"{name}.{key}"
        for event_name, event in resource["Properties"].get("Events", {}).items():
            # SAM names a schedule after its logical id, unless it is told not to.
            assert event["Type"] != "ScheduleV2" or event["Properties"].get("OmitName") is True, f"{name}.{event_name}"
            assert not NAMES & set(event["Properties"]), f"{name}.{event_name}"


def test_no_rule_lists_what_grows_with_platforms() -> None:
    """A pattern holds 2,048 characters: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html."""
    for name, properties in FUNCTIONS:
        for event_name, event in properties.get("Events", {}).items():
            for parameter in template()["Parameters"]:
                assert f"'Ref': '{parameter}'" not in str(event["Properties"].get("Pattern")), f"{name}.{event_name}"


def test_the_table_outlives_everything() -> None:
    table = template()["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert table["Properties"]["DeletionProtectionEnabled"]


def test_logs_expire_and_hold_no_execution_data() -> None:
    for name, group in resources("AWS::Logs::LogGroup").items():
        assert "RetentionInDays" in group["Properties"], name
    machines = resources("AWS::Serverless::StateMachine")
    assert machines
    for name, machine in machines.items():
        assert machine["Properties"]["Logging"]["IncludeExecutionData"] is False, name


def test_reconcile_hears_of_every_way_in_which_an_execution_ends() -> None:
    statuses = get_session().get_service_model("stepfunctions").shape_for("ExecutionStatus").enum
    patterns = [
        event["Properties"]["Pattern"] for event in functions()["Reconcile"]["Events"].values()
        if event["Type"] == "EventBridgeRule"
    ]  # fmt: skip
    (ends,) = (pattern["detail"] for pattern in patterns if pattern["source"] == ["aws.states"])
    assert set(ends["status"]) == set(statuses) - {"RUNNING", "PENDING_REDRIVE"}
    machines = {target["Ref"] for target in ends["stateMachineArn"]}
    assert machines == set(resources("AWS::Serverless::StateMachine"))


def test_alarms_cover_what_people_must_hear_of() -> None:
    metrics = {
        alarm["Properties"]["MetricName"]: alarm["Properties"] for alarm in resources("AWS::CloudWatch::Alarm").values()
    }
    assert {"ApproximateNumberOfMessagesVisible", "ExecutionsFailed", "OldestUnreconciled", "RollbackFailed"} <= set(
        metrics
    )
    assert metrics["OldestUnreconciled"]["TreatMissingData"] == "breaching", "silence is the worst sign"


def test_a_claim_outlasts_every_lambda_that_changes_ecs() -> None:
    fallback = template()["Globals"]["Function"]["Timeout"]
    longest = max(
        properties.get("Timeout", fallback)
        for _, properties in FUNCTIONS
        for statement in statements(properties)
        if {"ecs:UpdateService", "ecs:RunTask"} & set(statement["Action"])
    )
    assert int(functions()["Reconcile"]["Environment"]["Variables"]["MUTATION_TIMEOUT_SECONDS"]) > longest


def test_no_deployment_starts_while_reconcile_may_still_repair_tags() -> None:
    assert execute.AT_WORK.total_seconds() > functions()["Reconcile"]["Timeout"]


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_handlers_parse_call_and_return(path: Path) -> None:
    tree = ast.parse(path.read_text())
    branching = [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.Try | ast.For | ast.While)]
    assert not branching, f"{path}: a handler decides nothing"
    assert "os.environ" not in path.read_text()
    assert len(path.read_text().splitlines()) <= 50


@pytest.mark.parametrize(
    "path", sorted((ROOT / "events").glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_events_are_json_of_a_function_that_exists(path: Path) -> None:
    json.loads(path.read_text())
    assert (ROOT / "functions" / path.parent.name / "app.py").exists()
