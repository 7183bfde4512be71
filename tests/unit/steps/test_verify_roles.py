"""Roles of task definitions that the operator may not pass are found before anything starts."""

from typing import Any

from botocore.exceptions import ClientError

from ferryman.platform import parse
from ferryman.steps import verify_roles
from ferryman.steps.verify import SeenMigration, Survey
from ferryman.steps.verify_roles import Passing

UPDATE, MIGRATE = "arn:aws:iam::123456789012:role/update-service", "arn:aws:iam::123456789012:role/run-migration"
TASK, EXECUTION = "arn:aws:iam::123456789012:role/task", "arn:aws:iam::123456789012:role/execution"
DEFINITIONS = "arn:aws:ecs:eu-west-1:123456789012:task-definition/"


class Iam:
    """Answers SimulatePrincipalPolicy: each function may pass some roles."""

    def __init__(self, allowed: dict[str, set[str]]) -> None:
        self.allowed = allowed
        self.asked: list[tuple[str, list[str]]] = []

    def get_paginator(self, operation: str) -> "Iam":
        assert operation == "simulate_principal_policy"
        return self

    def paginate(self, *, PolicySourceArn: str, ResourceArns: list[str], **rest: Any) -> Any:  # noqa: N803
        assert rest["ActionNames"] == ["iam:PassRole"]
        assert rest["ContextEntries"][0]["ContextKeyValues"] == ["ecs-tasks.amazonaws.com"]
        self.asked.append((PolicySourceArn, ResourceArns))
        if PolicySourceArn not in self.allowed:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SimulatePrincipalPolicy")
        for arn in ResourceArns:
            decision = "allowed" if arn in self.allowed[PolicySourceArn] else "implicitDeny"
            yield {"EvaluationResults": [{"EvalResourceName": arn, "EvalDecision": decision}]}


def definition(name: str, **roles: str) -> Any:
    return {"taskDefinitionArn": f"{DEFINITIONS}{name}:7", "family": name, **roles}


def examined(scr_document: dict[str, Any], iam: Iam, passing: Passing) -> tuple[list[Any], list[Any]]:
    environment = parse(scr_document).environment("staging")
    service = environment.services[0].name
    base = definition("scr-api", taskRoleArn=TASK, executionRoleArn=EXECUTION)
    migration = definition("scr-migrate", executionRoleArn=EXECUTION)
    seen = Survey("c", {}, {service: base}, {"": SeenMigration(migration, [], [])})
    return verify_roles.examine({"staging": environment}, {"staging": seen}, passing, lambda _service: iam)


def test_a_foreign_role_is_named_with_where_and_what_to_do(scr_document: dict[str, Any]) -> None:
    iam = Iam({UPDATE: {EXECUTION}, MIGRATE: {EXECUTION}})
    (problem,), notes = examined(scr_document, iam, Passing(UPDATE, MIGRATE))
    assert problem[0] == "spec.environments.staging.waves.0.services.0.baseTaskDefinition"
    assert f"may not pass the taskRoleArn {TASK} of scr-api:7" in problem[1]
    assert "/ferryman/operator/pass-role-arns and deploy the operator again" in problem[1]
    assert notes == []


def test_each_function_is_asked_about_what_it_passes(scr_document: dict[str, Any]) -> None:
    iam = Iam({UPDATE: {TASK, EXECUTION}, MIGRATE: set()})
    (problem,), _ = examined(scr_document, iam, Passing(UPDATE, MIGRATE))
    assert problem[0] == "spec.environments.staging.migration.taskDefinition"
    assert sorted(iam.asked) == [(MIGRATE, [EXECUTION]), (UPDATE, [EXECUTION, TASK])]


def test_all_may_be_passed(scr_document: dict[str, Any]) -> None:
    iam = Iam({UPDATE: {TASK, EXECUTION}, MIGRATE: {EXECUTION}})
    assert examined(scr_document, iam, Passing(UPDATE, MIGRATE)) == ([], [])


def test_that_nobody_could_tell_is_a_note_and_no_problem(scr_document: dict[str, Any]) -> None:
    problems, (note,) = examined(scr_document, Iam({}), Passing(UPDATE, MIGRATE))
    assert (problems, note[0], "nobody could tell" in note[1]) == ([], "spec.environments", True)


def test_an_operator_that_does_not_know_its_functions_asks_nothing(scr_document: dict[str, Any]) -> None:
    iam = Iam({})
    assert examined(scr_document, iam, Passing()) == ([], [])
    assert iam.asked == []
