"""What the API shows of an environment: what runs, what is under way, what stands in the way. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from ferryman.api.views.approval import ApprovalView
from ferryman.api.views.deployment import DeploymentSummary
from ferryman.decisions.explain.environment import Explanation, Summary
from ferryman.decisions.explain.ignored import Ignored
from ferryman.decisions.explain.pending_releases import Newer
from ferryman.decisions.freeze_windows import Frozen
from ferryman.decisions.health import Health
from ferryman.decisions.sync import Sync
from ferryman.records import (
    Condition,
    EnvironmentState,
    Freeze,
    Hold,
    Publication,
    Record,
    Request,
    Running,
    Settled,
    Waiver,
)


class FrozenView(Record):
    """Why nothing starts now: a person's freeze, or a window of the document."""

    reason: str
    message: str
    until: AwareDatetime | None


class Notice(Record):
    """Something beside the deployments that went wrong and that somebody should know."""

    at: AwareDatetime
    type: str
    deployment: str | None
    message: str


class EnvironmentView(Record):
    """Where an environment stands."""

    platform: str
    name: str
    summary: Summary
    headline: str
    ready: Literal["True", "False", "Unknown"]
    health: Health
    sync: Sync
    current: Running | None
    active: DeploymentSummary | None
    requested: Request | None
    hold: Hold | None
    freeze: Freeze | None
    """A person's, also one whose time is over."""
    frozen: FrozenView | None
    approval: ApprovalView | None
    """What the deployment under way waits for."""
    waivers: dict[str, Waiver]
    """Those that still count."""
    previous: str | None
    """Version that `ferryman rollback` goes to."""
    publication: Publication | None
    """How the GitHub release of what runs went."""
    notices: list[Notice]
    """Approvers who don't prove to be one person; then messages that reached nobody, and releases that were not
    published, newest first."""
    shared: list[str] = Field(default_factory=list)
    """What belongs to somebody else as well, since before that was refused; at most 20."""
    newer: list[Newer]
    ignored: list[Ignored] = Field(default_factory=list)
    """Tags that were pushed after what runs and are no releases, newest first; at most 10."""
    settled: dict[str, Settled]
    conditions: list[Condition]
    observed_generation: int
    reconciled_at: AwareDatetime | None


def environment(
    state: EnvironmentState,
    found: Explanation,
    now: datetime,
    *,
    active: DeploymentSummary | None = None,
    approval: ApprovalView | None = None,
    frozen: Frozen | None = None,
    publication: Publication | None = None,
    notices: Sequence[Notice] = (),
    shared: Sequence[str] = (),
) -> EnvironmentView:
    """Return where an environment stands; `found` is what `decisions.explain.environment` tells."""
    ready = state.condition("Ready")
    return EnvironmentView(
        platform=state.platform,
        name=state.environment,
        summary=found.summary,
        headline=found.headline,
        ready=ready.status if ready else "Unknown",
        health=found.health,
        sync=found.sync,
        current=state.current,
        active=active,
        requested=state.requested,
        hold=state.hold,
        freeze=state.freeze,
        frozen=FrozenView(reason=frozen.reason, message=frozen.message, until=frozen.until) if frozen else None,
        approval=approval,
        waivers={version: waiver for version, waiver in state.waivers.items() if waiver.until > now},
        previous=state.previous.version if state.previous else None,
        publication=publication,
        notices=list(notices),
        shared=list(shared),
        newer=found.newer,
        ignored=found.ignored,
        settled=state.settled,
        conditions=state.conditions,
        observed_generation=state.observed_generation,
        reconciled_at=state.reconciled_at,
    )
