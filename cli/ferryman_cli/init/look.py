"""Look at ECS and ECR with the caller's credentials. What may not be read is told in a sentence and left out."""

from collections.abc import Callable, Iterator
from itertools import batched
from typing import Any

from ferryman.platform.values import is_reference
from ferryman_cli.doctor.checks import Answer, Blind
from ferryman_cli.doctor.eyes import Eyes, NoCredentials, session_and_region
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.init.seen import Container, Registry, SeenService

_AT_ONCE = 10
"""Services that DescribeServices takes at once."""
_NO_CLUSTER = "ClusterNotFoundException"


def eyes() -> Eyes | str:
    """Return what looks at AWS, or why nothing can be seen."""
    try:
        session, region = session_and_region()
    except NoCredentials as error:
        if str(error):
            return f"the AWS credentials cannot be loaded: {error}"
        return "there are no AWS credentials; log in, for example with `aws sso login`"
    if not region:
        return "no AWS region is set; set AWS_REGION"
    return Eyes(session, region)


class Look:
    """Asks AWS each thing once, and tells once in a sentence what could not be read."""

    def __init__(self, found: Eyes | str, tell: Callable[[str], None]) -> None:
        self._eyes = found if isinstance(found, Eyes) else None
        self.region = found.region if isinstance(found, Eyes) else ""
        self._tell = tell
        self._told: set[str] = set()
        self._clusters: dict[str, dict[str, SeenService] | None] = {}
        self._definitions: dict[str, tuple[Container, ...] | None] = {}
        if isinstance(found, str):
            tell(f"AWS was not asked: {found}")

    def clusters(self) -> list[str]:
        """Return the names of the clusters; empty where they may not be read."""
        found = self._all("the clusters", "ecs", "list_clusters", "clusterArns", maxResults=100) or []
        return sorted(str(arn).rpartition("/")[2] for arn in found)

    def services(self, cluster: str, named: list[str] | None) -> dict[str, SeenService] | None:
        """Return the services of a cluster, or only those that are named; None where they may not be read.

        Raise Stop if the cluster or a named service does not exist.
        """
        if self._eyes is None:
            return None
        if is_reference(cluster):
            self._once(
                cluster, f"cluster {cluster} was not looked at: init reads no parameters; name the cluster itself"
            )
            return None
        every = self._clusters.get(cluster)
        if every is None or not (named is None or set(named) <= every.keys()):
            every = self._services(cluster, named)
        if named is None:
            self._clusters[cluster] = every
            return every
        if missing := [name for name in named if name not in (every or {})]:
            raise Stop(Exit.BAD_INPUT, f"cluster {cluster} has no active service {', '.join(missing)}")
        return {name: (every or {})[name] for name in named}

    def _services(self, cluster: str, named: list[str] | None) -> dict[str, SeenService] | None:
        if named is None:
            arns = self._all(
                f"the services of cluster {cluster}", "ecs", "list_services", "serviceArns", [_NO_CLUSTER],
                cluster=cluster, maxResults=100,
            )  # fmt: skip
            if arns is None:
                return None
            named = sorted(str(arn).rpartition("/")[2] for arn in arns)
        found: dict[str, SeenService] = {}
        for some in batched(named, _AT_ONCE, strict=False):
            found |= self._described(cluster, list(some))
        return found

    def registry(self) -> Registry:
        """Return the repositories, and which of them nobody pushes to."""
        seen = self._all("the repositories of ECR", "ecr", "describe_repositories", "repositories", maxResults=1000)
        rules = self._all(
            "which repositories are pull-through caches", "ecr", "describe_pull_through_cache_rules",
            "pullThroughCacheRules", maxResults=1000,
        )  # fmt: skip
        return Registry(
            repositories=None if seen is None else frozenset(str(item["repositoryName"]) for item in seen),
            caches=tuple(str(rule["ecrRepositoryPrefix"]) for rule in rules or []),
        )

    def _described(self, cluster: str, names: list[str]) -> dict[str, SeenService]:
        assert self._eyes is not None
        answer = self._eyes.look("ecs", "describe_services", missing=[_NO_CLUSTER], cluster=cluster, services=names)
        if answer is None:
            raise self._no_cluster(cluster)
        if isinstance(answer, Blind):
            self._remark(f"the services of cluster {cluster} in detail", answer)
            return {name: SeenService(name) for name in names}
        # One that was deleted is described for a while, as INACTIVE.
        live = [item for item in answer["services"] if item.get("status") == "ACTIVE"]
        return {str(item["serviceName"]): self._service(item) for item in live}

    def _service(self, found: Answer) -> SeenService:
        region, account = str(found["serviceArn"]).split(":")[3:5]
        controller = found.get("deploymentController", {}).get("type", "ECS")
        strategy = found.get("deploymentConfiguration", {}).get("strategy", "ROLLING")
        name = str(found["serviceName"])
        if controller != "ECS" or strategy != "ROLLING":
            return SeenService(
                name, account, region, unfit=f"is deployed by {controller}/{strategy}, not by ECS/ROLLING"
            )
        arn = str(found["taskDefinition"])
        if arn not in self._definitions:
            self._definitions[arn] = self._containers(arn)
        return SeenService(
            name,
            account,
            region,
            family=arn.rpartition("/")[2].rpartition(":")[0],
            containers=self._definitions[arn],
            balanced=tuple(item["containerName"] for item in found.get("loadBalancers", []) if "containerName" in item),
        )

    def _containers(self, arn: str) -> tuple[Container, ...] | None:
        assert self._eyes is not None
        seen = self._eyes.look("ecs", "describe_task_definition", taskDefinition=arn)
        if not isinstance(seen, dict):
            self._remark(f"task definition {arn.rpartition('/')[2]}", seen or Blind(why="it does not exist"))
            return None
        return tuple(
            Container(str(item["name"]), str(item["image"]), bool(item.get("essential", True)))
            for item in seen["taskDefinition"]["containerDefinitions"]
        )

    def _all(
        self, what: str, service: str, operation: str, key: str, missing: list[str] | None = None, **arguments: Any
    ) -> list[Any] | None:
        """Return the items of all pages; None where they may not be read. Raise Stop for a missing cluster."""
        found: list[Any] = []
        for page in self._pages(service, operation, missing or [], arguments):
            if page is None:
                raise self._no_cluster(str(arguments["cluster"]))
            if isinstance(page, Blind):
                self._remark(what, page)
                return None
            found += page[key]
        return None if self._eyes is None else found

    def _pages(
        self, service: str, operation: str, missing: list[str], arguments: dict[str, Any]
    ) -> Iterator[Answer | Blind | None]:
        token: dict[str, str] | None = {}
        while token is not None and self._eyes is not None:
            page = self._eyes.look(service, operation, missing=missing, **arguments, **token)
            yield page
            following = page.get("nextToken") if isinstance(page, dict) else None
            token = {"nextToken": str(following)} if following else None

    def _no_cluster(self, cluster: str) -> Stop:
        there = ", ".join(self.clusters())
        told = f"; there are: {there}" if there else ""
        return Stop(Exit.BAD_INPUT, f"there is no cluster {cluster} in {self.region}{told}")

    def _remark(self, what: str, blind: Blind) -> None:
        """Tell what could not be read; the lack of a permission once, however often it is met."""
        if blind.needs:
            self._once(blind.needs, f"cannot read {what}: your identity lacks the permission {blind.needs}")
        else:
            self._once(what, f"cannot read {what}: {blind.why}")

    def _once(self, about: str, sentence: str) -> None:
        if about not in self._told:
            self._told.add(about)
            self._tell(sentence)
