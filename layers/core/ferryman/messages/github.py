"""Outbox rows that tell notify to update a deployment on GitHub. Pure.

Called in the transactions that change a deployment: request_approval (through `messages.approval`), admit_deployment,
record_outcome and publish_release. `notify.github_status` delivers them, and `steps.publish_release` those about
a release. A row says only that something changed: GitHub gets the state of the deployment at delivery.
"""

from datetime import datetime
from typing import Literal

from ferryman.messages import outbox
from ferryman.platform import Platform
from ferryman.records import Deployment
from ferryman.records.writes import Add

CHANNEL = "github"
"""Channel of these rows. A channel of the document may have the same name: `EVENTS` tells them apart."""
EVENTS = "github-"
"""How the events of these rows begin."""
RELEASE = f"{EVENTS}release"
"""Event of the row that creates the GitHub release that publish_release could not create."""


def for_change(
    deployment: Deployment,
    document: Platform,
    at: datetime,
    what: Literal["requested", "admitted", "ended", "published"],
) -> list[Add]:
    """Make the row for one change; none when statuses are off, and none for a person's database command."""
    github = document.spec.github
    if github is None or not github.statuses or not github.has_key or deployment.kind == "migrate":
        return []
    return outbox.rows(
        [CHANNEL],
        owner=deployment.id,
        event=f"{EVENTS}{what}",
        platform=deployment.platform,
        environment=deployment.environment,
        subject=f"GitHub: {deployment.platform}/{deployment.environment} {deployment.version} {what}",
        blocks=[],
        detail={"phase": str(deployment.phase), "version": deployment.version, "deployment": deployment.id},
        at=at,
    )


def for_release(deployment: Deployment, at: datetime) -> Add:
    """Make the row that lets notify publish a release after GitHub did not answer in time."""
    (row,) = outbox.rows(
        [CHANNEL],
        owner=deployment.id,
        event=RELEASE,
        platform=deployment.platform,
        environment=deployment.environment,
        subject=f"GitHub: release {deployment.tag} of {deployment.platform}/{deployment.environment}",
        blocks=[],
        detail={"phase": str(deployment.phase), "version": deployment.version, "deployment": deployment.id},
        at=at,
    )
    return row
