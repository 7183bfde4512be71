"""Step: make the release on GitHub that a semver tag asks for; the deployment has succeeded whatever happens here."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import PublishReleaseInput, PublishReleaseOutput
from ferryman.runtime import client, step, store
from ferryman.steps.publish_release import publish


@step(PublishReleaseInput)
def handler(event: PublishReleaseInput, context: LambdaContext) -> PublishReleaseOutput:
    """Publish once, and record it."""
    return publish(event, store=store(), client=client, clock=ids.now, new_id=ids.new_id)
