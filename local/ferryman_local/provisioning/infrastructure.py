"""Creates what Terraform creates on AWS for a platform document: everything that the operator uses but does not own.

Used by the demo and the flow tests. The parameters for the operator have the names of the document's `ssm:` references.
Until their first release the services run a placeholder image with the tag `bootstrap`, which no tagPattern matches.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from ferryman_local.emulator import Emulator
from ferryman_local.images import oci
from ferryman_local.images.builders import Builder, ProcessBuilder
from ferryman_local.images.oci import BOOTSTRAP
from ferryman_local.provisioning import ensure
from ferryman_local.provisioning.backing import Asked, Backing, ProcessBacking
from ferryman_local.provisioning.operator_parameters import job_family
from ferryman_local.provisioning.references import containers_of, migrations_of, missing, secrets_of

STABLE_SECONDS = 180.0
Report = Callable[[str], None]


class InfrastructureError(Exception):
    """The document refers to something that was not created, or a service did not become stable."""


@dataclass
class Infrastructure:
    """The created resources. `urls`: environment → component → URL for people, smoke tests and other components."""

    urls: dict[str, dict[str, str]] = field(default_factory=dict)
    clusters: list[str] = field(default_factory=list)
    task_roles: list[str] = field(default_factory=list)
    execution_roles: list[str] = field(default_factory=list)
    topics: dict[str, str] = field(default_factory=dict)


def load(file: Path) -> dict[str, Any]:
    """A platform document as plain data."""
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    return document


def create(
    emulator: Emulator,
    document: Mapping[str, Any],
    apps: Path,
    *,
    secrets: Mapping[str, str] | None = None,
    builder: Builder | None = None,
    backing: Backing | None = None,
    report: Report = lambda _line: None,
) -> Infrastructure:
    """Create everything and wait until the services are stable; `apps` has apps/<component> and services/<component>.

    `secrets`: last part of a secret's name → its value, which a person sets on AWS. `builder` and `backing` default to
    those of the process engine.
    """
    builder = builder or ProcessBuilder(emulator.port, apps)
    backing = backing or ProcessBacking(emulator.state_dir)
    session, spec, platform = emulator.session(), document["spec"], document["metadata"]["name"]
    created = Infrastructure()
    ports = {name: port_of(apps, name) for name in spec["components"]}
    addresses = {}
    for name, component in spec["components"].items():
        addresses[name] = ensure.repository(session, component["repository"])
        builder.placeholder(component["repository"], ports[name])
    report(f"created {len(ports)} repositories with placeholder images")
    for name, channel in (spec.get("channels") or {}).items():
        if channel["type"] == "sns":
            created.topics[name] = ensure.topic(session, f"{platform}-{name}")
            ensure.parameter(session, f"/ferryman/{platform}/channels/{name}-topic-arn", created.topics[name])
        elif channel["type"] == "mail":
            ensure.mail_sender(session, channel["from"])
    for secret in secrets_of(document):
        last = secret.rpartition("/")[2]
        arn = ensure.secret(session, secret, (secrets or {}).get(last, "nobody has put a value yet"))
        ensure.parameter(session, f"/ferryman/{platform}/channels/{last}-arn", arn)
    for name, environment in spec["environments"].items():
        if sender := (environment.get("approval") or {}).get("from"):
            ensure.mail_sender(session, sender)
        Environment(emulator, session, platform, name, environment, addresses, ports, backing).create(created)
        report(f"environment {name}: cluster {environment['cluster']}, load balancer, services")
    prefix = f"/ferryman/{platform}/operator"
    ensure.parameter(session, f"{prefix}/cluster-arns", ",".join(created.clusters), "StringList")
    ensure.parameter(session, f"{prefix}/task-role-arns", ",".join(created.task_roles), "StringList")
    ensure.parameter(session, f"{prefix}/execution-role-arns", ",".join(created.execution_roles), "StringList")
    check_references(session, document)
    for environment in spec["environments"].values():
        names = [s["name"] for wave in environment["waves"] for s in wave.get("services") or []]
        wait_stable(session, environment["cluster"], names)
    report("all services are stable with their placeholder images")
    return created


def port_of(apps: Path, component: str) -> int:
    """The port in a component's image.yaml."""
    for kind in ("apps", "services"):
        if (apps / kind / component / "image.yaml").exists():
            return int(oci.spec_of(apps / kind / component)["port"])
    raise InfrastructureError(f"component {component} has no image.yaml in {apps}/apps or {apps}/services")


def check_references(session: Any, document: Mapping[str, Any]) -> None:
    """Raise InfrastructureError if the document names a parameter that is not created here."""
    if unknown := missing(session, document):
        raise InfrastructureError(
            f"the platform document refers to parameters that do not exist: {', '.join(unknown)}. The local AWS "
            "creates /ferryman/<platform>/<environment>/{private-subnet-ids, task-security-group-ids, <component>-url, "
            "task-definitions/<service or migration family>} and "
            "/ferryman/<platform>/channels/{<channel>-topic, <secret>}-arn."
        )


def wait_stable(session: Any, cluster: str, names: list[str]) -> None:
    """Wait until each service has one completed deployment."""
    ecs, deadline = session.client("ecs"), time.monotonic() + STABLE_SECONDS
    waiting: list[Any] = []
    while time.monotonic() < deadline:
        found = ecs.describe_services(cluster=cluster, services=names)["services"]
        waiting = [
            s
            for s in found
            if [d["rolloutState"] for d in s["deployments"]] != ["COMPLETED"] or s["runningCount"] != s["desiredCount"]
        ]
        if not waiting:
            return
        time.sleep(0.1)
    told = "; ".join(
        f"{s['serviceName']}: {s['events'][0]['message'] if s['events'] else 'no events'}" for s in waiting
    )
    raise InfrastructureError(f"services of cluster {cluster} are not stable after {STABLE_SECONDS:.0f} s: {told}")


class Environment:
    """One environment of the document."""

    def __init__(
        self,
        emulator: Emulator,
        session: Any,
        platform: str,
        name: str,
        spec: Mapping[str, Any],
        addresses: Mapping[str, str],
        ports: Mapping[str, int],
        backing: Backing,
    ) -> None:
        self._backing = backing
        self._emulator, self._session, self._platform, self._name = emulator, session, platform, name
        self._spec, self._addresses, self._ports = spec, addresses, ports
        self._prefix = f"/ferryman/{platform}/{name}"
        self._cluster = spec["cluster"]

    def create(self, created: Infrastructure) -> None:
        """Create everything, in the order of the dependencies."""
        session = self._session
        created.clusters.append(ensure.cluster(session, self._cluster))
        self._task_role = ensure.role(session, f"{self._cluster}-task", {})
        self._execution_role = ensure.role(session, f"{self._cluster}-execution", {"images-and-logs": EXECUTION_POLICY})
        created.task_roles.append(self._task_role)
        created.execution_roles.append(self._execution_role)
        vpc, self._subnets, self._group = ensure.network(session, self._cluster)
        ensure.parameter(session, f"{self._prefix}/private-subnet-ids", ",".join(self._subnets), "StringList")
        ensure.parameter(session, f"{self._prefix}/task-security-group-ids", self._group, "StringList")
        self._balancer = ensure.load_balancer(session, self._cluster, self._subnets, self._group)
        services = [s for wave in self._spec["waves"] for s in wave.get("services") or []]
        urls = {c: self.url(c) for c in dict.fromkeys(s["component"] for s in services)}
        for component, url in urls.items():
            ensure.parameter(session, f"{self._prefix}/{component}-url", url)
        created.urls[self._name] = self._urls = urls
        groups = self._routing(vpc, services)
        for service in services:
            self._service(service, groups[service["name"]])
        for migration in migrations_of(self._spec):
            family = str(migration["taskDefinition"]).rpartition("/")[2]
            self._task_definition(family, containers_of(migration))
        jobs = [job for wave in self._spec["waves"] for job in wave.get("jobs") or []]
        if jobs:
            role = ensure.role(session, f"{self._cluster}-jobs", {"run-tasks": JOBS_POLICY}, JOBS_SERVICES)
            for job in jobs:
                self._job(job, role)

    def host(self, component: str) -> str:
        """The host name of a component; a component without its own host name gets the environment's."""
        base = f"{self._platform}-platform.example"
        base = base if self._name == "production" else f"{self._name}.{base}"
        return base if component == "web" else f"{component}.{base}"

    def url(self, component: str) -> str:
        """A URL that reaches the load balancer with this host name, from anywhere on this machine."""
        return f"{self._emulator.endpoint}/_ferryman/at/{self._cluster}/{self.host(component)}"

    def _routing(self, vpc: str, services: list[Mapping[str, Any]]) -> dict[str, str]:
        """Target groups and rules: a host name for each component, `/api/*` to the API, all else to the web app."""
        groups = {}
        for service in services:
            component = service["component"]
            path, statuses = ("/", "200,307") if component == "web" else ("/health", "200")
            groups[service["name"]] = ensure.target_group(
                self._session, service["name"][:32], vpc, self._ports[component], path, statuses
            )
        by_component = {s["component"]: groups[s["name"]] for s in services}
        default = by_component.get("web") or groups[services[-1]["name"]]
        listener = ensure.listener(self._session, self._balancer, default)
        for number, (component, group) in enumerate(by_component.items()):
            if component != "web":
                ensure.rule(self._session, listener, 10 + number, "host-header", self.host(component), group)
        if "api" in by_component:
            ensure.rule(self._session, listener, 100, "path-pattern", "/api/*", by_component["api"])
        return groups

    def _task_definition(self, family: str, containers: Mapping[str, str]) -> str:
        """A base task definition, registered once; its ARN is published for the operator.

        `containers` is container → component. Only the first is essential and has a port.
        """
        name = f"{self._prefix}/task-definitions/{family}"
        if known := ensure.read_parameter(self._session, name):
            return known
        log_group = f"/ecs/{family}"
        ensure.log_group(self._session, log_group)
        main = next(iter(containers))
        made = self._session.client("ecs").register_task_definition(
            family=family,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            taskRoleArn=self._task_role,
            executionRoleArn=self._execution_role,
            tags=[{"key": "platform", "value": self._platform}],  # as the default tags of Terraform's provider
            containerDefinitions=[
                self._container(container, component, log_group, main=container == main)
                for container, component in containers.items()
            ],
            volumes=[
                {"name": name}
                for name in dict.fromkeys(
                    mount["sourceVolume"]
                    for component in containers.values()
                    for mount in self._backing.definition(self._asked(component)).get("mountPoints", [])
                )
            ],
        )
        arn = str(made["taskDefinition"]["taskDefinitionArn"])
        ensure.parameter(self._session, name, arn)
        return arn

    def _asked(self, component: str) -> Asked:
        return Asked(component, self._name, self._cluster, self._ports[component], self._urls)

    def _container(self, name: str, component: str, log_group: str, *, main: bool) -> dict[str, Any]:
        asked = self._asked(component)
        ports = {"portMappings": [{"containerPort": asked.port, "protocol": "tcp"}]} if main else {}
        return {
            "name": name,
            "essential": main,
            "image": f"{self._addresses[component]}:{BOOTSTRAP}",
            **ports,
            "environment": [{"name": k, "value": v} for k, v in self._backing.variables(asked).items()],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": log_group,
                    "awslogs-region": self._emulator.region,
                    "awslogs-stream-prefix": "ecs",
                },
            },
            **self._backing.definition(asked),
        }

    def _service(self, service: Mapping[str, Any], group: str) -> None:
        name, component, containers = service["name"], service["component"], containers_of(service)
        definition = self._task_definition(name, containers)
        ensure.service(
            self._session,
            self._cluster,
            name,
            taskDefinition=definition,
            desiredCount=1,
            launchType="FARGATE",
            healthCheckGracePeriodSeconds=self._backing.grace_seconds,
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": self._subnets,
                    "securityGroups": [self._group],
                    "assignPublicIp": "DISABLED",
                }
            },
            deploymentController={"type": "ECS"},
            deploymentConfiguration={
                "minimumHealthyPercent": 100,
                "maximumPercent": 200,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
            loadBalancers=[
                {
                    "targetGroupArn": group,
                    "containerName": next(iter(containers)),
                    "containerPort": self._ports[component],
                }
            ],
        )

    def _job(self, job: Mapping[str, Any], role: str) -> None:
        """What starts a job: a schedule at night, or a rule for events of the source `<platform>.<job>`."""
        family = job_family(self._cluster, job)
        target = {
            "Arn": f"arn:aws:ecs:{self._emulator.region}:{self._emulator.account}:cluster/{self._cluster}",
            "RoleArn": role,
            "EcsParameters": {
                "TaskDefinitionArn": self._task_definition(family, containers_of(job)),
                "TaskCount": 1,
                "LaunchType": "FARGATE",
                "NetworkConfiguration": {
                    "awsvpcConfiguration": {
                        "Subnets": self._subnets,
                        "SecurityGroups": [self._group],
                        "AssignPublicIp": "DISABLED",
                    }
                },
            },
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 2},
        }
        if job.get("schedule"):
            ensure.schedule(
                self._session,
                job["schedule"],
                job.get("group") or "default",
                ScheduleExpression="cron(0 3 * * ? *)",
                ScheduleExpressionTimezone="Europe/Vienna",
                Description=f"starts {job['name']} every night",
                FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
                Target=target,
            )
        else:
            pattern = json.dumps({"source": [f"{self._platform}.{job['name']}"]})
            ensure.event_rule(self._session, job["rule"], pattern, {"Id": job.get("target") or "task", **target})


JOBS_SERVICES = ("scheduler.amazonaws.com", "events.amazonaws.com")
JOBS_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Resource": "*", "Action": ["ecs:RunTask", "iam:PassRole"]}],
    }
)
EXECUTION_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Resource": "*",
                "Action": [
                    "ecr:GetAuthorizationToken",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                ],
            }
        ],
    }
)
