"""Writes the parameters that Terraform writes for the operator's template: exactly what the operator may access."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ferryman.platform.secret_uses import Use
from ferryman_local.emulator import Emulator
from ferryman_local.provisioning import ensure, people
from ferryman_local.provisioning.references import migrations_of, secrets_of

NOTHING = "arn:aws:none:::none"
"""A placeholder if a platform has no value, because SSM requires at least one."""

LISTS = (
    "cluster-arns",
    "pass-role-arns",
    "repository-arns",
    "migration-task-definition-arns",
    "job-arns",
    "job-role-arns",
    "log-group-arns",
    "topic-arns",
    "mail-identity-arns",
    "webhook-secret-arns",
    "bot-token-secret-arns",
    "signing-secret-arns",
    "github-secret-arns",
    # For an operator of version 0.1, which tests upgrade.
    "repository-names",
    "secret-arns",
)

ALARM_TOPIC = "/ferryman/operator/alarm-topic-arn"

_SECRETS = {
    Use.WEBHOOK: "webhook-secret-arns",
    Use.BOT_TOKEN: "bot-token-secret-arns",
    Use.SIGNING: "signing-secret-arns",
    Use.GITHUB: "github-secret-arns",
}
"""Use of a secret → the list of those secrets."""


def write(emulator: Emulator, documents: Iterable[Mapping[str, Any]]) -> None:
    """Write the lists and the roles for these platforms, which do not have to exist yet."""
    documents = list(documents)
    lists: dict[str, list[str]] = {name: [] for name in LISTS}
    for document in documents:
        for name, values in lists_of(document, emulator.region, emulator.account).items():
            lists[name] += values
    session = emulator.session()
    for name, values in lists.items():
        unique = list(dict.fromkeys(values)) or [NOTHING]
        ensure.parameter(session, f"/ferryman/operator/{name}", ",".join(unique), "StringList")

    topic = session.client("sns").create_topic(Name="ferryman-operator-alarms")["TopicArn"]
    session.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=_alarm_queue(session, emulator))
    ensure.parameter(session, ALARM_TOPIC, topic)
    for document in documents:
        write_access(session, document["metadata"]["name"], people.grants(emulator.account))


def _alarm_queue(session: Any, emulator: Emulator) -> str:
    """The ARN of a queue that hears the operator's alarms, as a team's mailbox does."""
    session.client("sqs").create_queue(QueueName="ferryman-operator-alarms")
    return f"arn:aws:sqs:{emulator.region}:{emulator.account}:ferryman-operator-alarms"


def write_access(session: Any, platform: str, grants: Iterable[Mapping[str, Any]]) -> None:
    """Write who has which role on a platform."""
    value = json.dumps({"grants": list(grants)})
    ensure.parameter(session, f"/ferryman/operator/access/{platform}", value)


def lists_of(document: Mapping[str, Any], region: str, account: str) -> dict[str, list[str]]:
    """The entries of one platform."""
    lists: dict[str, list[str]] = {name: [] for name in LISTS}
    spec, platform = document["spec"], document["metadata"]["name"]

    def arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{region}:{account}:{resource}"

    for component in spec["components"].values():
        lists["repository-arns"].append(arn("ecr", f"repository/{component['repository']}"))
        lists["repository-names"].append(component["repository"])
    for name, channel in (spec.get("channels") or {}).items():
        if channel["type"] == "sns":
            lists["topic-arns"].append(arn("sns", f"{platform}-{name}"))
        elif channel["type"] == "mail":
            lists["mail-identity-arns"].append(arn("ses", f"identity/{channel['from']}"))
    # Secrets Manager adds six characters of its own to each name.
    lists["secret-arns"] += [arn("secretsmanager", f"secret:{name}-??????") for name in secrets_of(document)]
    for use, name in _SECRETS.items():
        lists[name] += [one for one in lists["secret-arns"] if f":secret:ferryman/{platform}/{use}-" in one]
    for environment in spec["environments"].values():
        cluster = environment["cluster"]
        lists["cluster-arns"].append(arn("ecs", f"cluster/{cluster}"))
        lists["pass-role-arns"] += [f"arn:aws:iam::{account}:role/{cluster}-{kind}" for kind in ("task", "execution")]
        families = [service["name"] for wave in environment["waves"] for service in wave.get("services") or []]
        for migration in migrations_of(environment):
            family = str(migration["taskDefinition"]).rpartition("/")[2]
            lists["migration-task-definition-arns"].append(arn("ecs", f"task-definition/{family}:*"))
            families.append(family)
        jobs = [job for wave in environment["waves"] for job in wave.get("jobs") or []]
        for job in jobs:
            lists["job-arns"].append(arn(*_started_by(job)))
            families.append(job_family(cluster, job))
        if jobs:
            lists["job-role-arns"].append(f"arn:aws:iam::{account}:role/{cluster}-jobs")
        lists["log-group-arns"] += [arn("logs", f"log-group:/ecs/{family}:*") for family in families]
        if sender := (environment.get("approval") or {}).get("from"):
            lists["mail-identity-arns"].append(arn("ses", f"identity/{sender}"))
    return lists


def job_family(cluster: str, job: Mapping[str, Any]) -> str:
    """The family of the task definition that a job runs."""
    return f"{cluster}-{job['name']}"


def _started_by(job: Mapping[str, Any]) -> tuple[str, str]:
    """The service and the resource of the ARN of what starts a job."""
    if job.get("schedule"):
        return "scheduler", f"schedule/{job.get('group') or 'default'}/{job['schedule']}"
    bus = job.get("eventBus") or "default"
    return "events", f"rule/{job['rule']}" if bus == "default" else f"rule/{bus}/{job['rule']}"
