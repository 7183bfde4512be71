"""A service, its tasks and its load balancer on the local AWS, for the tests of ECS."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from ferryman_local.emulator import Emulator
from ferryman_local.images import oci
from ferryman_local.provisioning import ensure
from local.clock import until

SERVER = """
import json, os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ.get("STATUS", "200")))
        self.end_headers()
        self.wfile.write(json.dumps({"version": os.environ["VERSION"], "host": self.headers["Host"]}).encode())
    def log_message(self, *a): pass
print("listening on", os.environ["BIND_ADDRESS"], flush=True)
HTTPServer((os.environ["BIND_ADDRESS"], 8000), Handler).serve_forever()
"""
type Client = Callable[[str], Any]


class Stage:
    """Repositories, task definitions, services and tasks of one test, in the shared cluster."""

    def __init__(self, emulator: Emulator, aws: Client, cluster: str, files: Callable[[str], Path]) -> None:
        self.emulator, self.ecs, self.cluster, self._files = emulator, aws("ecs"), cluster, files
        self.name = f"svc-{uuid4().hex[:8]}"
        ensure.repository(emulator.session(), self.name)
        ensure.log_group(emulator.session(), f"/ecs/{self.name}")

    def push(self, source: str, *, index: bool = False, **env: str) -> str:
        return oci.push_image(
            self.emulator.port,
            self.name,
            uuid4().hex[:7],
            self._files(source),
            cmd=["python", "main.py"],
            env=env,
            exposed=8000,
            index=index,
        )

    def definition(self, digest: str, **container: Any) -> str:
        arn: str = self.ecs.register_task_definition(
            family=self.name,
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[
                {
                    "name": "app",
                    "image": f"{self.emulator.registry}/{self.name}@{digest}",
                    "essential": True,
                    "portMappings": [{"containerPort": 8000}],
                    **container,
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {
                            "awslogs-group": f"/ecs/{self.name}",
                            "awslogs-region": self.emulator.region,
                            "awslogs-stream-prefix": "ecs",
                        },
                    },
                }
            ],
        )["taskDefinition"]["taskDefinitionArn"]
        return arn

    def run(self, digest: str, command: list[str] | None = None, **more: Any) -> Any:
        override = {"containerOverrides": [{"name": "app", **({"command": command} if command else {})}]}
        return self.ecs.run_task(
            cluster=self.cluster,
            taskDefinition=self.definition(digest),
            launchType="FARGATE",
            overrides=override,
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            **more,
        )["tasks"][0]

    def task(self, arn: str) -> Any:
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0]

    def task_in(self, status: str, arn: str) -> Any:
        found = self.task(arn)
        return found if found["lastStatus"] == status else None

    def finished(self, arn: str) -> Any:
        return until(lambda: self.task_in("STOPPED", arn), "its end")

    def running(self, arn: str) -> Any:
        return until(lambda: self.task_in("RUNNING", arn), "a start")

    def create(self, digest: str, count: int = 1, *, maximum: int = 200, **container: Any) -> str:
        """A service behind a load balancer; the URL that reaches it."""
        session = self.emulator.session()
        vpc, subnets, group = ensure.network(session, "tests")
        balancer = ensure.load_balancer(session, self.name, subnets, group)
        self.group = ensure.target_group(session, self.name, vpc, 8000, "/health", "200", unhealthy_after=2)
        ensure.listener(session, balancer, self.group)
        ensure.service(
            session,
            self.cluster,
            self.name,
            taskDefinition=self.definition(digest, **container),
            desiredCount=count,
            launchType="FARGATE",
            deploymentConfiguration={
                "minimumHealthyPercent": 100,
                "maximumPercent": maximum,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
            networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}},
            loadBalancers=[{"targetGroupArn": self.group, "containerName": "app", "containerPort": 8000}],
        )
        self.settled()
        return f"{self.emulator.endpoint}/_ferryman/at/{self.name}/app.example"

    def update(self, digest: str) -> str:
        """Begin a deployment; its id."""
        service = self.ecs.update_service(
            cluster=self.cluster, service=self.name, taskDefinition=self.definition(digest)
        )
        (begun,) = [d["id"] for d in service["service"]["deployments"] if d["status"] == "PRIMARY"]
        return str(begun)

    def service(self) -> Any:
        return self.ecs.describe_services(cluster=self.cluster, services=[self.name])["services"][0]

    def settled(self, seconds: float = 20) -> Any:
        def primary_completed() -> Any:
            found = self.service()
            states = {d["status"]: d["rolloutState"] for d in found["deployments"]}
            return found if states.get("PRIMARY") == "COMPLETED" else None

        return until(primary_completed, f"a completed deployment of {self.name}", seconds)

    def tasks(self) -> list[str]:
        """The tasks that shall run."""
        arns: list[str] = self.ecs.list_tasks(cluster=self.cluster, serviceName=self.name)["taskArns"]
        return arns

    def address(self, arn: str) -> str:
        """Where a task listens."""
        (found,) = [
            d["value"] for d in self.task(arn)["attachments"][0]["details"] if d["name"] == "privateIPv4Address"
        ]
        return str(found)

    def digests(self) -> list[str]:
        return [self.task(arn)["containers"][0]["imageDigest"] for arn in self.tasks()]

    def clear(self) -> None:
        """Leave nothing that runs."""
        found = self.ecs.describe_services(cluster=self.cluster, services=[self.name])["services"]
        if any(service["status"] == "ACTIVE" for service in found):
            self.ecs.delete_service(cluster=self.cluster, service=self.name, force=True)
