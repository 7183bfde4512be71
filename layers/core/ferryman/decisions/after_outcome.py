"""What follows from an outcome: the retries after 1, 5 and 25 minutes, a hold, what runs, what is settled. Pure.

Called by `steps.record_outcome`, which writes it in the outcome's transaction.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ferryman.decisions import deployment_report
from ferryman.decisions.deployment_steps import migration_steps
from ferryman.decisions.outcome import Judgement, was_skipped
from ferryman.records import (
    VOID,
    Deployment,
    EnvironmentState,
    Hold,
    Phase,
    PlannedJob,
    Release,
    Request,
    Running,
    Settled,
    Target,
    limits,
    step_keys,
)
from ferryman.text import byte_length

ERRORED_BACKOFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25))
"""When an Errored deployment is tried again; after the last one the environment is held."""

LEFT_BY_ROLLBACK = "LeftByRollback"
"""Reason of a version that is settled because a person went back from it."""

_SETTLED_KEPT = 200
_SETTLED_SIZE = 200
"""Bytes of one of them at least, beside its texts: names of fields, times, a phase."""


def apply(
    judgement: Judgement,
    deployment: Deployment,
    state: EnvironmentState,
    at: datetime,
    *,
    history: Iterable[Deployment] = (),
    releases: Iterable[Release] = (),
) -> tuple[Judgement, EnvironmentState]:
    """Work an outcome into the environment's state; return it with the judgement, which may have got a hold.

    `history` (newest first) and `releases` are asked for when a rollback has succeeded: see `wants_history`.
    """
    if judgement.reason == VOID and judgement.phase is Phase.ERRORED:
        state = _asked_anew(deployment, state, at)
    if deployment.kind == "migrate":
        # A database command leaves what runs, and what may run, as it was.
        return _worded(judgement, deployment), _held(state, judgement, at)
    state = _gone_back(deployment, state)
    settled = dict(state.settled)
    if judgement.phase is Phase.SUCCEEDED:
        settled.pop(deployment.version, None)
        history, ran = list(history), state.current.deployment if state.current else None
        state, left = _runs(deployment, state, at, history, releases)
        if left is not None:
            tag = next((item.tag for item in history if item.id == ran), None)
            settled[left] = Settled(phase=Phase.ROLLED_BACK, reason=LEFT_BY_ROLLBACK, at=at, tag=tag)
    elif judgement.phase is Phase.ERRORED and deployment.kind != "rollback":
        judgement, settled[deployment.version] = _errored(judgement, deployment, state, at)
    elif judgement.phase is not Phase.ERRORED and judgement.settle:
        settled[deployment.version] = Settled(
            phase=judgement.phase, reason=judgement.reason, at=at, tag=deployment.tag,
            requested_by=deployment.requested_by,
        )  # fmt: skip
    state = state.but(settled=newest(settled), astray=_astray(judgement, deployment, state.astray))
    return judgement, _held(state, judgement, at)


def _astray(judgement: Judgement, deployment: Deployment, before: bool) -> bool:
    """Tell whether deployments left anything on something else than the last good release."""
    members = deployment.plan.members if deployment.plan else {}
    if judgement.phase is Phase.SUCCEEDED:
        return before and any(was_skipped(deployment, name) for name in members)
    way = deployment_report.way_back(deployment)
    if way.not_back or way.held:
        return True
    strays = [name for name, planned in members.items() if planned.stray]
    return before and not (way.back and all(name in way.back for name in strays))


def newest(settled: dict[str, Settled]) -> dict[str, Settled]:
    """Return the versions that were settled last: as many as an environment's state has room for."""
    kept: list[tuple[str, Settled]] = []
    left = limits.SETTLED
    for version, item in sorted(settled.items(), key=lambda item: item[1].at, reverse=True)[:_SETTLED_KEPT]:
        who = item.requested_by.who if item.requested_by else ""
        left -= _SETTLED_SIZE + sum(map(byte_length, (version, item.reason, item.tag or "", who)))
        if left < 0:
            break
        kept.append((version, item))
    return dict(reversed(kept))


def wants_history(judgement: Judgement, deployment: Deployment) -> bool:
    """Tell whether the next release to go back to has to be looked for."""
    return deployment.kind == "rollback" and judgement.phase is Phase.SUCCEEDED


def _errored(
    judgement: Judgement, deployment: Deployment, state: EnvironmentState, at: datetime
) -> tuple[Judgement, Settled]:
    """Tell when it is tried again; after the last time, hold."""
    before = state.settled.get(deployment.version)
    attempts = before.attempts + 1 if before and before.phase is Phase.ERRORED else 1
    retry_at = None
    if judgement.reason == VOID:
        retry_at = at
    elif judgement.hold is None and attempts <= len(ERRORED_BACKOFF):
        retry_at = at + ERRORED_BACKOFF[attempts - 1]
    elif judgement.hold is None:
        judgement = replace(judgement, hold=f"{deployment.version} errored {attempts} times")
    return judgement, Settled(
        phase=Phase.ERRORED, reason=judgement.reason, at=at, attempts=attempts, retry_at=retry_at, tag=deployment.tag,
        requested_by=deployment.requested_by,
    )  # fmt: skip


def _asked_anew(deployment: Deployment, state: EnvironmentState, at: datetime) -> EnvironmentState:
    """Put a person's rollback or database command back, which no automatic retry repeats; a newer wish stays."""
    if deployment.kind not in ("rollback", "migrate") or state.requested is not None:
        return state
    wish = Request(
        version=deployment.version,
        kind=deployment.kind,
        reason=deployment.why,
        who=(deployment.requested_by or deployment.initiated_by).who,
        at=at,
        command=deployment.command,
        revision=deployment.revision,
        migration=deployment.migration,
        revisions=deployment.revisions,
    )
    return state.but(requested=wish)


def _held(state: EnvironmentState, judgement: Judgement, at: datetime) -> EnvironmentState:
    """Put a hold there if need be, which only a person lifts. One that stands stays, unless it would end by itself."""
    standing = state.hold
    if judgement.hold is None or (standing is not None and standing.until is None):
        return state
    return state.but(hold=Hold(reason=judgement.hold, who="ferryman", at=at).instead_of(standing))


def _worded(judgement: Judgement, deployment: Deployment) -> Judgement:
    """Say what was run, and what it said: a success has nothing else to tell."""
    step = next(iter(migration_steps(deployment)), None)
    if judgement.phase is not Phase.SUCCEEDED or step is None or not step.message:
        return judgement
    return replace(judgement, reason=step.reason or judgement.reason, message=step.message)


def _runs(
    deployment: Deployment,
    state: EnvironmentState,
    at: datetime,
    history: Iterable[Deployment],
    releases: Iterable[Release],
) -> tuple[EnvironmentState, str | None]:
    """Make a deployment's release the one that runs; return the version that a rollback left, too."""
    version, before = deployment.version, state.last_succeeded
    target = target_of(deployment, before)
    after = state.but(
        current=Running(version=version, deployment=deployment.id, digests=target.digests, at=at),
        last_succeeded=target,
    )
    left = state.current.version if state.current else None
    if deployment.kind != "rollback":
        moved = before is not None and before.version != version
        return (after.but(previous=_without_definitions(before)) if moved else after), None
    if left is None or left == version:
        # It ran already: a rollback that began with an abort.
        return after.but(previous=None if _is(state.previous, version) else state.previous), None
    found = good_before(version, {left, *state.settled}, history, releases)
    return after.but(previous=_without_definitions(found)), left


def _without_definitions(target: Target | None) -> Target | None:
    """Return what a rollback needs of it: a release. ARNs of all services are too much to keep twice."""
    return target.but(task_definitions={}, bases={}) if target is not None else None


def good_before(
    version: str, bad: Iterable[str], history: Iterable[Deployment], releases: Iterable[Release]
) -> Target | None:
    """Return the good release before one: the latest to have succeeded here that is older and not `bad`, or None.

    `history` is newest first. What ran when we took over has no deployment; it is told from where the first ones began.
    """
    known = {release.version: release for release in releases}
    refused, target = {version, *bad}, known.get(version)
    if target is None:
        return None

    def fits(other: str | None) -> bool:
        return other is not None and other not in refused and other in known and known[other].order < target.order

    succeeded = [item for item in history if item.phase is Phase.SUCCEEDED and item.kind != "migrate"]
    for item in succeeded:
        if fits(item.version):
            return target_of(item, None)
    for item in succeeded:
        if item.from_version is not None and fits(item.from_version):
            digests = known[item.from_version].digests
            return Target(version=item.from_version, deployment=None, digests=digests)
    return None


def target_of(deployment: Deployment, before: Target | None) -> Target:
    """Return the good state that a succeeded deployment makes; what it left alone is as it was `before`."""
    known = before or Target(version=None, deployment=None)
    definitions, bases = dict(known.task_definitions), dict(known.bases)
    for name, planned in (deployment.plan.members if deployment.plan else {}).items():
        step = deployment.step(step_keys.rollout(name, "forward"))
        if step and step.rollout and step.rollout.task_definition and step.status.passed:
            definitions[name] = step.rollout.task_definition
            bases[name] = planned.base_task_definition
    digests = {**known.digests, **deployment.digests}
    return Target(
        version=deployment.version,
        deployment=deployment.id,
        digests=digests,
        task_definitions=definitions,
        bases=bases,
    )


def _gone_back(deployment: Deployment, state: EnvironmentState) -> EnvironmentState:
    """Note the revisions that services and jobs went back to, where these took the place of the recorded ones.

    A recorded one that names tags, or was deregistered, is registered anew: what runs then is no drift.
    """
    target = state.last_succeeded
    if target is None or deployment.plan is None:
        return state
    definitions = dict(target.task_definitions)
    for name, planned in deployment.plan.members.items():
        was = planned.goes_back_to if isinstance(planned, PlannedJob) else planned.rollback_task_definition
        step = deployment.step(step_keys.rollout(name, "back"))
        to = step.rollout.task_definition if step is not None and step.rollout is not None else None
        if step is not None and step.status.passed and to is not None and definitions.get(name) == was != to:
            definitions[name] = to
    return state.but(last_succeeded=target.but(task_definitions=definitions))


def _is(target: Target | None, version: str) -> bool:
    return target is not None and target.version == version
