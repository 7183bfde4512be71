"""A small operator for tests: a platform of two components with a staging that follows pushes, on fakes."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ferryman.clients.ssm import References
from ferryman.controller import reconcile
from ferryman.controller.events import Wakeup
from ferryman.controller.shared_reads import SharedReads
from ferryman.platform import Platform, parse
from ferryman.records import AppliedPlatform, Deployment, EnvironmentState, Release
from ferryman.records.writes import Save
from ferryman.releases import adoption
from ferryman.releases.receive_push import PushEvent, receive
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecr import FakeEcr
from unit.fakes.ecs import CLUSTER, FakeEcs
from unit.fakes.events import FakeEvents
from unit.fakes.secrets import FakeParameters
from unit.fakes.states import MACHINE, MIGRATE_MACHINE, FakeStates

MUTATION_TIMEOUT = 35


def document(production: dict[str, Any] | None = None, **environment: Any) -> Platform:
    """The platform; keywords replace fields of its staging. `production`: fields of a second environment."""
    staging = {
        "cluster": CLUSTER,
        "triggers": ["push"],
        "waves": [
            {"name": "one", "services": [{"name": "scr-api", "component": "api", "container": "app"}]},
            {"name": "two", "services": [{"name": "scr-web", "component": "web", "container": "app"}]},
        ],
        "movingTags": ["staging-latest"],
        "notify": ["team"],
    }
    environments = {"staging": staging | environment}
    if production is not None:
        waves = json.loads(json.dumps(staging["waves"]).replace("scr-", "prod-"))
        environments["production"] = {
            **staging,
            "triggers": ["tag", "manual"],
            "promoteFrom": "staging",
            "waves": waves,
            "movingTags": ["production-latest"],
            **production,
        }
    return parse(
        {
            "apiVersion": "ferryman/v1",
            "kind": "Platform",
            "metadata": {"name": "scr"},
            "spec": {
                "components": {"api": {"repository": "scr-api"}, "web": {"repository": "scr-web"}},
                "channels": {"team": {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:team"}},
                "environments": environments,
            },
        }
    )


class Nudges:
    """Keys that were sent, with their delays."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, int]] = []

    def environment(self, platform: str, environment: str, delay_seconds: int = 0) -> None:
        self.sent.append((platform, environment, delay_seconds))


class Looks:
    """The bodies of what a sweep queued, oldest first."""

    def __init__(self) -> None:
        self.queued: list[str] = []

    def queue(self, places: Sequence[tuple[str, str]], queued_at: datetime) -> list[tuple[str, str]]:
        for platform, environment in places:
            body = {"platform": platform, "environment": environment, "queuedAt": queued_at.isoformat()}
            self.queued.append(json.dumps(body))
        return list(places)


class Outbox:
    """Counts how often notify was woken."""

    def __init__(self) -> None:
        self.drained = 0

    def drain(self) -> None:
        self.drained += 1


class World:
    """The operator and what it sees."""

    def __init__(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        self.store, self.clock, self.new_id = store, clock, new_id
        self.ecr = FakeEcr("scr-api", "scr-web")
        self.ecs = FakeEcs(clock)
        self.events = FakeEvents(clock)
        self.states = FakeStates()
        self.nudges, self.looks, self.outbox = Nudges(), Looks(), Outbox()
        self.parameters = FakeParameters({}, strict=True)
        self.shared = SharedReads(self.ecr, self.ecs, self.parameters)
        self.failed: list[str] = []
        """The bodies of looks that failed."""
        self.counted: list[str] = []
        self.gauges: list[tuple[str, float, dict[str, str]]] = []
        self.document = document()
        self.generation = 0

    # ── what people and AWS do ──

    def run_services(self, api: str = "scr-api:old", web: str = "scr-web:old") -> None:
        for name, image in (("scr-api", api), ("scr-web", web)):
            self.ecs.new_service(name, self.ecs.new_definition(name, f"registry.example/{image}"))

    def apply(self, new: Platform | None = None) -> None:
        self.document = new or self.document
        self.adopt()
        before = self.store.find_platform("scr")
        self.generation += 1
        self.store.write(
            Save(
                AppliedPlatform(
                    name="scr",
                    generation=self.generation,
                    document=self.document.dump(),
                    applied_by="ada",
                    applied_at=self.clock(),
                    rev=before.rev if before else 0,
                )
            )
        )
        self.clock.forward(seconds=1)

    def adopt(self) -> None:
        adoption.adopt(
            self.document,
            store=self.store,
            ecs=self.ecs,
            ecr=self.ecr,
            references=References(self.parameters),
            client=self.events,
            clock=self.clock,
            new_id=self.new_id,
        )

    def push(self, component: str, version: str, content: str | None = None) -> dict[str, Any]:
        """Push an image and return its event, which nobody has delivered yet."""
        self.clock.forward(seconds=1)
        repository = f"scr-{component}"
        self.ecr.push(repository, version, content or f"{component} {version}", at=self.clock())
        return self.event(repository, version)

    def event(self, repository: str, tag: str | None, **detail: Any) -> dict[str, Any]:
        return {
            "id": self.new_id(),
            "source": "aws.ecr",
            "detail-type": "ECR Image Action",
            "time": self.clock().isoformat(),
            "resources": [],
            "detail": {
                "result": "SUCCESS",
                "repository-name": repository,
                "image-digest": "sha256:never-trusted",
                "action-type": "PUSH",
                **({} if tag is None else {"image-tag": tag}),
                **detail,
            },
        }

    def tag(self, component: str, version: str, name: str) -> dict[str, Any]:
        """Put a second tag on an image and return its event, which nobody has delivered yet."""
        self.clock.forward(seconds=1)
        repository = f"scr-{component}"
        self.ecr.tags[repository][name] = self.ecr.tags[repository][version]
        return self.event(repository, name)

    def name(self, version: str, name: str) -> None:
        """Put a semver tag on a whole release and deliver its events."""
        for component in ("api", "web"):
            self.receive(self.tag(component, version, name))

    def release(self, version: str) -> Release:
        """Push a whole release and deliver its events."""
        for component in ("api", "web"):
            self.receive(self.push(component, version))
        found = self.store.release("scr", version)
        assert found is not None
        return found

    def end_execution(self, status: str = "SUCCEEDED") -> None:
        active = self.state.active
        assert active is not None
        assert active.execution_arn is not None
        self.states.end(active.execution_arn, status, self.clock())

    # ── the operator ──

    def receive(self, event: dict[str, Any]) -> list[str]:
        return receive(
            PushEvent.model_validate(event),
            store=self.store,
            ecr=self.ecr,
            nudge=self.nudges,
            clock=self.clock,
            new_id=self.new_id,
            count=self.counted.append,
        ).outcomes

    def wake(self, event: dict[str, Any]) -> dict[str, Any]:
        report = reconcile.reconcile(
            Wakeup.model_validate(event),
            store=self.store,
            states=self.states,
            ecr=self.ecr,
            ecs=self.ecs,
            references=References(self.parameters),
            client=self.events,
            nudge=self.nudges,
            looks=self.looks,
            shared=self.shared,
            outbox=self.outbox,
            machine=MACHINE,
            migrate_machine=MIGRATE_MACHINE,
            mutation_timeout_seconds=MUTATION_TIMEOUT,
            clock=self.clock,
            new_id=self.new_id,
            count=self.counted.append,
            gauge=lambda name, seconds, **dimensions: self.gauges.append((name, seconds, dimensions)),
        )
        return report.model_dump(by_alias=True)

    def reconcile(self) -> None:
        body = '{"platform": "scr", "environment": "staging"}'
        assert self.wake({"Records": [{"messageId": "1", "body": body}]}) == {"batchItemFailures": []}

    def sweep(self) -> None:
        """What the schedule does, and then every look that it queued."""
        self.clock.forward(minutes=5)
        self.wake({"sweep": True})
        self.look()

    def look(self) -> None:
        """Deliver the looks that were queued, one at a time as the queue does."""
        queued, self.looks.queued = self.looks.queued, []
        for body in queued:
            report = self.wake({"Records": [{"messageId": "1", "body": body}]})
            self.failed += [body] if report["batchItemFailures"] else []

    # ── what is remembered ──

    @property
    def state(self) -> EnvironmentState:
        return self.store.state("scr", "staging")

    @property
    def deployments(self) -> list[Deployment]:
        """Oldest first."""
        return self.store.deployments("scr", "staging", limit=500)[::-1]

    def told(self) -> list[tuple[str, str]]:
        return [(item.version, str(item.phase)) for item in self.deployments]

    def condition(self, type: str) -> tuple[str, str]:
        found = self.state.condition(type)
        assert found is not None
        return found.status, found.reason
