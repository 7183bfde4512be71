"""ECS and ECR as begin_deployment and verify meet them: services of the example platform, images with labels."""

import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

ACCOUNT = "arn:aws:ecs:eu-west-1:123456789012"
NAMES = ("scr-api-staging", "scr-ai-gateway-staging", "scr-web-staging")
CONTAINERS = {"scr-api-staging": "api", "scr-ai-gateway-staging": "ai-gateway", "scr-web-staging": "web"}


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


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
        self.images: dict[str, str] = {}
        """Family → the image of its container."""
        self.also: dict[str, dict[str, str]] = {}
        """Family → further containers with their images."""
        self.architecture: dict[str, Any] = {}

    def describe_services(self, cluster: str, services: list[str], **_: Any) -> Any:
        return {"services": [self.live[name] for name in services if name in self.live], "failures": []}

    def describe_task_definition(self, taskDefinition: str, **_: Any) -> Any:  # noqa: N803 - boto3's own name
        family = taskDefinition.rsplit("/", 1)[-1].split(":")[0]
        return {
            "taskDefinition": {
                "taskDefinitionArn": taskDefinition,
                "family": family,
                "revision": 7,
                "containerDefinitions": [
                    {"name": self.containers[family], "image": self.images.get(family, "x")},
                    *({"name": name, "image": image} for name, image in self.also.get(family, {}).items()),
                ],
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
