"""Step: the last gate before anything changes."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import AdmitDeploymentInput, AdmitDeploymentOutput
from ferryman.runtime import client, step, store
from ferryman.steps import admit_deployment


@step(AdmitDeploymentInput)
def handler(event: AdmitDeploymentInput, context: LambdaContext) -> AdmitDeploymentOutput:
    """Check fence, hold, digests, the approved plan, proof, scans and abort; flip the phase to Running."""
    return admit_deployment.admit(event, store=store(), ecs=lambda: client("ecs"), ecr=client("ecr"), clock=ids.now)
