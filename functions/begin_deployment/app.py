"""Step: check the claim, verify the ECS side, freeze the plan."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import begin, ids, image_labels
from ferryman.contracts import BeginDeploymentInput, BeginDeploymentOutput
from ferryman.references import References
from ferryman.runtime import client, step, store


@step(BeginDeploymentInput)
def handler(event: BeginDeploymentInput, context: LambdaContext) -> BeginDeploymentOutput:
    """Freeze what this deployment will do."""
    return begin.begin(
        event,
        store=store(),
        ecs=client("ecs"),
        ecr=client("ecr"),
        download=image_labels.download,
        references=References(client("ssm")),
        clock=ids.now,
        new_id=ids.new_id,
    )
