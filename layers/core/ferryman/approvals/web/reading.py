"""Reading the records that a page is made of. Changes nothing."""

from ferryman.approvals.notifications import document_of
from ferryman.approvals.web.page_records import Sight, base
from ferryman.errors import NotFound
from ferryman.records import Approval, Deployment
from ferryman.store.table import Store


def sight(approval: Approval, store: Store) -> Sight:
    """Return everything that is known about what is asked; raise NotFound when the deployment is gone."""
    state = store.state(approval.platform, approval.environment)
    deployment = store.deployment(approval.platform, approval.environment, approval.deployment)
    before = base(state, deployment)
    return Sight(
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
