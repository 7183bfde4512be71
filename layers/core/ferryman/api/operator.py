"""What the API's routes work with: the store, a clock, ids, and the few effects they have outside of the table."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ferryman.aws import translated
from ferryman.ids import Clock, NewId
from ferryman.platform import Platform
from ferryman.records import Plan
from ferryman.store import Store


@dataclass(frozen=True)
class Counts:
    """Tasks of the newest rollout of one service, as ECS tells them now."""

    ecs_deployment: str
    desired: int
    running: int
    failed: int


class Outside(Protocol):
    """What the API asks of AWS besides the table. `Aws` is the real one; tests bring their own."""

    def verify(self, document: Platform) -> list[tuple[str, str]]:
        """Return what is wrong on the ECS side."""

    def adopt(self, document: Platform) -> None:
        """Take what runs as `current` in environments that are new to us; before the document is stored."""

    def observe(self, plan: Plan) -> dict[str, Counts]:
        """Return what ECS says now about the services of a plan."""

    def nudge(self, platform: str, environment: str) -> None:
        """Have reconcile look at an environment now instead of at the next sweep."""

    def wake(self, platform: str, environment: str, deployment: str) -> None:
        """Have the waiting steps of a deployment judged again now."""


@dataclass(frozen=True)
class Operator:
    """Everything a route needs."""

    store: Store
    outside: Outside
    clock: Clock
    new_id: NewId


@dataclass(frozen=True)
class Aws:
    """The real outside. `client` makes a boto3 client at first use, so that a read costs only the table's."""

    store: Store
    client: Callable[[str], Any]
    clock: Clock
    new_id: NewId
    account: str
    region: str
    nudges_url: str
    """The queue that reconcile reads."""
    relay_function: str

    def verify(self, document: Platform) -> list[tuple[str, str]]:
        """Hold the document against ECS, ECR and its `ssm:` references."""
        from ferryman.references import References
        from ferryman.verify import verify

        return verify(
            document,
            ecs=self.client("ecs"),
            ecr=self.client("ecr"),
            references=References(self.client("ssm")),
            account=self.account,
            region=self.region,
        )

    def adopt(self, document: Platform) -> None:
        """See `ferryman.adoption`."""
        from ferryman.adoption import adopt
        from ferryman.references import References

        adopt(
            document,
            store=self.store,
            ecs=self.client("ecs"),
            ecr=self.client("ecr"),
            references=References(self.client("ssm")),
            clock=self.clock,
            new_id=self.new_id,
        )

    def observe(self, plan: Plan) -> dict[str, Counts]:
        """Read the PRIMARY deployment of each service that the plan changes."""
        from ferryman import ecs

        names = [name for name, service in plan.services.items() if service.skip is None]
        with translated():
            found = ecs.services(self.client("ecs"), plan.cluster, names)
        counts = {}
        for name, service in found.items():
            primary = next((d for d in service.get("deployments", []) if d.get("status") == "PRIMARY"), None)
            if primary is not None:
                counts[name] = Counts(
                    ecs_deployment=primary["id"],
                    desired=primary.get("desiredCount", 0),
                    running=primary.get("runningCount", 0),
                    failed=primary.get("failedTasks", 0),
                )
        return counts

    def nudge(self, platform: str, environment: str) -> None:
        """Queue the environment for reconcile."""
        from ferryman.nudge import Nudge

        Nudge(self.client("sqs"), self.nudges_url).environment(platform, environment)

    def wake(self, platform: str, environment: str, deployment: str) -> None:
        """Invoke relay_change, without waiting for it."""
        wake = {"platform": platform, "environment": environment, "deployment": deployment}
        with translated():
            self.client("lambda").invoke(
                FunctionName=self.relay_function, InvocationType="Event", Payload=json.dumps({"wake": wake}).encode()
            )
