"""A task definition as ECS tells it: a container beside a sidecar."""

from typing import Any

BASE: dict[str, Any] = {
    "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/api:7",
    "family": "api",
    "revision": 7,
    "status": "ACTIVE",
    "registeredBy": "terraform",
    "networkMode": "awsvpc",
    "containerDefinitions": [
        {"name": "guard", "image": "guard:1"},
        {
            "name": "app",
            "image": "api:base",
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/api", "awslogs-stream-prefix": "run"},
            },
        },
    ],
    "tags": [{"key": "team", "value": "scr"}, {"key": "aws:cloudformation:stack-name", "value": "x"}],
}


def changed(**app: Any) -> dict[str, Any]:
    guard, container = BASE["containerDefinitions"]
    return {**BASE, "containerDefinitions": [guard, {**container, **app}]}
