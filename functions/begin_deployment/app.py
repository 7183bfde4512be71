"""Step: check the claim, verify the ECS side, freeze the plan."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.clients import image_labels
from ferryman.clients.ssm import References
from ferryman.contracts import BeginDeploymentInput, BeginDeploymentOutput
from ferryman.runtime import client, step, store
from ferryman.steps import begin_deployment


@step(BeginDeploymentInput)
def handler(event: BeginDeploymentInput, context: LambdaContext) -> BeginDeploymentOutput:
    """Freeze what this deployment will do."""
    return begin_deployment.begin(
        event,
        store=store(),
        ecs=client("ecs"),
        ecr=client("ecr"),
        download=image_labels.download,
        references=References(client("ssm")),
        client=client,
        clock=ids.now,
        new_id=ids.new_id,
    )
