"""A deployment that is about to begin: the example platform with the services, images and parameters of Terraform."""

import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

from ferryman.clients.ssm import References
from ferryman.contracts import BeginDeploymentInput
from ferryman.records import (
    AppliedPlatform,
    EnvironmentState,
    Phase,
    Running,
)
from ferryman.records.writes import Save
from ferryman.steps import begin_deployment as begin
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.secrets import FakeParameters

ACCOUNT = "arn:aws:ecs:eu-west-1:123456789012"
NAMES = ("scr-api-staging", "scr-ai-gateway-staging", "scr-web-staging")
CONTAINERS = {"scr-api-staging": "api", "scr-ai-gateway-staging": "ai-gateway", "scr-web-staging": "web"}


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


STAGING = "/ferryman/scr/staging"
PARAMETERS = {
    f"{STAGING}/private-subnet-ids": "subnet-1,subnet-2",
    f"{STAGING}/task-security-group-ids": "sg-1",
    f"{STAGING}/api-url": "https://api.staging.example/",
    f"{STAGING}/web-url": "https://staging.example",
    f"{STAGING}/task-definitions/scr-api-migrate-staging": f"{ACCOUNT}:task-definition/scr-api-migrate-staging:4",
    **{f"{STAGING}/task-definitions/{name}": f"{ACCOUNT}:task-definition/{name}:3" for name in NAMES},
}
"""Parameters as Terraform writes them."""


class StagingEcs:
    """Three services as Terraform makes them."""

    def __init__(self) -> None:
        self.live = {
            name: {
                "serviceName": name,
                "serviceArn": f"{ACCOUNT}:service/scr-staging/{name}",
                "clusterArn": f"{ACCOUNT}:cluster/scr-staging",
                "status": "ACTIVE",
                "desiredCount": 1,
                "taskDefinition": f"{ACCOUNT}:task-definition/{name}:2",
                "deploymentController": {"type": "ECS"},
                "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            }
            for name in NAMES
        }
        self.containers = {**CONTAINERS, "scr-api-migrate-staging": "api"}
        self.architecture: dict[str, Any] = {}

    def describe_services(self, cluster: str, services: list[str], **_: Any) -> Any:
        return {"services": [self.live[name] for name in services if name in self.live], "failures": []}

    def describe_task_definition(self, taskDefinition: str, **_: Any) -> Any:  # noqa: N803 - boto3's own name
        family = taskDefinition.rsplit("/", 1)[-1].split(":")[0]
        return {
            "taskDefinition": {
                "taskDefinitionArn": taskDefinition,
                "family": family,
                "containerDefinitions": [{"name": self.containers[family], "image": "x"}],
                "requiresCompatibilities": ["FARGATE"],
                "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
                **self.architecture,
            },
            "tags": [],
        }


class LabelledEcr:
    """Repositories with single images only; their configurations have the labels that a test gives to a digest."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str]] = {}
        self.down = False

    def config(self, digest: str) -> bytes:
        return json.dumps({"config": {"Labels": self.labels.get(digest, {})}}).encode()

    def get_download_url_for_layer(self, repositoryName: str, layerDigest: str) -> Any:  # noqa: N803 - boto3's own name
        if self.down:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetDownloadUrlForLayer")
        return {"downloadUrl": f"https://blobs.example/{layerDigest}"}

    def download(self, url: str) -> bytes:
        wanted = url.rsplit("/", 1)[-1]
        configs = [self.config(digest) for digest in (*self.labels, "none")]
        return next(config for config in configs if sha(config) == wanted)

    def describe_repositories(self, repositoryNames: list[str]) -> Any:  # noqa: N803 - boto3's own name
        return {
            "repositories": [{"repositoryName": n, "repositoryUri": f"registry.example/{n}"} for n in repositoryNames]
        }

    def batch_get_image(self, repositoryName: str, imageIds: Any, **_: Any) -> Any:  # noqa: N803 - boto3's own names
        media = "application/vnd.oci.image.manifest.v1+json"
        digest = imageIds[0]["imageDigest"]
        image = {
            "repositoryName": repositoryName,
            "imageId": {"imageDigest": digest},
            "imageManifest": json.dumps(
                {"schemaVersion": 2, "mediaType": media, "config": {"digest": sha(self.config(digest))}, "layers": []}
            ),
            "imageManifestMediaType": media,
        }
        return {"images": [image], "failures": []}


class World:
    """A deployment of the example platform that is about to begin."""

    def __init__(self, store: Store, document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> None:
        self.store, self.clock, self.new_id = store, clock, new_id
        self.ecs, self.ecr, self.ssm = StagingEcs(), LabelledEcr(), FakeParameters(PARAMETERS)
        self.event = BeginDeploymentInput(
            platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE
        )
        applied = AppliedPlatform(name="scr", generation=3, document=document, applied_by="anna", applied_at=make.AT)
        digests = {name: make.digest("a") for name in ("api", "ai-gateway", "web")}
        deployment = make.deployment(phase=Phase.PENDING, plan=None, steps={}, digests=digests, started_at=None)
        store.write(Save(applied), Save(deployment), Save(make.state(last_succeeded=None)))

    def begin(self) -> Any:
        return begin.begin(
            self.event,
            store=self.store,
            ecs=self.ecs,
            ecr=self.ecr,
            download=self.ecr.download,
            references=References(self.ssm),
            clock=self.clock,
            new_id=self.new_id,
        )

    def change(self, **changes: Any) -> None:
        self.store.update_deployment(self.event, lambda before: before.but(**changes))

    def state(self, **changes: Any) -> EnvironmentState:
        return self.store.update_state("scr", "staging", lambda before: before.but(**changes))


def plan_of(world: World) -> Any:
    return world.store.deployment("scr", "staging", world.event.deployment).plan


NEW, RUNS, LEFT = (make.digest(letter) for letter in "abc")
"""Images of the release that is deployed, of the one that runs, and of one that was left after it had migrated."""


def running(world: World, digest: str = RUNS) -> None:
    current = Running(version="0001234", deployment="01K0000000000000000000PREV", digests={"api": digest}, at=make.AT)
    world.state(current=current)
