"""Jobs against AWS: each problem has the path in the document, says what is wrong, and what to do."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.clients.ssm import References
from ferryman.platform import Platform, parse
from ferryman.steps import verify_jobs
from unit.fakes.clock import FakeClock
from unit.fakes.ecs import FakeEcs
from unit.fakes.events import CLUSTER, FakeEvents, ecs_target
from unit.fakes.secrets import FakeParameters
from unit.operating import document

AT = "spec.environments.staging"
REPORT, UPLOAD = f"{AT}.waves.0.jobs.0", f"{AT}.waves.0.jobs.1"
ADDRESSES = {"api": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scr-api"}
IMAGE = f"{ADDRESSES['api']}:live"


class Targets:
    def __init__(self, clock: FakeClock) -> None:
        self.ecs, self.events = FakeEcs(clock), FakeEvents(clock)
        self.report = self.ecs.new_definition("report", IMAGE)
        self.events.new_schedule("nightly", self.report)
        self.events.new_rule("uploads", ecs_target(self.ecs.new_definition("upload", IMAGE), Id="task"))

    def problems(self, **changes: Any) -> list[verify_jobs.Problem]:
        """What is said; `changes` are fields of the first job."""
        platform = with_jobs(**changes)
        environment = platform.environment("staging")
        found: list[verify_jobs.Problem] = []
        seen = verify_jobs.survey(
            environment,
            client=self.events,
            ecs=self.ecs,  # type: ignore[arg-type]
            references=References(FakeParameters({})),  # type: ignore[arg-type]
            at=AT,
            unresolved=found,
        )
        return [*found, *verify_jobs.judge(environment, seen, CLUSTER, ADDRESSES, at=AT)]


def with_jobs(**changes: Any) -> Platform:
    data = document().dump()
    report = {"name": "report", "component": "api", "container": "app", "schedule": "nightly", **changes}
    upload = {"name": "upload", "component": "api", "container": "app", "rule": "uploads"}
    data["spec"]["environments"]["staging"]["waves"][0]["jobs"] = [report, upload]
    return parse(data)


@pytest.fixture
def aws(clock: FakeClock) -> Targets:
    return Targets(clock)


def test_what_fits_is_fine(aws: Targets) -> None:
    assert aws.problems() == []
    assert aws.problems(baseTaskDefinition=aws.report) == []


def elsewhere(aws: Targets) -> None:
    target = ecs_target(aws.report, Arn=CLUSTER.replace("staging", "other"))
    aws.events.new_schedule("nightly", "", Target=target)


def of_others(aws: Targets) -> None:
    aws.events.new_schedule("nightly", aws.ecs.new_definition("report", "nginx:1"))


def no_container(aws: Targets) -> None:
    made = aws.ecs.new_definition("report", IMAGE)
    aws.ecs.definitions[made]["containerDefinitions"] = [{"name": "cron", "image": IMAGE}]
    aws.events.new_schedule("nightly", made)


def no_ecs(aws: Targets) -> None:
    target = {"Arn": "arn:aws:sqs:eu-west-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"}
    aws.events.new_schedule("nightly", "", Target=target)


@pytest.mark.parametrize(
    ("spoil", "path", "said"),
    [
        (lambda aws: aws.events.schedules.clear(), REPORT, "schedule default/nightly does not exist"),
        (lambda aws: aws.events.rules.clear(), UPLOAD, "rule uploads does not exist"),
        (elsewhere, REPORT, "runs its task in cluster scr-other, and the environment is scr-staging"),
        (no_ecs, REPORT, "does not run an ECS task"),
        (
            lambda aws: aws.events.new_schedule("nightly", "report"),
            REPORT,
            "set its TaskDefinitionArn to report:1 once",
        ),
        (
            lambda aws: aws.events.new_schedule("nightly", aws.report, ActionAfterCompletion="DELETE"),
            f"{REPORT}.schedule",
            "is deleted after its last run",
        ),
        (
            lambda aws: aws.events.new_schedule("nightly", f"{aws.report}0"),
            REPORT,
            "names task definition report:10, which does not exist",
        ),
        (of_others, f"{REPORT}.component", "runs nginx:1, which is not from repository 123456789012"),
        (no_container, f"{REPORT}.container", "report:2 has no container 'app'; it has: cron"),
        (
            lambda aws: aws.events.rules["default", "uploads"].update(ManagedBy="ecs.amazonaws.com"),
            UPLOAD,
            "is managed by ecs.amazonaws.com",
        ),
        (
            lambda aws: aws.events.new_rule("uploads", {"Id": "q", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"}),
            UPLOAD,
            "has no ECS target",
        ),
        (
            lambda aws: aws.events.new_rule(
                "uploads", ecs_target(aws.report, Id="one"), ecs_target(aws.report, Id="two")
            ),
            UPLOAD,
            "has several ECS targets (one, two); name one of them with `target`",
        ),
        (
            lambda aws: aws.events.refuse("get_schedule", "AccessDeniedException"),
            REPORT,
            "/ferryman/operator/job-arns",
        ),
    ],
)
def test_what_does_not_fit_is_told(aws: Targets, spoil: Callable[[Targets], Any], path: str, said: str) -> None:
    spoil(aws)
    ((where, text),) = aws.problems()
    assert where == path
    assert said in text


def test_a_base_that_does_not_exist_is_told(aws: Targets) -> None:
    assert aws.problems(baseTaskDefinition="gone:1") == [
        (f"{REPORT}.baseTaskDefinition", "there is no task definition 'gone:1'")
    ]


def test_a_parameter_that_does_not_exist_is_told(aws: Targets) -> None:
    ((where, text),) = aws.problems(baseTaskDefinition="ssm:/nowhere")
    assert (where, "/nowhere" in text) == (f"{REPORT}.baseTaskDefinition", True)


def test_a_target_that_is_named_and_missing_is_told(aws: Targets) -> None:
    aws.events.new_rule("uploads", ecs_target(aws.report, Id="task"))
    ((_, text),) = aws.problems(schedule=None, rule="uploads", target="other")
    assert text == "rule uploads has no ECS target 'other'; it has: task"


def test_an_outage_is_no_problem_of_the_document(aws: Targets) -> None:
    aws.events.refuse("get_schedule", "ResourceBusy")
    with pytest.raises(ClientError):
        aws.problems()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (CLUSTER, CLUSTER, True),
        (CLUSTER, "scr-staging", True),
        (CLUSTER, CLUSTER.replace("123456789012", "000000000000"), False),
        (CLUSTER, "other", False),
    ],
)
def test_clusters_by_name_and_by_arn(one: str, other: str, same: bool) -> None:
    assert verify_jobs.same_cluster(one, other) is same


def test_containers_that_are_listed_have_to_exist(aws: Targets) -> None:
    assert aws.problems(containers=["app", "fetch"]) == [
        (f"{REPORT}.containers.1", "report:1 has no container 'fetch'; it has: aws-guardduty-agent, app")
    ]
