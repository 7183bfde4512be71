"""What acting on an environment needs, and the tags of a log line about it."""

from dataclasses import dataclass

from ferryman.clients.aws_types import ECRClient, StepFunctionsClient
from ferryman.decisions.snapshot import Snapshot
from ferryman.effects import Count, Nudges
from ferryman.ids import Clock, NewId
from ferryman.store.table import Store


@dataclass(frozen=True)
class Context:
    """What acting needs."""

    store: Store
    states: StepFunctionsClient
    ecr: ECRClient
    nudge: Nudges
    machine: str
    """ARN of the `deploy` machine."""
    migrate_machine: str
    """ARN of the `migrate` machine."""
    clock: Clock
    new_id: NewId
    count: Count

    def machine_of(self, kind: str) -> str:
        """Return the ARN of the machine that carries out deployments of a kind."""
        return self.migrate_machine if kind == "migrate" else self.machine


def ids(view: Snapshot, deployment: str = "") -> dict[str, str]:
    """Return what a log line says about where it belongs."""
    return {"platform": view.platform, "environment": view.name, "deployment": deployment}
