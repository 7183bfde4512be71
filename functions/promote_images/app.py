"""Step: point the moving tags at the release's images, byte for byte."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids, promote
from ferryman.contracts import PromoteImagesInput, PromoteImagesOutput
from ferryman.runtime import client, step, store


@step(PromoteImagesInput)
def handler(event: PromoteImagesInput, context: LambdaContext) -> PromoteImagesOutput:
    """Re-tag the plan's digests, or say why not."""
    return promote.promote(event, store=store(), ecr=client("ecr"), clock=ids.now, new_id=ids.new_id)
