"""The state of AWS, read without the operator: tasks, tags, responses through the load balancer, the inbox."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Thread
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from ferryman.records import Phase
from ferryman_local.standins.people import Inbox

_TIMEOUT = 10.0
_ENDS = [phase.value for phase in Phase if phase.terminal]

Tell = Callable[[str, str, str], None]
"""Prints one line: subject, status, detail."""


@dataclass(frozen=True)
class Service:
    """One ECS service, as DescribeServices and DescribeTasks return it."""

    task_definition: str
    deployments: tuple[str, ...]
    running: int
    desired: int
    rollout: str
    image: str
    """Image of the named container in the service's task definition."""
    digests: frozenset[str]
    """Digests that its tasks run."""

    @property
    def stable(self) -> bool:
        """The condition of botocore's waiter services_stable: one deployment, and running == desired."""
        return len(self.deployments) == 1 and self.running == self.desired


class Observer:
    """Reads AWS without any knowledge of the operator."""

    def __init__(self, session: Any, endpoint: str, place: str, cluster: str, services: Mapping[str, str]) -> None:
        """`place` is platform/environment, `services` is service → component, which is its container's name too."""
        self.inbox, self._place = Inbox(endpoint), place
        self._ecs, self._ecr = session.client("ecs"), session.client("ecr")
        self._cluster, self._components = cluster, dict(services)

    def services(self) -> dict[str, Service]:
        """Every service by name."""
        found = self._ecs.describe_services(cluster=self._cluster, services=list(self._components))["services"]
        return {raw["serviceName"]: self._service(raw) for raw in found}

    def _service(self, raw: Mapping[str, Any]) -> Service:
        name, component = raw["serviceName"], self._components[raw["serviceName"]]
        definition = self._ecs.describe_task_definition(taskDefinition=raw["taskDefinition"])["taskDefinition"]
        arns = self._ecs.list_tasks(cluster=self._cluster, serviceName=name, desiredStatus="RUNNING")["taskArns"]
        tasks = self._ecs.describe_tasks(cluster=self._cluster, tasks=arns)["tasks"] if arns else []
        primary = next(deployment for deployment in raw["deployments"] if deployment["status"] == "PRIMARY")
        return Service(
            task_definition=raw["taskDefinition"].rpartition("/")[2],
            deployments=tuple(deployment["id"] for deployment in raw["deployments"]),
            running=raw["runningCount"],
            desired=raw["desiredCount"],
            rollout=primary.get("rolloutState", ""),
            image=next(c["image"] for c in definition["containerDefinitions"] if c["name"] == component),
            digests=frozenset(
                container.get("imageDigest", "")
                for task in tasks
                if task["lastStatus"] == "RUNNING"
                for container in task["containers"]
                if container["name"] == component
            ),
        )

    def runs(self) -> dict[str, str]:
        """Component → digest, if the tasks of a service and its task definition have the same one."""
        found = {}
        for name, service in self.services().items():
            pinned = service.image.rpartition("@")[2]
            agreed = service.digests == {pinned}
            found[self._components[name]] = pinned if agreed else f"{pinned} pinned, {set(service.digests)} running"
        return found

    def tag(self, repositories: Mapping[str, str], tag: str) -> dict[str, str | None]:
        """Component → digest that a tag points to."""
        return {component: self._tagged(repository, tag) for component, repository in repositories.items()}

    def _tagged(self, repository: str, tag: str) -> str | None:
        try:
            found = self._ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ImageNotFoundException":
                return None
            raise
        return str(found["imageDetails"][0]["imageDigest"])

    def mails(self, version: str) -> list[dict[str, Any]]:
        """The emails about the end of a version's deployment in this environment."""
        ended = [f"[{phase}]" for phase in _ENDS]
        subjects = [(mail, str(mail.get("Subject", ""))) for mail in self.inbox.mails()]
        return [
            mail
            for mail, subject in subjects
            if version in subject and self._place in subject and subject.startswith(tuple(ended))
        ]

    def wait_like_ci(self, service: str, tell: Tell) -> "CiWait":
        """Start what a CI job does: once the service has a new task definition, wait until it is stable."""
        return CiWait(self._ecs, self._cluster, service, tell)


class CiWait:
    """`aws ecs wait services-stable` on a service that is about to be updated, in a separate thread."""

    def __init__(self, ecs: Any, cluster: str, service: str, tell: Tell) -> None:
        self.result = "did not end"
        self._ecs, self._cluster, self._service, self._tell = ecs, cluster, service, tell
        self._before = self._seen()
        self._thread = Thread(target=self._run, name="ci-wait", daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> "CiWait":
        """Wait for its end."""
        self._thread.join(seconds)
        return self

    def _service_now(self) -> Any:
        return self._ecs.describe_services(cluster=self._cluster, services=[self._service])["services"][0]

    def _seen(self) -> tuple[str, list[str]]:
        """What an update changes: the events also tell of one that was taken back between two looks."""
        now = self._service_now()
        return now["taskDefinition"], [event["id"] for event in now.get("events", [])]

    def _run(self) -> None:
        try:
            while self._seen() == self._before:
                time.sleep(0.2)
            self._tell("a CI job", "waits", f"with `aws ecs wait services-stable --services {self._service}`")
            # The real waiter; only its pause of 15 s is shorter.
            self._ecs.get_waiter("services_stable").wait(
                cluster=self._cluster, services=[self._service], WaiterConfig={"Delay": 1, "MaxAttempts": 300}
            )
            self.result = "success"
            now = self._service_now()
            state = f"{len(now['deployments'])} deployment, {now['runningCount']}/{now['desiredCount']} running"
            self._tell(
                "a CI job", "success", f"stable: {state}. But it runs {now['taskDefinition'].rpartition('/')[2]}"
            )
        except (WaiterError, ClientError, BotoCoreError) as error:
            self.result = str(error)


def health(url: str) -> str:
    """The version that /health returns, or a description of the failure."""
    try:
        answer = httpx.get(f"{url}/health", timeout=_TIMEOUT, trust_env=False)
        return str(answer.json()["version"]) if answer.status_code == 200 else f"HTTP {answer.status_code}"
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"


def page(url: str) -> str:
    """The version that the web page shows, or a description of the failure."""
    try:
        answer = httpx.get(f"{url}/", timeout=_TIMEOUT, trust_env=False)
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    return version_in(answer.text) or f"HTTP {answer.status_code} without a version"


def version_in(page: str) -> str:
    """The version that a page of the example shows; empty if it shows none."""
    return page.partition('id="web-version">')[2].partition("<")[0]
