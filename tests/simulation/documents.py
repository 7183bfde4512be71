"""The platform that the world operates, in several variants."""

from typing import Any

from unit.fakes.github import REPOSITORY

PLATFORM = "scr"
COMPONENTS = ("api", "web")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:team"
GITHUB_TOKEN = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/{PLATFORM}/github-token-AbCdEf"
PEOPLE = {name: f"arn:aws:iam::123456789012:user/{name}" for name in ("ada", "grace", "jo", "kim")}
ADMIN = PEOPLE["ada"]
SENDER = "ferryman@example.com"
GRANTS = {
    "grants": [
        {"role": role, "environments": ["*"], "principals": [PEOPLE[name]]}
        for role, name in (("deployer", "jo"), ("deployer", "grace"), ("approver", "grace"), ("approver", "kim"))
    ]
}
"""Who may do what; ada may do everything."""
VARIANTS = ("push", "migration", "promotion", "approval", "scan", "commands", "migrations", "semver", "pages")
"""What a history is about; each has what is needed for it and nothing else."""


def document(variant: str) -> dict[str, Any]:
    """Return a platform document."""
    environments = {"staging": _environment("staging", triggers=["push"], migration=variant == "migration")}
    if variant == "migrations":
        # Two databases. `commands` has people's commands on one.
        task = _environment("staging", triggers=[], migration=True)["migration"]
        names = ("orders", "stock")
        environments["staging"]["migrations"] = [{**task, "name": name, "command": ["migrate", name]} for name in names]
    if variant in ("promotion", "approval", "scan", "commands", "semver", "pages"):
        # `commands`: people ask for database commands on a production that asks for approval.
        environments["production"] = _environment(
            "production", triggers=["promotion"], migration=variant == "commands"
        ) | {"promoteFrom": "staging"}
    if variant == "promotion":
        # The second wave does not wait for the old tasks of the first one.
        environments["staging"]["waves"][0]["proceedWhen"] = "healthy"
    if variant in ("approval", "commands"):
        environments["production"]["approval"] = {
            "required": 1,
            "expires": "30m",
            "reminder": "10m",
            "approvers": [{"name": name, "arn": PEOPLE[name]} for name in ("ada", "grace")],
        }
    if variant == "pages":
        # People decide with the links in their mails, also about documents that weaken the gate.
        environments["production"]["approval"] = {
            "required": 2,
            "expires": "30m",
            "reminder": "10m",
            "from": SENDER,
            "approvers": [
                {"name": name, "arn": PEOPLE[name], "email": mailbox(name)} for name in ("ada", "grace", "kim")
            ],
        }
    if variant == "semver":
        environments["production"]["triggers"] = ["tag"]
    if variant == "scan":
        environments["production"]["scan"] = {"block": ["CRITICAL"]}
    github = {"github": {"repository": REPOSITORY, "tokenSecretArn": GITHUB_TOKEN}} if variant == "semver" else {}
    return {
        "apiVersion": "ferryman/v1",
        "kind": "Platform",
        "metadata": {"name": PLATFORM},
        "spec": {
            "components": {name: {"repository": f"scr-{name}"} for name in COMPONENTS},
            "channels": {"team": {"type": "sns", "topicArn": "ssm:/ferryman/scr/team"}},
            "environments": environments,
            **github,
        },
    }


def mailbox(name: str) -> str:
    """Return somebody's mail address."""
    return f"{name}@example.com"


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
