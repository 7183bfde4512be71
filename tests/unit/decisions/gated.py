"""A document that uses every gate, for tests of what a new document changes."""

from typing import Any

FAMILIES = "arn:aws:ecs:eu-west-1:123456789012:task-definition"


def stored() -> dict[str, Any]:
    """A document that uses every gate in its production; staging asks nobody."""
    service = {"name": "api", "component": "api", "baseTaskDefinition": f"{FAMILIES}/api-production:7"}
    staging = {"cluster": "staging", "waves": [{"name": "one", "services": [{"name": "api", "component": "api"}]}]}
    production = {
        "cluster": "ssm:/ferryman/scr/production/cluster",
        "triggers": ["tag", "manual"],
        "promoteFrom": "staging",
        "soak": "1h",
        "scan": {"block": ["CRITICAL", "HIGH"]},
        "approval": {
            "approvers": [
                {"name": "Ada", "email": "ssm:/ferryman/scr/ada", "slack": "U0000ADA"},
                {"name": "Grace", "email": "grace@scr.example", "arn": "arn:aws:iam::123456789012:user/grace"},
            ],
            "required": 2,
            "from": "ferryman@scr.example",
            "forRollback": True,
        },
        "freeze": {
            "timeZone": "Europe/Berlin",
            "windows": [
                {"name": "weekend", "weekly": "Fri 16:00 - Mon 08:00"},
                {"name": "office", "kind": "allow", "weekly": "Mon 09:00 - Fri 16:00"},
            ],
        },
        "waves": [
            {"name": "one", "services": [service, {"name": "web", "component": "web"}],
             "jobs": [{"name": "report", "component": "api", "schedule": "report-production"}]},
        ],
        "migration": {
            "component": "api", "taskDefinition": f"{FAMILIES}/migrate-production:3", "command": ["alembic", "upgrade"],
            "current": ["alembic", "current"], "network": {"subnets": ["s"], "securityGroups": ["g"]},
        },
        "smokeTests": [{"name": "health", "url": "https://api.example", "expect": {"status": [200]}}],
        "onBaseChange": "report",
        "notify": ["team", "chat"],
    }  # fmt: skip
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret"
    chat = {"type": "slack", "botTokenSecretArn": f"{secret}:bot", "signingSecretArn": f"{secret}:sign",
            "channel": "C024BE91L", "team": "T024BE7LD"}  # fmt: skip
    return {
        "apiVersion": "ferryman/v1",
        "kind": "Platform",
        "metadata": {"name": "scr"},
        "spec": {
            "components": {"api": {"repository": "scr-api"}, "web": {"repository": "scr-web"}},
            "channels": {
                "team": {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:team"},
                "chat": chat,
                "ops": {"type": "mail", "from": "f@scr.example", "to": ["ops@scr.example"]},
            },
            "github": {"repository": "scr/scr"},
            "environments": {"staging": staging, "production": production},
        },
    }
