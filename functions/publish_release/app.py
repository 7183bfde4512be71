"""Step: make the release on GitHub that a semver tag asks for; the deployment has succeeded whatever happens here."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from ferryman import ids
from ferryman.contracts import PublishReleaseInput, PublishReleaseOutput
from ferryman.platform.hosts import Hosts
from ferryman.runtime import client, services_on_loopback, setting, step, store
from ferryman.steps.publish_release import publish


@step(PublishReleaseInput)
def handler(event: PublishReleaseInput, context: LambdaContext) -> PublishReleaseOutput:
    """Publish once, and record it."""
    hosts = Hosts(github=setting("ALLOWED_GITHUB_HOSTS"), loopback=services_on_loopback())
    return publish(event, store=store(), client=client, clock=ids.now, new_id=ids.new_id, hosts=hosts)
