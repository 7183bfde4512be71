"""Writing how a deployment ended, with its messages, in one transaction.

Called by finish_deployment, and by reconcile for executions that ended without a recorded outcome.
"""

import logging
from datetime import datetime

from ferryman.approvals import lifecycle
from ferryman.contracts import DeploymentRef
from ferryman.decisions import after_outcome
from ferryman.decisions.deployment_report import cause_of
from ferryman.decisions.outcome import Judgement, was_skipped
from ferryman.errors import ClaimLost, Conflict
from ferryman.ids import Clock, NewId
from ferryman.messages import deployment as messages
from ferryman.messages import github, timeline
from ferryman.platform import Platform
from ferryman.records import Deployment, EnvironmentState, EventType, Phase, Verified, step_keys
from ferryman.records.writes import Add, Save, Write
from ferryman.store.documents import document_of
from ferryman.store.table import Store

_HISTORY = 200
"""Deployments among which the next release to go back to is looked for."""
_LOG = logging.getLogger("ferryman")


def record(
    ref: DeploymentRef,
    judgement: Judgement,
    *,
    store: Store,
    clock: Clock,
    new_id: NewId,
    release_claim: bool = True,
) -> Deployment:
    """Write an outcome: phase, timeline, messages, what runs, what is settled, hold; and release the claim.

    Safe to run again: an outcome that is already recorded stays, and only the claim is released. Raise ClaimLost when
    another deployment owns the environment and this one has no outcome yet.
    """
    for _ in store.attempts():
        deployment = store.deployment(ref.platform, ref.environment, ref.deployment)
        state = store.state(ref.platform, ref.environment)
        owns = state.active is not None and (state.active.deployment, state.active.fence) == (ref.deployment, ref.fence)
        if deployment.phase.terminal and not (owns and release_claim):
            return deployment
        if not owns:
            raise ClaimLost(f"deployment {ref.deployment} no longer holds {ref.platform}/{ref.environment}")
        at = clock()
        writes: list[Write] = []
        if not deployment.phase.terminal:
            judged, state = _applied(judgement, deployment, state, store, at)
            deployment = deployment.but(phase=judged.phase, reason=judged.reason, message=judged.message, ended_at=at)
            writes += [
                Save(deployment),
                timeline.event(deployment, EventType.ENDED, judged.message, at=at, new_id=new_id,
                               detail={"phase": str(judged.phase), "reason": judged.reason}),
                *_messages(_with_log(store, deployment), document_of(store, deployment.platform), state, at),
                *_on_github(deployment, store, at),
                *_verified(store, deployment, at),
                *lifecycle.left_open(store, deployment, at),
            ]  # fmt: skip
        if release_claim:
            state = state.but(active=None)
        try:
            store.write(*writes, Save(state))
        except Conflict:
            continue
        return deployment
    raise Conflict(f"the outcome of {ref.deployment} could not be written; the next attempt reads everything again")


def _applied(
    judgement: Judgement, deployment: Deployment, state: EnvironmentState, store: Store, at: datetime
) -> tuple[Judgement, EnvironmentState]:
    if not after_outcome.wants_history(judgement, deployment):
        return after_outcome.apply(judgement, deployment, state, at)
    history = store.deployments(deployment.platform, deployment.environment, limit=_HISTORY, since=state.began_at)
    releases = store.releases(deployment.platform)
    return after_outcome.apply(judgement, deployment, state, at, history=history, releases=releases)


def _with_log(store: Store, deployment: Deployment) -> Deployment:
    """Add the log lines that its messages quote: those of the step that decided it."""
    cause = cause_of(deployment)
    key = step_keys.MIGRATION if deployment.kind == "migrate" else cause.key if cause else None
    step = deployment.step(key) if key is not None else None
    if key is None or step is None or step.logs:
        return deployment
    return deployment.with_logs({key: store.log(deployment.id, key)})


def _messages(deployment: Deployment, document: Platform | None, state: EnvironmentState, at: datetime) -> list[Add]:
    """Make the messages; a fault in making them must never keep an outcome from being recorded.

    Without a document, or with a broken one, nobody is told.
    """
    if document is None or deployment.environment not in document.spec.environments:
        return []
    try:
        channels, github = document.environment(deployment.environment).notify, document.spec.github
        return messages.for_outcome(
            deployment, channels, at, hold=state.hold, retry_at=_retry_at(state, deployment), github=github
        )
    except Exception:  # noqa: BLE001 - whatever it is, it is logged, and the outcome counts
        _LOG.exception("the messages of deployment %s could not be made; `history` has it", deployment.id)
        return []


def _on_github(deployment: Deployment, store: Store, at: datetime) -> list[Add]:
    document = document_of(store, deployment.platform)
    return github.for_change(deployment, document, at, "ended") if document else []


def _retry_at(state: EnvironmentState, deployment: Deployment) -> datetime | None:
    settled = state.settled.get(deployment.version)
    return settled.retry_at if settled else None


def _verified(store: Store, deployment: Deployment, at: datetime) -> list[Write]:
    """Mark the release as proven here; a deployment in which nothing ran proves nothing."""
    if deployment.phase is not Phase.SUCCEEDED or deployment.plan is None:
        return []
    if all(was_skipped(deployment, name) for name in deployment.plan.services):
        return []
    release = store.release(deployment.platform, deployment.version)
    if release is None:
        return []
    proof = Verified(deployment=deployment.id, digests=deployment.digests, at=at, checks=len(deployment.plan.checks))
    return [Save(release.but(verified={**release.verified, deployment.environment: proof}))]
