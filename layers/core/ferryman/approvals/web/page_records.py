"""The records that a page is made of. Pure but for reading the store."""

from dataclasses import dataclass
from datetime import datetime

from ferryman.decisions.admission import stopped_by
from ferryman.errors import NotFound
from ferryman.platform import Environment, Platform
from ferryman.records import Approval, Deployment, EnvironmentState, Release, Running, Target
from ferryman.store.documents import document_of
from ferryman.store.table import Store


@dataclass(frozen=True)
class PageRecords:
    """The records that a page is made of; the document is None when it can no longer be read."""

    approval: Approval
    deployment: Deployment
    state: EnvironmentState
    document: Platform | None = None
    release: Release | None = None
    running: Deployment | None = None
    """The deployment of the release that ran before."""

    @property
    def base(self) -> Running | Target | None:
        """What ran before this deployment changed anything, if that is still known."""
        return base_of(self.state, self.deployment)

    @property
    def environment(self) -> Environment | None:
        """What the document says about the environment, as far as it can be read."""
        return self.document.spec.environments.get(self.approval.environment) if self.document else None

    def stopped(self, now: datetime) -> str | None:
        """Return why nothing may start here now: a freeze or a hold."""
        if self.environment is None:
            return "the platform document cannot be read, so its freezes and checks are unknown"
        found = stopped_by(self.deployment, self.state, self.environment, now)
        return found[1] if found else None


def base_of(state: EnvironmentState, deployment: Deployment) -> Running | Target | None:
    """Return what ran before a deployment: what runs now or, after the deployment, what ran before it."""
    current = state.current
    found = state.previous if current is not None and current.deployment == deployment.id else current
    known = found is not None and (not deployment.phase.terminal or found.version == deployment.from_version)
    return found if known else None


def read_page_records(approval: Approval, store: Store) -> PageRecords:
    """Return all records about an approval; raise NotFound when the deployment is gone."""
    state = store.state(approval.platform, approval.environment)
    deployment = store.deployment(approval.platform, approval.environment, approval.deployment)
    before = base_of(state, deployment)
    return PageRecords(
        approval=approval,
        deployment=deployment,
        state=state,
        document=document_of(store, approval.platform),
        release=store.release(approval.platform, approval.version),
        running=_deployment(approval, before.deployment if before else None, store),
    )


def _deployment(approval: Approval, id: str | None, store: Store) -> Deployment | None:
    if id is None:
        return None
    try:
        return store.deployment(approval.platform, approval.environment, id)
    except NotFound:
        return None
