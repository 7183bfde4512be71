"""Task tokens of waiting steps: remembered before anything is judged, so that no change can fall in between.

A watcher remembers its token; whoever reaches the verdict first (a later watcher, or relay_change) answers all tokens
that wait for that step.
"""

from datetime import timedelta

from ferryman.clients.aws_types import StepFunctionsClient
from ferryman.clients.stepfunctions import send_task_success
from ferryman.contracts import Contract, DeploymentRef
from ferryman.records import Wait
from ferryman.records.writes import Add
from ferryman.store.table import Store

_KEPT = timedelta(days=7)
"""A wait of an execution that died is answered by nobody."""


def remember(store: Store, wait: Wait) -> None:
    """Keep a token; a newer one of the same step takes its place."""
    store.write(Add(wait, expires_at=int((wait.at + _KEPT).timestamp())))


def ref(wait: Wait) -> DeploymentRef:
    """Return the deployment that waits, with the fence it holds."""
    return DeploymentRef(
        platform=wait.platform, environment=wait.environment, deployment=wait.deployment, fence=wait.fence
    )


def answer_all(
    store: Store, states: StepFunctionsClient, resource: str, deployment: str, step: str, output: Contract
) -> None:
    """Answer whoever waits for this step now (not who waited when the judging began), then forget the wait."""
    for wait in store.waits(resource):
        if wait.deployment == deployment and wait.step == step:
            send_task_success(states, wait.token, output)
            store.forget_wait(wait)
