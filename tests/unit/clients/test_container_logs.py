"""The end of a container's log: only where CloudWatch has it, and without what looks like a secret."""

from typing import Any

import pytest

from ferryman.clients import container_logs
from unit.clients.definitions import BASE, changed
from unit.fakes.ecs import FakeLogs


@pytest.mark.parametrize(
    ("log", "lines"),
    [
        pytest.param({}, ["hello", "password=[hidden]"], id="awslogs"),
        pytest.param({"logDriver": "awsfirelens"}, [], id="elsewhere"),
        pytest.param({"options": {"awslogs-group": "/ecs/api"}}, [], id="no-prefix"),
        pytest.param({"options": {"awslogs-group": "/ecs/none", "awslogs-stream-prefix": "run"}}, [], id="no-stream"),
    ],
)
def test_log_tails(log: dict[str, Any], lines: list[str]) -> None:
    logs = FakeLogs()
    logs.write("/ecs/api", "run/app/123", "hello\n", "\n", "password=hunter2")
    known = BASE["containerDefinitions"][1]["logConfiguration"]
    definition = changed(logConfiguration={**known, **log})
    assert container_logs.tail(logs, definition, "app", "arn:aws:ecs:eu-west-1:1:task/c/123") == lines
