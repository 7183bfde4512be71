"""GitHub: update a deployment's status, or create the release that publish_release could not create."""

from ferryman.clients.github import auth
from ferryman.contracts import DeploymentRef, PublishReleaseInput
from ferryman.messages.github import RELEASE
from ferryman.notify import github_status
from ferryman.notify.context import Context
from ferryman.notify.errors import NotNeeded
from ferryman.platform import GitHub
from ferryman.records import OutboxMessage
from ferryman.steps.publish_release import publish


def send(message: OutboxMessage, github: GitHub, context: Context) -> None:
    """Do what a row asks of GitHub. Raise NotNeeded when a retry would not help."""
    if message.event == RELEASE:
        _publish(message, context)
    else:
        _show(message, github, context)


def _publish(message: OutboxMessage, context: Context) -> None:
    """Create the release that GitHub did not accept earlier. A permanent failure is written to the deployment."""
    about = PublishReleaseInput(
        platform=message.platform, environment=message.environment or "", deployment=message.owner, fence=0
    )
    output = publish(
        about,
        store=context.store,
        client=context.client,
        clock=context.clock,
        new_id=context.new_id,
        network=context.network,
        hosts=context.hosts,
    )
    if output.verdict != "Published":
        raise NotNeeded(f"a retry would not help: {output.verdict}")


def _show(message: OutboxMessage, github: GitHub, context: Context) -> None:
    project = auth.connect(
        github,
        context.client,
        platform=message.platform,
        hosts=context.hosts,
        clock=context.clock,
        network=context.network,
    )
    about = DeploymentRef(
        platform=message.platform, environment=message.environment or "", deployment=message.owner, fence=0
    )
    try:
        github_status.show(about, store=context.store, project=project)
    except github_status.NoSuchCommit as error:
        raise NotNeeded(str(error)) from None
