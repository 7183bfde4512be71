"""The platform that the world operates, in several variants."""

from typing import Any

PLATFORM = "scr"
COMPONENTS = ("api", "web")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:team"
_ROLES = {"ada": "Admin", "grace": "Approver", "jo": "Deployer"}
PEOPLE = {name: f"arn:aws:sts::123456789012:assumed-role/{role}/{name}" for name, role in _ROLES.items()}
ADMIN = "arn:aws:iam::123456789012:role/Admin"
GRANTS = {
    "grants": [
        {"role": role, "environments": ["*"], "principals": [f"arn:aws:iam::123456789012:role/{name}"]}
        for role, name in (("deployer", "Deployer"), ("deployer", "Approver"), ("approver", "Approver"))
    ]
}
"""Who may do what; ada may do everything."""
VARIANTS = ("push", "migration", "promotion", "approval", "scan")
"""What a history is about; each has what is needed for it and nothing else."""


def document(variant: str) -> dict[str, Any]:
    """Return a platform document."""
    environments = {"staging": _environment("staging", triggers=["push"], migration=variant == "migration")}
    if variant in ("promotion", "approval", "scan"):
        environments["production"] = _environment("production", triggers=["promotion"]) | {"promoteFrom": "staging"}
    if variant == "approval":
        environments["production"]["approval"] = {
            "required": 1,
            "expires": "30m",
            "reminder": "10m",
            "approvers": [{"name": name, "arn": PEOPLE[name]} for name in ("ada", "grace")],
        }
    if variant == "scan":
        environments["production"]["scan"] = {"block": ["CRITICAL"]}
    return {
        "apiVersion": "ferryman/v1",
        "kind": "Platform",
        "metadata": {"name": PLATFORM},
        "spec": {
            "components": {name: {"repository": f"scr-{name}"} for name in COMPONENTS},
            "channels": {"team": {"type": "sns", "topicArn": "ssm:/ferryman/scr/team"}},
            "environments": environments,
        },
    }


def service(component: str, environment: str) -> str:
    """Return the name of a component's service."""
    return f"scr-{component}-{environment}"


def _environment(name: str, *, triggers: list[str], migration: bool = False) -> dict[str, Any]:
    waves = [
        {
            "name": component,
            "services": [
                {
                    "name": service(component, name),
                    "component": component,
                    "container": "app",
                    "timeout": "10m",
                    "baseTaskDefinition": f"{service(component, name)}-base",
                }
            ],
        }
        for component in COMPONENTS
    ]
    check = {"name": "web", "url": f"https://{service('web', name)}.example", "path": "/health"}
    found: dict[str, Any] = {
        "cluster": f"scr-{name}",
        "triggers": triggers,
        "waves": waves,
        "smokeTests": [{**check, "attempts": 2, "delay": "5s", "timeout": "5s"}],
        "movingTags": [f"{name}-latest"],
        "notify": ["team"],
    }
    if migration:
        found["migration"] = {
            "component": "api",
            "taskDefinition": f"scr-migrate-{name}",
            "container": "app",
            "command": ["migrate"],
            "downgrade": ["migrate", "down", "{revision}"],
            "current": ["migrate", "current"],
            "timeout": "5m",
            "network": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
        }
    return found
