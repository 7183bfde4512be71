"""Corrections of the emulator's ECS: service deployments and revisions, about which it answers nothing.

Sources: API reference of ECS, ListServiceDeployments, DescribeServiceDeployments, DescribeServiceRevisions,
StopServiceDeployment and ContinueServiceDeployment.
"""

from collections.abc import Iterator
from typing import Any

from ferryman_local.patches.ecs_scheduler import Scheduler, now
from ferryman_local.service_deployments import answers, machine
from ferryman_local.service_deployments.configuration import Refused
from ferryman_local.service_deployments.model import Service, ServiceDeployment

MOST = 20
"""ARNs in one request."""
Raw = dict[str, Any]
Found = tuple[str, Raw, Service, ServiceDeployment]


class ServiceDeployments:
    """The five operations, over what the scheduler keeps."""

    def __init__(self, ecs: Any, scheduler: Scheduler) -> None:
        self._ecs, self._scheduler = ecs, scheduler

    def apply(self) -> None:
        """Serve the operations."""
        self._ecs._ACTION_MAP.update(
            ListServiceDeployments=self.list,
            DescribeServiceDeployments=self.describe,
            DescribeServiceRevisions=self.describe_revisions,
            StopServiceDeployment=self.stop,
            ContinueServiceDeployment=self.go_on,
        )

    def list(self, data: Raw) -> Any:
        """ListServiceDeployments: of one service, the newest first, by status and time."""
        cluster = self._ecs._resolve_cluster_name(data.get("cluster", "default"))
        reference = self._ecs._resolve_service_ref(data.get("service", ""))
        key = f"{cluster}/{reference[0]}" if reference else ""
        if key not in self._ecs._services:
            return self._ecs.error_response_json("ServiceNotFoundException", "Service not found.", 400)
        wanted, between = data.get("status") or [], data.get("createdAt") or {}
        found = [
            answers.brief(service, deployment)
            for here, service, _, deployment in self._all()
            if here == key
            and (not wanted or deployment.status in wanted)
            and between.get("after", 0) <= deployment.created_at.timestamp() <= between.get("before", float("inf"))
        ]
        return self._ecs.json_response({"serviceDeployments": found[: data.get("maxResults") or 100]})

    def describe(self, data: Raw) -> Any:
        """DescribeServiceDeployments, by ARN; at most 20."""
        wanted = data.get("serviceDeploymentArns") or []
        if not 0 < len(wanted) <= MOST:
            return self._refused(f"serviceDeploymentArns must have 1 to {MOST} entries")
        known = {
            self._arn(service, deployment): (service, state, deployment)
            for _, service, state, deployment in self._all()
        }
        found = [
            answers.whole(service, state, deployment, self._scheduler.tasks(service))
            for service, state, deployment in (known[arn] for arn in wanted if arn in known)
        ]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in known]
        return self._ecs.json_response({"serviceDeployments": found, "failures": missing})

    def describe_revisions(self, data: Raw) -> Any:
        """DescribeServiceRevisions, by ARN; with the digest of each image, once a task has told it."""
        wanted = data.get("serviceRevisionArns") or []
        if not 0 < len(wanted) <= MOST:
            return self._refused(f"serviceRevisionArns must have 1 to {MOST} entries")
        found = {}
        for _, service, _, deployment in self._all():
            arn = answers.arn(service["serviceArn"], "service-revision", deployment.target)
            definition = self._scheduler.definition_of(service, deployment.target)
            if arn in wanted and definition:
                images = self._images(service, deployment.target, definition)
                found[arn] = answers.revision(service, deployment.target, definition, deployment.created_at, images)
        missing = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in found]
        return self._ecs.json_response({"serviceRevisions": list(found.values()), "failures": missing})

    def stop(self, data: Raw) -> Any:
        """StopServiceDeployment: ROLLBACK goes back to the revision before."""
        return self._changed(
            data, lambda state, id: machine.stopped(state, id, data.get("stopType") or "ROLLBACK", now())
        )

    def go_on(self, data: Raw) -> Any:
        """ContinueServiceDeployment: lets a deployment go on that waits at a PAUSE hook, or takes it back."""
        hook, action = str(data.get("hookId") or ""), str(data.get("action") or "CONTINUE")
        return self._changed(data, lambda state, id: machine.continued(state, id, hook, action, now()))

    def _changed(self, data: Raw, change: Any) -> Any:
        arn = data.get("serviceDeploymentArn")
        found = next((item for item in self._all() if self._arn(item[1], item[3]) == arn), None)
        if found is None:
            return self._ecs.error_response_json(
                "ServiceDeploymentNotFoundException", "The service deployment was not found.", 400
            )
        key, service, _, deployment = found
        try:
            self._scheduler.change(service, lambda state: change(state, deployment.id))
        except Refused as refused:
            return self._refused(str(refused))
        self._scheduler.reconcile(key.partition("/")[0], key)
        return self._ecs.json_response({"serviceDeploymentArn": arn})

    def _all(self) -> Iterator[Found]:
        for key, service in list(self._ecs._services.items()):
            state = self._scheduler.known(service)
            if state is not None:
                yield from ((key, service, state, deployment) for deployment in state.deployments)

    def _arn(self, service: Raw, deployment: ServiceDeployment) -> str:
        return answers.arn(service["serviceArn"], "service-deployment", deployment.id)

    def _images(self, service: Raw, revision: str, definition: str) -> Any:
        digests: dict[str, str] = {}
        for task in list(self._ecs._tasks.values()):
            if task.get("_deployment_id") == revision and task.get("clusterArn") == service["clusterArn"]:
                digests |= {c["name"]: c["imageDigest"] for c in task.get("containers", []) if c.get("imageDigest")}
        known = self._ecs._task_defs.get(self._ecs._resolve_td_key(definition)) or {}
        for container in known.get("containerDefinitions", []):
            digest = digests.get(container["name"])
            image = {"containerName": container["name"], "image": container["image"]}
            yield image | ({"imageDigest": digest} if digest else {})

    def _refused(self, why: str) -> Any:
        return self._ecs.error_response_json("InvalidParameterException", why, 400)
