"""Platform documents of the flow tests: small ones, each with names of its own."""

from collections.abc import Sequence
from typing import Any

COMPONENTS = ("api", "gateway", "web")
ENVIRONMENT = "staging"


def document(
    name: str,
    components: Sequence[str] = ("api",),
    *,
    migration: bool = False,
    migration_timeout: str = "2m",
    timeout: str = "2m",
    fail_fast: int = 2,
    attempts: int = 2,
    notify: Sequence[str] = (),
    **environment: Any,
) -> dict[str, Any]:
    """One environment; a wave and a smoke test per component. `environment` replaces or adds keys of it."""
    prefix = f"ssm:/ferryman/{name}/{ENVIRONMENT}"
    spec: dict[str, Any] = {
        "cluster": f"{name}-{ENVIRONMENT}",
        "triggers": ["push"],
        "waves": [
            {
                "name": component,
                "services": [
                    {
                        "name": f"{name}-{component}",
                        "component": component,
                        "baseTaskDefinition": f"{prefix}/task-definitions/{name}-{component}",
                        "timeout": timeout,
                        "failFast": fail_fast,
                    }
                ],
            }
            for component in components
        ],
        "smokeTests": [
            {
                "name": component,
                "url": f"{prefix}/{component}-url",
                "path": "/health",
                "allowHttp": True,
                "expect": {"json": {"version": "{release}"}},
                "attempts": attempts,
                "delay": "1s",
                "timeout": "5s",
            }
            for component in components
        ],
        "movingTags": [f"{ENVIRONMENT}-latest"],
        "notify": list(notify),
        **environment,
    }
    if migration:
        spec["migration"] = {
            "component": components[0],
            "taskDefinition": f"{prefix}/task-definitions/{name}-migrate",
            "container": components[0],
            "command": ["python", "migrate.py"],
            "timeout": migration_timeout,
            "network": {
                "subnets": f"{prefix}/private-subnet-ids",
                "securityGroups": f"{prefix}/task-security-group-ids",
            },
        }
    return {
        "apiVersion": "ferryman/v1",
        "kind": "Platform",
        "metadata": {"name": name},
        "spec": {
            "components": {component: {"repository": f"{name}-{component}"} for component in components},
            "channels": {
                "team": {"type": "sns", "topicArn": f"ssm:/ferryman/{name}/channels/team-topic-arn"},
                "ops-mail": {"type": "mail", "from": "ferryman@flow.example", "to": [f"{name}@flow.example"]},
            },
            "environments": {ENVIRONMENT: spec},
        },
    }


def everything(name: str) -> dict[str, Any]:
    """The largest document of this name: what the operator must be allowed to touch whatever a test makes of it."""
    return document(name, COMPONENTS, migration=True, notify=["team", "ops-mail"])
