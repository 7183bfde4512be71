"""Platform documents of the flow tests: small ones, each with names of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

COMPONENTS = ("api", "gateway", "web")
ENVIRONMENT, PRODUCTION = "staging", "production"
DATABASES = ("orders", "stock")
"""Names of migrations, where an environment has several."""
SENDER = "ferryman@flow.example"


def document(
    name: str,
    components: Sequence[str] = ("api",),
    *,
    channels: Mapping[str, Any] | None = None,
    **environment: Any,
) -> dict[str, Any]:
    """One environment, `staging`; see `_environment`. `channels` come on top of an SNS topic and a mail channel."""
    return {
        "apiVersion": "ferryman/v1",
        "kind": "Platform",
        "metadata": {"name": name},
        "spec": {
            "components": {component: {"repository": f"{name}-{component}"} for component in components},
            "channels": {
                "team": {"type": "sns", "topicArn": f"ssm:/ferryman/{name}/channels/team-topic-arn"},
                "ops-mail": {"type": "mail", "from": SENDER, "to": [f"{name}@flow.example"]},
                **(channels or {}),
            },
            "environments": {ENVIRONMENT: _environment(name, ENVIRONMENT, components, **environment)},
        },
    }


def promoting(
    name: str,
    components: Sequence[str] = ("api",),
    *,
    migration: bool = False,
    staging: Mapping[str, Any] | None = None,
    approval: Mapping[str, Any] | None = None,
    channels: Mapping[str, Any] | None = None,
    github: Mapping[str, Any] | None = None,
    **production: Any,
) -> dict[str, Any]:
    """Staging, and a production that takes from it what a semver tag names and Ada or Grace approve.

    `staging` and `production` replace or add keys of the environments, `approval` of its policy; None leaves it out.
    """
    made = document(name, components, migration=migration, channels=channels, **(staging or {}))
    asked = {
        "required": 1,
        "expires": "24h",
        "reminder": None,
        "from": SENDER,
        "approvers": [approver(name, "Ada"), approver(name, "Grace")],
        **(approval or {}),
    }
    made["spec"]["environments"][PRODUCTION] = {
        **_environment(name, PRODUCTION, components, migration=migration),
        "triggers": ["tag", "manual"],
        "promoteFrom": ENVIRONMENT,
        "approval": asked,
        **production,
    }
    if github is not None:
        made["spec"]["github"] = {
            "repository": f"flow/{name}",
            "tokenSecretArn": f"ssm:/ferryman/{name}/channels/github-token-arn",
            **github,
        }
    return made


def approver(name: str, person: str, **more: str) -> dict[str, str]:
    """An approver of this platform, with a mail address of their own."""
    return {"name": person, "email": f"{person.lower()}@{name}.example", **more}


def slack(name: str, api_url: str, team: str) -> dict[str, Any]:
    """A channel of a Slack bot whose messages have buttons."""
    prefix = f"ssm:/ferryman/{name}/channels"
    return {
        "type": "slack",
        "botTokenSecretArn": f"{prefix}/slack-bot-token-arn",
        "signingSecretArn": f"{prefix}/slack-signing-secret-arn",
        "channel": "C0DEPLOYS",
        "team": team,
        "apiUrl": api_url,
    }


def webhook(name: str) -> dict[str, Any]:
    """A channel of an incoming webhook of Slack."""
    return {"type": "slack", "webhookSecretArn": f"ssm:/ferryman/{name}/channels/slack-webhook-arn"}


def everything(name: str) -> dict[str, Any]:
    """The largest document of this name: what the operator must be allowed to touch whatever a test makes of it."""
    return with_jobs(document(name, COMPONENTS, migration=True, databases=DATABASES, notify=["team", "ops-mail"]))


def with_jobs(made: dict[str, Any]) -> dict[str, Any]:
    """The document with a schedule and a rule in its last wave that run the first component."""
    name, environment = made["metadata"]["name"], made["spec"]["environments"][ENVIRONMENT]
    component = next(iter(made["spec"]["components"]))
    base = f"ssm:/ferryman/{name}/{ENVIRONMENT}/task-definitions/{environment['cluster']}-report"
    environment["waves"][-1]["jobs"] = [
        {"name": "report", "component": component, "schedule": f"{name}-report", "baseTaskDefinition": base},
        {"name": "upload", "component": component, "rule": f"{name}-upload"},
    ]
    return made


def everything_promoting(name: str) -> dict[str, Any]:
    """The largest one with a production."""
    channels = {"chat": slack(name, "http://127.0.0.1:1/api", "T0"), "hook": webhook(name)}
    return promoting(name, ("api", "web"), migration=True, channels=channels, github={})


def service_name(name: str, component: str, where: str) -> str:
    """Name of the ECS service of a component in an environment."""
    return f"{name}-{component}" if where == ENVIRONMENT else f"{name}-{component}-{where}"


def _environment(
    name: str,
    where: str,
    components: Sequence[str],
    *,
    migration: bool = False,
    databases: Sequence[str] = (),
    migration_timeout: str = "2m",
    timeout: str = "2m",
    fail_fast: int = 2,
    attempts: int = 2,
    notify: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A wave and a smoke test per component, a named migration per database. `more` replaces or adds keys."""
    prefix = f"ssm:/ferryman/{name}/{where}"
    services = {component: service_name(name, component, where) for component in components}
    spec: dict[str, Any] = {
        "cluster": f"{name}-{where}",
        "triggers": ["push"],
        "waves": [
            {
                "name": component,
                "services": [
                    {
                        "name": service,
                        "component": component,
                        "baseTaskDefinition": f"{prefix}/task-definitions/{service}",
                        "timeout": timeout,
                        "failFast": fail_fast,
                    }
                ],
            }
            for component, service in services.items()
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
        "movingTags": [f"{where}-latest"],
        "notify": list(notify),
        **more,
    }
    family = f"{name}-migrate" if where == ENVIRONMENT else f"{name}-migrate-{where}"
    if migration:
        spec["migration"] = _migration(prefix, family, components[0], migration_timeout, ["python", "migrate.py"])
    if databases:
        spec["migrations"] = [
            {
                "name": database,
                **_migration(
                    prefix, f"{family}-{database}", components[0], migration_timeout,
                    ["python", "migrate.py", "of", database],
                ),
            }
            for database in databases
        ]  # fmt: skip
    return spec


def _migration(prefix: str, family: str, component: str, timeout: str, command: list[str]) -> dict[str, Any]:
    return {
        "component": component,
        "taskDefinition": f"{prefix}/task-definitions/{family}",
        "container": component,
        "command": command,
        "downgrade": ["python", "migrate.py", "down", "{revision}"],
        "current": ["python", "migrate.py", "current"],
        "timeout": timeout,
        "network": {
            "subnets": f"{prefix}/private-subnet-ids",
            "securityGroups": f"{prefix}/task-security-group-ids",
        },
    }
