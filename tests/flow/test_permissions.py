"""Without a permission the flow fails that needs it: a few of docs/reference/permissions.md, one of each kind.

All of them: `make permissions`.
"""

from collections.abc import Callable

import pytest

from ferryman.records import Phase
from flow.place import Place
from flow.stage import Stage
from permissions.model import Permission
from permissions.removal import denied, without

Make = Callable[..., Place]


@pytest.mark.parametrize(
    ("permission", "told"),
    [
        (Permission("UpdateService", "ReadAndUpdateServices", "ecs:UpdateService"), "ecs:UpdateService"),
        # AWS and the emulator name the action that would have passed the role.
        (Permission("UpdateService", "PassTaskRoles", "iam:PassRole"), "ecs:RegisterTaskDefinition"),
        (Permission("UpdateService", "TagNewRevisions", "ecs:TagResource"), "ecs:RegisterTaskDefinition"),
        (Permission("SmokeTest", "RecordChecks", "dynamodb:PutItem", "DEPLOYMENT#*"), "dynamodb:TransactWriteItems"),
        (Permission("DeployMachine", "InvokeSteps", "lambda:InvokeFunction", "WatchRollout"), "lambda:InvokeFunction"),
    ],
    ids=["action", "role", "tag", "partition", "function"],
)
def test_a_deployment_does_not_succeed_without(permission: Permission, told: str, place: Make, stage: Stage) -> None:
    one = place()
    stage.expected_denials.add(told)
    stage.aws.forget_permissions()
    with without(stage, permission):
        done = one.ended(one.push())
        assert denied(stage, permission), done.message
    assert done.phase is not Phase.SUCCEEDED, one.tell()


def test_removing_gives_back_what_was_there(place: Make, stage: Stage) -> None:
    one = place()
    with without(stage, Permission("SmokeTest", "RecordChecks", "dynamodb:PutItem", "DEPLOYMENT#*")):
        pass
    assert one.ended(one.push()).phase is Phase.SUCCEEDED, one.tell()
