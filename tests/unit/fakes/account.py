"""An account as `ferryman init` sees it: ECS and ECR behind the caller's eyes, small pages, and permissions to lack."""

from collections.abc import Collection
from functools import cache
from typing import Any

from botocore.session import Session
from botocore.validate import ParamValidator

from ferryman_cli.doctor.checks import Blind, Seen
from ferryman_cli.doctor.eyes import Eyes

ACCOUNT, REGION = "123456789012", "eu-west-1"
_PAGE = 3


@cache
def _model(service: str) -> Any:
    return Session().get_service_model(service)


class FakeEyes(Eyes):
    """Checks arguments as botocore does, and answers in pages of three."""

    def __init__(self) -> None:
        super().__init__(None, REGION)
        self.clusters: dict[str, dict[str, dict[str, Any]]] = {}
        self.definitions: dict[str, list[dict[str, Any]]] = {}
        self.repositories: set[str] = set()
        self.caches: list[str] = []
        self.refused: set[str] = set()
        """IAM actions that the caller lacks."""
        self.calls: list[str] = []

    def service(self, cluster: str, name: str, images: dict[str, str], **more: Any) -> None:
        """Run a service with these containers; an image without a host is the account's, and its repository exists."""
        arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{name}-family:7"
        self.definitions[arn] = [{"name": key, "image": self._image(image)} for key, image in images.items()]
        self.clusters.setdefault(cluster, {})[name] = {
            "serviceName": name,
            "serviceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{cluster}/{name}",
            "status": "ACTIVE",
            "taskDefinition": arn,
            **more,
        }

    def _image(self, image: str) -> str:
        if "." in image.rpartition("/")[0].partition("/")[0]:
            return image
        self.repositories.add(image.partition(":")[0])
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{image}"

    def look(self, service: str, operation: str, *, missing: Collection[str] = (), **arguments: Any) -> Seen:
        name = "".join(part.capitalize() for part in operation.split("_"))
        shape = _model(service).operation_model(name).input_shape
        assert not ParamValidator().validate(arguments, shape).has_errors(), (operation, arguments)
        self.calls.append(name)
        if f"{service}:{name}" in self.refused:
            return Blind(needs=f"{service}:{name}")
        answer: Seen = getattr(self, f"_{operation}")(**arguments)
        assert answer is not None or "ClusterNotFoundException" in missing
        return answer

    def _paged(self, key: str, items: list[Any], given: dict[str, Any]) -> Seen:
        start = int(given.get("nextToken", "0"))
        more = {"nextToken": str(start + _PAGE)} if start + _PAGE < len(items) else {}
        return {key: items[start : start + _PAGE], **more}

    def _list_clusters(self, **given: Any) -> Seen:
        arns = [f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{name}" for name in self.clusters]
        return self._paged("clusterArns", arns, given)

    def _list_services(self, *, cluster: str, **given: Any) -> Seen:
        found = self.clusters.get(cluster.rpartition("/")[2])
        arns = [item["serviceArn"] for item in (found or {}).values()]
        return None if found is None else self._paged("serviceArns", arns, given)

    def _describe_services(self, *, cluster: str, services: list[str]) -> Seen:
        found = self.clusters.get(cluster.rpartition("/")[2])
        assert len(services) <= 10, "ECS describes ten at once"
        return None if found is None else {"services": [found[name] for name in services if name in found]}

    def _describe_task_definition(self, **given: str) -> Seen:
        return {"taskDefinition": {"containerDefinitions": self.definitions[given["taskDefinition"]]}}

    def _describe_repositories(self, **given: Any) -> Seen:
        return self._paged("repositories", [{"repositoryName": name} for name in sorted(self.repositories)], given)

    def _describe_pull_through_cache_rules(self, **given: Any) -> Seen:
        return self._paged("pullThroughCacheRules", [{"ecrRepositoryPrefix": name} for name in self.caches], given)
