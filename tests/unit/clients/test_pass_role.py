"""IAM's answers about roles: in both forms that the API reference names, and in several pages."""

from typing import Any

from ferryman.clients import pass_role

ARN = "arn:aws:iam::123456789012:role/"


class Iam:
    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.pages = pages
        self.calls: list[list[str]] = []

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, **arguments: Any) -> Any:
        self.calls.append(arguments["ResourceArns"])
        return [{"EvaluationResults": page} for page in self.pages]


def test_results_of_single_resources_and_of_all_together_are_understood() -> None:
    single = {"EvalResourceName": f"{ARN}a", "EvalDecision": "allowed"}
    together = {
        "EvalResourceName": "*",
        "EvalDecision": "implicitDeny",
        "ResourceSpecificResults": [
            {"EvalResourceName": f"{ARN}b", "EvalResourceDecision": "allowed"},
            {"EvalResourceName": f"{ARN}c", "EvalResourceDecision": "explicitDeny"},
        ],
    }
    iam: Any = Iam([single], [together])
    assert pass_role.refused(iam, "function", [f"{ARN}{name}" for name in "abcd"]) == {f"{ARN}c", f"{ARN}d"}


def test_many_roles_are_asked_about_in_parts_and_each_once() -> None:
    iam: Any = Iam([])
    roles = [f"{ARN}{number}" for number in range(120)]
    assert pass_role.refused(iam, "function", [*roles, *roles]) == set(roles)
    assert [len(call) for call in iam.calls] == [50, 50, 20]


def test_without_roles_nothing_is_asked() -> None:
    iam: Any = Iam()
    assert pass_role.refused(iam, "function", []) == set()
    assert iam.calls == []
