"""A database command: its words, and the hash that an approval is bound to."""

from typing import Any

import pytest

from ferryman.decisions.database_command import hash_of, in_words, tasks
from ferryman.records import PlannedMigration
from unit import builders as make

TASK = PlannedMigration(
    component="api", container="api", digest=make.digest("a"), image="registry/api@sha256:aaa",
    base_task_definition="arn:base:4", command=["alembic", "downgrade", "base"], timeout_seconds=1, subnets=[],
    security_groups=[],
)  # fmt: skip
DOWN = {"kind": "migrate", "command": "down", "revision": "base"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (DOWN, "migrate down to base"),
        (DOWN | {"migration": "orders"}, "migrate orders down to base"),
        ({"kind": "migrate", "command": "up"}, "migrate up"),
        ({"kind": "migrate", "command": "current"}, "migrate current"),
        (
            {"kind": "rollback", "command": "down", "revision": "0042", "version": "abc1234"},
            "rollback to abc1234 with a downgrade to 0042",
        ),
        (
            {"kind": "rollback", "command": "down", "revisions": {"a": "1", "b": "2"}, "version": "abc1234"},
            "rollback to abc1234 with a downgrade of a to 1, b to 2",
        ),
        ({"kind": "rollback"}, ""),
        ({"kind": "deploy"}, ""),
    ],
)
def test_words(changes: dict[str, Any], words: str) -> None:
    assert in_words(make.deployment(**changes)) == words


def planned(task: PlannedMigration = TASK, **changes: Any) -> str:
    return hash_of(make.deployment(plan=make.plan(migration=task), **{**DOWN, **changes}))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(planned(TASK.but(command=["alembic", "downgrade", "0001"])), id="another-command"),
        pytest.param(planned(TASK.but(command=["alembic", "downgrade base"])), id="split-differently"),
        pytest.param(planned(TASK.but(image="registry/api@sha256:bbb")), id="another-image"),
        pytest.param(planned(TASK.but(base_task_definition="arn:base:5")), id="another-task-definition"),
        pytest.param(planned(revision="0001"), id="another-revision"),
        pytest.param(planned(command="up", revision=None), id="another-direction"),
    ],
)
def test_an_approval_is_bound_to_what_runs(other: str) -> None:
    assert planned() == planned()
    assert len(planned()) == 64
    assert other != planned()


def test_what_a_deployment_migrates_by_itself_is_no_command() -> None:
    deployment = make.deployment(plan=make.plan(migration=TASK), kind="deploy")
    assert (tasks(deployment), hash_of(deployment)) == ([], "")
    assert hash_of(make.deployment(plan=None, **DOWN)) == ""
