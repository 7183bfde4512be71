"""One environment of a platform of a flow test: push to it, ask for it, and look what became of it."""

import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ferryman.platform import parse
from ferryman.records import Deployment, EnvironmentState, OutboxMessage, Release, TimelineEvent, step_keys
from ferryman.store import keys
from ferryman_cli.transport import Api
from ferryman_local.images import oci
from ferryman_local.local_aws import wait_until
from ferryman_local.proxy import Request
from ferryman_local.relay import Event
from flow.documents import ENVIRONMENT
from flow.seen import Seen
from flow.stage import Stage

PATIENCE = 60.0
"""Seconds until a wait fails; several times what anything here takes on a busy machine."""

_gates = itertools.count(1)


class Place(Seen):
    """A platform of its own: repositories, cluster and services that no other test uses; seen from one environment."""

    def __init__(self, stage: Stage, document: Mapping[str, Any], where: str = ENVIRONMENT) -> None:
        self.where = where
        self.stage = stage
        self.aws = stage.aws
        self.document = dict(document)
        self.name: str = document["metadata"]["name"]
        self.spec = document["spec"]
        self.cluster: str = self.environment["cluster"]
        self.store = stage.store
        self.ecs = stage.client("ecs")
        self.ecr = stage.client("ecr")
        self.digests: dict[str, dict[str, str]] = {}
        self._versions = itertools.count(1)

    @property
    def environment(self) -> dict[str, Any]:
        """The environment's part of the document."""
        found: dict[str, Any] = self.spec["environments"][self.where]
        return found

    def on(self, where: str) -> "Place":
        """The same platform, seen from another environment."""
        other = Place(self.stage, self.document, where)
        other.digests, other._versions = self.digests, self._versions
        return other

    # ── setting it up, and away ──

    def create(self) -> "Place":
        """Make the infrastructure and apply the document, as a person would."""
        self.aws.create_infrastructure(self.document)
        self.digests["bootstrap"] = {name: str(self.digest_of(name, "bootstrap")) for name in self.spec["components"]}
        self.apply()
        return self

    def apply(self, document: Mapping[str, Any] | None = None, *, override: str | None = None) -> dict[str, Any]:
        """What `ferryman apply` does, by an admin; `override`: why without the approval that it needs."""
        if document is not None:
            self.document, self.spec = dict(document), document["spec"]
        return self.api.put(Api.path("v1", "platforms", self.name), self.document, override=override)

    def remove(self) -> None:
        """Take away what costs the others time: the document, running tasks, images."""
        self.stage.open_all_gates()
        self.stage.table("delete_item", Key=self.stage.key(keys.platform(self.name)))
        for where in self.spec["environments"]:
            self.on(where).stop()
        for part in self.spec["components"].values():
            self._quietly(self.ecr.delete_repository, repositoryName=part["repository"], force=True)

    def stop(self) -> None:
        """End what runs in this environment."""
        active = self.state.active
        if active is not None and active.execution_arn:
            self._quietly(self.stage.client("stepfunctions").stop_execution, executionArn=active.execution_arn)
        for service in self.services:
            self._quietly(self.ecs.delete_service, cluster=self.cluster, service=service, force=True)
        self.stage.gone.add(self.cluster)
        self._quietly(self.ecs.delete_cluster, cluster=self.cluster)

    @staticmethod
    def _quietly(call: Callable[..., Any], **arguments: Any) -> None:
        try:
            call(**arguments)
        except ClientError as error:
            print(f"not removed: {error}")

    # ── what people and CI do ──

    @property
    def api(self) -> Api:
        """The operator's API, as the `ferryman` command uses it."""
        return self.stage.api

    def path(self, *rest: str) -> str:
        """A path of this environment in the API."""
        return Api.path("v1", "platforms", self.name, "environments", self.where, *rest)

    def ask(self, what: str, **body: Any) -> dict[str, Any]:
        """What `ferryman abort|hold|resume|retry|redeploy` does."""
        return self.api.post(self.path(what), body, repeatable=False)

    def version(self) -> str:
        """A version that was not pushed yet."""
        return f"{next(self._versions):07x}"

    def push(
        self,
        version: str | None = None,
        components: Sequence[str] | None = None,
        *,
        tag: str | None = None,
        index: bool = False,
        labels: Mapping[str, str] | None = None,
        **env: str,
    ) -> str:
        """Build and push the images of a version in the order given; `env` says how they behave. The version."""
        version = version or self.version()
        for component in components or self.spec["components"]:
            self.push_one(component, version, tag or version, index=index, labels=labels, **env)
        return version

    def push_one(
        self,
        component: str,
        version: str,
        tag: str | None,
        *,
        index: bool = False,
        labels: Mapping[str, str] | None = None,
        **env: str,
    ) -> str:
        """Push one component's image; its digest."""
        about = {"COMPONENT": f"{self.name}/{component}", **env}
        built = oci.build(self.aws.app(component), version, labels=labels, **about)
        send = oci.push_index if index else oci.push
        digest = send(self.aws.emulator.port, self.spec["components"][component]["repository"], tag, built)
        self.digests.setdefault(version, {}).setdefault(component, digest)
        return digest

    def push_and_wait_for_rollout(self) -> tuple[str, str]:
        """Push a version whose rollout waits at a gate; the version and the key of its rollout."""
        version, key = self.version(), step_keys.rollout(f"{self.name}-api", "forward")
        self.push(version, GATE=str(self.gate()))
        self.until(
            lambda: (found := self.step(version, key)).steps[key].rollout.ecs_deployment is not None and found,
            "the rollout",
        )
        return version, key

    def tag(self, version: str, name: str, components: Sequence[str] | None = None) -> None:
        """Give the images of a version another tag, as CI does when a git tag is pushed: nothing is built."""
        for component in components or self.spec["components"]:
            oci.tag(self.aws.emulator.port, self.spec["components"][component]["repository"], version, name)

    @staticmethod
    def now() -> datetime:
        """The time."""
        return datetime.now(UTC)

    def gate(self) -> Path:
        """A file that is not there yet, for GATE and MIGRATION_GATE; `touch()` opens it."""
        return self.stage.gate(f"{self.name}-{next(_gates)}")

    # ── what became of it ──

    @property
    def state(self) -> EnvironmentState:
        """The environment's state."""
        return self.store.state(self.name, self.where)

    @property
    def services(self) -> list[str]:
        """Names of the ECS services."""
        return [service["name"] for wave in self.environment["waves"] for service in wave["services"]]

    def deployments(self, version: str | None = None) -> list[Deployment]:
        """Deployments, newest first."""
        found = self.store.deployments(self.name, self.where)
        return [item for item in found if version in (None, item.version)]

    def release(self, version: str) -> Release | None:
        """A release."""
        return self.store.release(self.name, version)

    def timeline(self, owner: Deployment | str | None = None) -> list[TimelineEvent]:
        """The timeline of a deployment, or of the environment."""
        if isinstance(owner, Deployment):
            owner = owner.id
        return self.store.timeline(owner or f"{self.name}#{self.where}")

    def message(self, deployment: Deployment, channel: str = "team") -> OutboxMessage | None:
        """The message that tells of a deployment's outcome."""
        return self.store.message(deployment.id, "outcome", channel)

    def claimed(self, version: str, seconds: float = PATIENCE) -> Deployment:
        """Wait until a deployment of this version has begun."""
        return self.until(lambda: next(iter(self.deployments(version)), None), f"a deployment of {version}", seconds)

    def step(self, version: str, key: str, seconds: float = PATIENCE) -> Deployment:
        """Wait until a deployment of this version has begun a step."""

        def look() -> Deployment | None:
            return next((item for item in self.deployments(version) if item.step(key)), None)

        return self.until(look, f"step {key} of {version}", seconds)

    def watched(self, version: str, key: str, seconds: float = PATIENCE) -> Deployment:
        """Wait until an execution waits for a rollout or a migration of this version: its task token is remembered."""

        def look() -> Deployment | None:
            found = next((item for item in self.deployments(version) if item.step(key)), None)
            step = found.step(key) if found else None
            if found is None or found.plan is None or step is None:
                return None
            resource = step.migration.task if step.migration else None
            if step.rollout:
                resource = found.plan.services[step.rollout.service].arn
            waits = self.store.waits(resource) if resource else []
            return found if any((wait.deployment, wait.step) == (found.id, key) for wait in waits) else None

        return self.until(look, f"{key} of {version} to be watched", seconds)

    def ended(self, version: str, seconds: float = PATIENCE, *, attempt: int = 1) -> Deployment:
        """Wait until the n-th deployment of this version has ended and the environment is free again."""

        def look() -> Deployment | None:
            state, found = self.state, self.deployments(version)[::-1]
            if len(found) < attempt or not found[attempt - 1].phase.terminal:
                return None
            held = state.active is not None and state.active.deployment == found[attempt - 1].id
            return None if held else found[attempt - 1]

        return self.until(look, f"the end of {version} (deployment {attempt})", seconds)

    def until[T](self, look: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
        """Wait for something; a failure tells all that is known of this place."""
        try:
            return wait_until(look, seconds, what, every=0.1)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.tell()}") from None

    def is_free(self) -> bool:
        """Whether nothing is on its way and nothing is held."""
        return self.state.active is None and self.state.hold is None

    def is_idle(self) -> bool:
        """Whether nothing is on its way, and nobody has asked for anything."""
        return self.state.active is None and self.state.requested is None

    @property
    def running(self) -> str:
        """The version that runs, by its last good deployment; `bootstrap` before the first one."""
        current = self.state.current
        return (current.version if current else None) or "bootstrap"

    def calls(self, action: str, since: float = 0.0) -> list[Request]:
        """Requests of the operator's Lambdas about this platform, `since` a `time.monotonic()`."""
        found = [request for request in self.stage.proxy.requests if request.action == action and request.at >= since]
        return [request for request in found if self.mine(request.arguments)]

    def mine(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a request is about this platform: for faults of the proxy."""
        return f"{self.name}-" in json.dumps(arguments)

    def pushes(self, component: str = "api") -> Callable[[Event], bool]:
        """Matches the push events of one component."""
        repository = self.spec["components"][component]["repository"]
        return lambda event: event["source"] == "aws.ecr" and event["detail"].get("repository-name") == repository

    def concerns(self, event: Event) -> bool:
        """Whether an event is about this platform: for disturbances of the relay."""
        return f"{self.name}-" in json.dumps(event)

    # ── when something went wrong ──

    def tell(self) -> str:
        """All that is known of this place, for the message of a failed test."""
        lines = [
            f"── {self.name} {self.where} ──",
            self.state.model_dump_json(exclude={"conditions"}, exclude_defaults=True),
        ]
        for deployment in self.deployments()[:4]:
            lines.append(
                f"{deployment.id} {deployment.version} {deployment.kind} {deployment.phase} {deployment.message}"
            )
            lines += [f"  {key}: {step.status} {step.reason} {step.message}" for key, step in deployment.steps.items()]
        lines += [f"release {r.version} {r.status} {sorted(r.components)}" for r in self.store.releases(self.name)]
        for component in self.spec["components"]:
            service = self.service(component)
            shown = [
                {key: item.get(key) for key in ("id", "status", "rolloutState", "runningCount", "failedTasks")}
                for item in service["deployments"]
            ]
            lines.append(f"{component}: {json.dumps(shown)}")
        lines += self.stage.log_of(self.name)[-40:]
        return "\n".join(lines)


def parsed(document: Mapping[str, Any]) -> Any:
    """The document as the operator reads it: a typo in a test's document is told at once."""
    return parse(dict(document))


def pause(seconds: float) -> None:
    """Only for what must *not* happen: nothing tells that it won't."""
    time.sleep(seconds)
