"""Step finish_deployment: judge the outcome, write it, release the claim."""

from ferryman import outcome
from ferryman.contracts import FinishDeploymentInput, FinishDeploymentOutput
from ferryman.ids import Clock, NewId
from ferryman.store import Store


def finish(event: FinishDeploymentInput, *, store: Store, clock: Clock, new_id: NewId) -> FinishDeploymentOutput:
    """Record how the deployment ended, once; raise ClaimLost when somebody else owns the environment."""
    deployment = store.deployment(event.platform, event.environment, event.deployment)
    judgement = outcome.judge(deployment, event.failure)
    recorded = outcome.record(event, judgement, store=store, clock=clock, new_id=new_id)
    return FinishDeploymentOutput(phase=str(recorded.phase))
