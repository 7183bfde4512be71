"""Step: the last gate before anything changes."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import admit, ids
from ferryman.contracts import AdmitDeploymentInput, AdmitDeploymentOutput
from ferryman.runtime import client, step, store


@step(AdmitDeploymentInput)
def handler(event: AdmitDeploymentInput, context: LambdaContext) -> AdmitDeploymentOutput:
    """Check fence, hold, digests, proof, scans and abort; flip the phase to Running."""
    return admit.admit(event, store=store(), ecr=client("ecr"), clock=ids.now)
