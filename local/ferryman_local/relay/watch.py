"""Polls ECR and ECS through the public API and returns the changes since the previous poll."""

import logging
from collections.abc import Iterator
from itertools import batched
from typing import Any

from ferryman_local.relay import deployments, images, tasks
from ferryman_local.relay.events import Change
from ferryman_local.relay.reads import Reads

logger = logging.getLogger(__name__)

_SERVICES_PER_CALL = 10  # DescribeServices' limit
_TASKS_PER_CALL = 100  # DescribeTasks' limit


class Watcher:
    """Remembers the last state; `look()` returns the changes. The first one returns everything that exists.

    A look costs one call per repository, one per ten services and one for the running tasks. The lists of repositories,
    clusters and services, which rarely change, are read every `every`th look. Stopped tasks are listed every time only
    while something changes. Tasks are described only while they change their state.
    """

    def __init__(self, reads: Reads, every: int = 4) -> None:
        self._reads = reads
        self._every = every
        self._looks = 0
        self._images: dict[str, dict[str, images.Image]] = {}
        self._clusters: dict[str, _Cluster] = {}
        self._untold: list[Change] = []  # found by a look that failed later on

    def look(self) -> list[Change]:
        """The changes since the last look. If a look fails, the next one returns what it had found."""
        whole = self._looks % self._every == 0
        self._looks += 1
        if whole:
            self._survey()
        for part in (self._look_at_images(), self._look_at_clusters(whole)):
            self._untold.extend(part)
        told, self._untold = self._untold, []
        return told

    def _survey(self) -> None:
        """List repositories and clusters. A deleted repository causes no events of its images, as on AWS."""
        pages = self._reads.changed("ecr", "DescribeRepositories")
        if pages is not None:
            names = [repo["repositoryName"] for page in pages for repo in page["repositories"]]
            self._images = {name: self._images.get(name, {}) for name in names}
        pages = self._reads.changed("ecs", "ListClusters")
        if pages is not None:
            arns = [arn for page in pages for arn in page["clusterArns"]]
            self._clusters = {arn: self._clusters.get(arn) or _Cluster(self._reads, arn) for arn in arns}

    def _look_at_images(self) -> Iterator[Change]:
        for repository, before in self._images.items():
            pages = self._reads.changed("ecr", "DescribeImages", repositoryName=repository)
            if pages is None:
                continue
            after = images.images_of(detail for page in pages for detail in page["imageDetails"])
            self._images[repository] = after
            yield from images.changes(repository, before, after)

    def _look_at_clusters(self, whole: bool) -> Iterator[Change]:
        for cluster in self._clusters.values():
            yield from cluster.look_at_services(whole)
            yield from cluster.look_at_tasks(whole)


class _Cluster:
    """The last state of the services and tasks of one cluster."""

    def __init__(self, reads: Reads, arn: str) -> None:
        self._reads = reads
        self._arn = arn
        self._services: dict[str, dict[str, deployments.Deployment]] = {}
        self._running: set[str] = set()
        self._versions: dict[str, int] = {}  # of each live task: an event tells each version once
        self._moving: set[str] = set()  # tasks to describe at every look until they settle
        self._stopped: set[str] = set()

    def look_at_services(self, whole: bool) -> Iterator[Change]:
        if whole and (pages := self._reads.changed("ecs", "ListServices", cluster=self._arn, maxResults=100)):
            arns = [arn for page in pages for arn in page["serviceArns"]]
            self._services = {arn: self._services.get(arn, {}) for arn in arns}
        for names in batched(self._services, _SERVICES_PER_CALL, strict=False):
            pages = self._reads.changed("ecs", "DescribeServices", cluster=self._arn, services=list(names))
            for service in (service for page in pages or () for service in page["services"]):
                before = self._services.get(service["serviceArn"])
                if before is not None:
                    after = deployments.deployments_of(service)
                    self._services[service["serviceArn"]] = after
                    yield from deployments.changes(service["serviceArn"], before, after)

    def look_at_tasks(self, whole: bool) -> Iterator[Change]:
        """Describe only tasks that started or ended, which the lists show."""
        if self._list("RUNNING", self._running):
            self._moving |= self._running - self._versions.keys()
            self._moving |= self._versions.keys() - self._running
        moving = bool(self._moving) or any(map(deployments.in_motion, (s.values() for s in self._services.values())))
        if moving or whole:
            listed: set[str] = set()
            if self._list("STOPPED", listed):
                # A task may start and end between two looks: it was never seen running.
                self._moving |= listed - self._stopped
        for arns in batched(sorted(self._moving), _TASKS_PER_CALL, strict=False):
            answer = self._reads.all("ecs", "DescribeTasks", cluster=self._arn, tasks=list(arns))[0]
            for task in sorted(answer["tasks"], key=lambda task: (task.get("createdAt", 0), task["taskArn"])):
                yield from self._judge(task)
            for failure in answer.get("failures", ()):
                self._moving.discard(failure["arn"])
                self._versions.pop(failure["arn"], None)

    def _list(self, status: str, into: set[str]) -> bool:
        """Put the ARNs of all tasks with this desired status into the set; return False if nothing changed."""
        pages = self._reads.changed("ecs", "ListTasks", cluster=self._arn, desiredStatus=status, maxResults=1000)
        if pages is None:
            return False
        into.clear()
        into.update(arn for page in pages for arn in page["taskArns"])
        return True

    def _judge(self, task: dict[str, Any]) -> Iterator[Change]:
        arn, version = task["taskArn"], int(task.get("version") or 0)
        if self._versions.get(arn) != version:
            self._versions[arn] = version
            yield tasks.change(task)
        if tasks.settled(task):
            self._moving.discard(arn)
        if task.get("lastStatus") == "STOPPED":
            self._versions.pop(arn, None)
            self._stopped.add(arn)
