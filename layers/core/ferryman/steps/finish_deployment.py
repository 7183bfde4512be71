"""Step finish_deployment: judge the outcome, write it, release the claim."""

from collections.abc import Callable

from ferryman.contracts import FinishDeploymentInput, FinishDeploymentOutput
from ferryman.decisions.outcome import ROLLBACK_FAILED, judge
from ferryman.ids import Clock, NewId
from ferryman.records import Deployment, Phase
from ferryman.steps import record_outcome
from ferryman.store.documents import document_of
from ferryman.store.table import Store


def finish(
    event: FinishDeploymentInput, *, store: Store, clock: Clock, new_id: NewId, count: Callable[[str], None]
) -> FinishDeploymentOutput:
    """Record how the deployment ended, once; raise ClaimLost when somebody else owns the environment."""
    deployment = store.deployment(event.platform, event.environment, event.deployment)
    judgement = judge(deployment, event.failure)
    recorded = record_outcome.record(event, judgement, store=store, clock=clock, new_id=new_id)
    count(f"Deployment{recorded.phase}")
    if recorded.reason == ROLLBACK_FAILED:
        count(ROLLBACK_FAILED)  # rings the alarm: services run something that nobody chose
    return FinishDeploymentOutput(phase=str(recorded.phase), publish=_publishes(recorded, store))


def _publishes(deployment: Deployment, store: Store) -> bool:
    """Tell whether the release belongs on GitHub: a semver tag started it, and we have a key to the project."""
    if deployment.tag is None or deployment.phase is not Phase.SUCCEEDED or deployment.kind == "migrate":
        return False
    document = document_of(store, deployment.platform)
    github = document.spec.github if document else None
    return github is not None and github.has_key
