"""Step: write the outcome and its messages, release the claim."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import FinishDeploymentInput, FinishDeploymentOutput
from ferryman.runtime import count, step, store
from ferryman.steps import finish_deployment


@step(FinishDeploymentInput)
def handler(event: FinishDeploymentInput, context: LambdaContext) -> FinishDeploymentOutput:
    """Judge how the deployment ended and record it."""
    return finish_deployment.finish(event, store=store(), clock=ids.now, new_id=ids.new_id, count=count)
