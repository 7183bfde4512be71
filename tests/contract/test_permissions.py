"""Every permission of the operator's roles has a line in docs/reference/permissions.md that says what fails without it.

The lines are recorded by `make permissions`, and so is that each is true: it takes the permission away and runs the
flow test. Here, what can be seen without running anything is compared with the template.
"""

import re
from typing import Any

from permissions import table
from permissions.__main__ import shared
from permissions.model import Permission, of_template, used
from permissions.removal import is_of, reduced

ROWS = table.read()
REFERENCE = re.compile(r"\[[^\]]+\]\(https://docs\.aws\.amazon\.com/[^)]+\)")


def test_every_permission_has_one_line_and_no_line_is_of_another() -> None:
    assert [row.permission for row in ROWS] == of_template(), "run `make permissions ARGS=record`"


def test_each_line_names_a_flow_test_or_says_why_with_aws_s_own_words() -> None:
    for row in ROWS:
        if row.test is not None:
            assert table.exists(row.test), f"{row.permission}: there is no flow test {row.test}"
        else:
            assert row.without != "?", f"{row.permission}: nothing needs it. Take it out of template.yaml, or say why"
            assert REFERENCE.search(row.without), f"{row.permission}: which sentence of AWS's reference asks for it?"


UNSEEN = {
    "DeliverLogs": "the emulator writes no logs of executions",
    "ReadEnhancedScans": "the emulator has no Inspector",
    "ReadClusters": "no EC2 instances in the emulator; reconcile reads tasks only for what an approved document brings",
    "ReadWhatMessagesAreAbout": "notify makes GitHub's release minutes after publish_release failed",
    "WriteLinksPacesAndPublications": "as ReadWhatMessagesAreAbout",
    "SendMailWithConfigurationSets": "the emulator checks the identity alone",
}
"""Statements with a permission that no flow test has been seen to need, and why."""


def test_only_what_no_flow_can_need_is_needed_by_none() -> None:
    assert {row.permission.sid for row in ROWS if row.test is None} == UNSEEN.keys()


def test_what_a_request_used_is_told_by_statement_action_and_part() -> None:
    def use(role: str, action: str, *by: dict[str, object]) -> list[str]:
        return [str(one) for one in used([{"role": f"ferryman-{role}Role-1A", "action": action, "allowedBy": [*by]}])]

    nudge = {"sid": "SendNudges", "resource": 0, "values": []}
    assert use("Reconcile", "sqs:SendMessage", nudge) == ["Reconcile/SendNudges sqs:SendMessage"]
    assert use("Reconcile", "sqs:SendMessage", nudge, nudge) == [], "either would have done"
    assert use("Reconcile", "sqs:SendMessage") == [], "it was denied"
    assert use("Reconcile", "logs:PutLogEvents", {"sid": "", "resource": 0, "values": []}) == [], "of AWS's policy"
    started = {"sid": "StartDeployments", "resource": 1, "values": []}
    assert use("Reconcile", "states:StartExecution", started) == [
        "Reconcile/StartDeployments states:StartExecution MigrateMachine"
    ]
    passed = {"sid": "PassJobRoles", "resource": 7, "values": ["events.amazonaws.com"]}
    assert use("UpdateService", "iam:PassRole", passed) == [
        "UpdateService/PassJobRoles iam:PassRole events.amazonaws.com"
    ]


ALL = {"Sid": "All", "Action": ["a:One", "a:Two"], "Resource": "*"}
KEYS = {
    "Sid": "Keys",
    "Action": ["dynamodb:PutItem", "dynamodb:GetItem"],
    "Resource": "table",
    "Condition": {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["A#*", "B#*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
}
START = {"Sid": "StartDeployments", "Action": ["states:StartExecution"], "Resource": ["deploy", "migrate"]}
POLICY: dict[str, Any] = {"Version": "2012-10-17", "Statement": [ALL, KEYS, START]}


def without(permission: Permission) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = reduced(POLICY, permission)["Statement"]
    return found


def test_one_action_is_removed_and_the_others_stay() -> None:
    assert without(Permission("F", "All", "a:One")) == [{**ALL, "Action": ["a:Two"]}, KEYS, START]


def test_one_partition_is_removed_from_one_action() -> None:
    _, others, reduced_one, _ = without(Permission("F", "Keys", "dynamodb:PutItem", "A#*"))
    assert others == {**KEYS, "Action": ["dynamodb:GetItem"]}
    assert reduced_one["Action"] == ["dynamodb:PutItem"]
    assert reduced_one["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["B#*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def test_one_resource_is_removed_by_its_place() -> None:
    *_, left = without(Permission("Reconcile", "StartDeployments", "states:StartExecution", "MigrateMachine"))
    assert left["Resource"] == ["deploy"]


def test_processes_share_all_permissions_about_equally() -> None:
    needed = [(row.permission, row.test) for row in ROWS if row.test]
    shares = shared(needed, 4)
    assert sorted(one for share in shares for one in share) == sorted(needed)
    assert max(map(len, shares)) <= len(needed) / 4 * 1.2
    tests = [test for share in shares for test in {test for _, test in share}]
    assert len(tests) <= len({test for _, test in needed}) + 4, "each test runs in few processes"
    assert shared(needed[:1], 4) == [needed[:1]]
    assert shared([], 4) == []


def test_a_line_s_test_is_found_with_all_its_cases() -> None:
    assert is_of("tests/flow/test_doctor.py::TestY::test_z[died-first]", "test_doctor.py::TestY::test_z")
    assert is_of("tests/flow/test_doctor.py::test_z", "test_doctor.py::test_z")
    assert not is_of("tests/flow/test_doctor.py::test_zz[died]", "test_doctor.py::test_z")
    name = "test_doctor.py::test_z"
    assert not is_of(f"tests/flow/other_{name}", name)
