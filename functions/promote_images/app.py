"""Step: point the moving tags at the release's images, byte for byte."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import PromoteImagesInput, PromoteImagesOutput
from ferryman.runtime import client, step, store
from ferryman.steps import promote_images


@step(PromoteImagesInput)
def handler(event: PromoteImagesInput, context: LambdaContext) -> PromoteImagesOutput:
    """Re-tag the plan's digests, or say why not."""
    return promote_images.promote(event, store=store(), ecr=client("ecr"), clock=ids.now, new_id=ids.new_id)
