"""How a deployment ended. `judge` is pure; `record` writes it, with its messages, in one transaction.

Called by finish_deployment, and by reconcile for executions that ended without a recorded outcome.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ferryman import messages, steps, timeline
from ferryman.contracts import StepFailure
from ferryman.errors import ClaimLost, Conflict, InvalidDocument
from ferryman.ids import Clock, NewId
from ferryman.platform import parse
from ferryman.records import (
    Deployment,
    EnvironmentState,
    EventType,
    Hold,
    Phase,
    Running,
    Settled,
    Step,
    StepStatus,
    Target,
    Verified,
)
from ferryman.store import Store
from ferryman.writes import Save, Write

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25))
"""When an Errored deployment is tried again; after the last one the environment is held."""

_SETTLED_KEPT = 200


@dataclass(frozen=True)
class Judgement:
    """A phase and what goes with it."""

    phase: Phase
    reason: str
    message: str
    hold: str | None = None
    """Why automation has to stay off, if it has to."""
    settle: bool = True
    """Whether the version is done with here until a person asks for it."""


def judge(deployment: Deployment, failure: StepFailure | None) -> Judgement:
    """Tell from the recorded steps, and what the state machine caught, how a deployment ended. Pure."""
    if failure is None and _all_passed(deployment):
        return Judgement(Phase.SUCCEEDED, "Verified", _success(deployment), settle=False)
    culprit = _culprit(deployment)
    ours = culprit is None or culprit[1].status in (StepStatus.ERRORED, StepStatus.RUNNING)
    reason, message = _why(culprit, failure)
    back = _taken_back(deployment)
    if back.failed:
        return Judgement(
            Phase.ABORTED if deployment.abort else Phase.FAILED,
            "RollbackFailed",
            f"{message} Taking back {', '.join(back.failed)} failed too: look at the service by hand, then "
            f"`ferryman resume {deployment.environment}`.",
            hold=f"the rollback of {deployment.version} failed",
        )
    if deployment.abort is not None:
        who = deployment.abort.who
        return Judgement(
            Phase.ABORTED,
            "AbortRequested",
            f"{who} aborted it: {deployment.abort.reason}. {back.sentence()}",
            hold=f"{who} aborted {deployment.version}: {deployment.abort.reason}",
        )
    if culprit is not None and culprit[0] == steps.ADMIT:
        return Judgement(Phase.ABORTED, reason, f"{message} {back.sentence()}", settle=reason != "Held")
    if back.held:
        return Judgement(
            Phase.FAILED, reason, f"{message} {back.sentence()}", hold=f"{deployment.version} failed and onFailure is hold"
        )  # fmt: skip
    if reason == "OutcomeUnknown":
        return Judgement(
            Phase.ERRORED, reason, message, hold=f"nobody knows whether the migration of {deployment.version} ran"
        )  # fmt: skip
    if ours:
        return Judgement(Phase.ERRORED, reason, f"{message} {back.sentence()}")
    if back.stranded:
        return Judgement(Phase.FAILED, reason, f"{message} {back.sentence()}")
    phase = Phase.ROLLED_BACK if back.done else Phase.FAILED
    return Judgement(phase, reason, f"{message} {back.sentence()}")


@dataclass(frozen=True)
class _Back:
    """What became of the services that were touched."""

    touched: list[str]
    done: list[str]
    failed: list[str]
    held: list[str]
    stranded: list[str]
    version: str | None

    def sentence(self) -> str:
        if not self.touched:
            return "No service was changed."
        if self.held:
            return f"{', '.join(self.held)} stayed as it is, because onFailure is hold."
        if self.stranded:
            return f"{', '.join(self.stranded)} could not go back: no deployment has succeeded here before."
        to = f" to {self.version}" if self.version else ""
        return f"{', '.join(self.done)} went back{to}."


def _taken_back(deployment: Deployment) -> _Back:
    plan = deployment.plan
    names = [name for wave in plan.waves for name in wave] if plan else []
    touched = [name for name in names if _touched(deployment.step(steps.rollout(name, "forward")))]
    done, failed, held, stranded = [], [], [], []
    for name in touched:
        step = deployment.step(steps.rollout(name, "back"))
        if step is not None and step.status is StepStatus.SUCCEEDED:
            done.append(name)
        elif step is not None and step.status is StepStatus.SKIPPED and step.reason == "HoldPolicy":
            held.append(name)
        elif step is not None and step.status is StepStatus.SKIPPED and step.reason == "NoTarget":
            stranded.append(name)
        elif step is not None and step.status is StepStatus.SKIPPED:
            done.append(name)
        else:
            failed.append(name)
    return _Back(touched, done, failed, held, stranded, deployment.from_version)


def _touched(step: Step | None) -> bool:
    return (
        step is not None
        and step.status is not StepStatus.SKIPPED
        and step.rollout is not None
        and step.rollout.task_definition is not None
    )


def _all_passed(deployment: Deployment) -> bool:
    if deployment.plan is None or any(key.startswith("rollback/") for key in deployment.steps):
        return False
    return all((step := deployment.step(key)) is not None and step.status.passed for key in _keys(deployment))


def _keys(deployment: Deployment) -> list[str]:
    """All steps of a plan that goes forward, in order."""
    plan = deployment.plan
    rollouts = [steps.rollout(name, "forward") for wave in plan.waves for name in wave] if plan else []
    return [steps.BEGIN, steps.ADMIT, steps.MIGRATION, *rollouts, steps.SMOKE_TEST]


def _culprit(deployment: Deployment) -> tuple[str, Step] | None:
    """The first step that did not pass; one that has not begun is nobody's fault."""
    for key in _keys(deployment):
        step = deployment.step(key)
        if step is not None and not step.status.passed:
            return key, step
    return None


def _why(culprit: tuple[str, Step] | None, failure: StepFailure | None) -> tuple[str, str]:
    if culprit is not None and culprit[1].reason and culprit[1].status is not StepStatus.RUNNING:
        return culprit[1].reason, _sentence(culprit[1].message or f"{culprit[0]} failed")
    if failure is not None:
        return failure.error, _sentence(f"{failure.step or 'a step'} failed with {failure.error}: {_cause(failure.cause)}")
    where = f"in {culprit[0]}" if culprit else "between two steps"
    return "Interrupted", f"The deployment stopped {where} without saying why."


def _cause(cause: str) -> str:
    """Take the message out of the JSON that Lambda gives as the cause."""
    try:
        data = json.loads(cause)
    except ValueError:
        return cause
    return str(data.get("errorMessage", cause)) if isinstance(data, dict) else cause


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "`")) else f"{text}."


def _success(deployment: Deployment) -> str:
    plan = deployment.plan
    count = len(plan.services) if plan else 0
    skipped = [name for name in (plan.services if plan else {}) if _was_skipped(deployment, name)]
    tail = f" ({', '.join(skipped)} left alone)" if skipped else ""
    return f"{deployment.version} runs on {count - len(skipped)} of {count} services and passed its checks{tail}."


def _was_skipped(deployment: Deployment, service: str) -> bool:
    step = deployment.step(steps.rollout(service, "forward"))
    return step is not None and step.status is StepStatus.SKIPPED


def record(
    ref: Any,
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
    for _ in range(10):
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
            judgement, state = _apply(judgement, deployment, state, at)
            deployment = deployment.but(
                phase=judgement.phase, reason=judgement.reason, message=judgement.message, ended_at=at
            )
            writes += [
                Save(deployment),
                timeline.event(deployment, EventType.ENDED, judgement.message, at=at, new_id=new_id,
                               detail={"phase": str(judgement.phase), "reason": judgement.reason}),
                *messages.for_outcome(
                    deployment, _channels(store, deployment), at, hold=state.hold, retry_at=_retry_at(state, deployment)
                ),
                *_verified(store, deployment, at),
            ]  # fmt: skip
        if release_claim:
            state = state.but(active=None)
        try:
            store.write(*writes, Save(state))
        except Conflict:
            continue
        return deployment
    raise Conflict(f"the outcome of {ref.deployment} could not be written; the next try reads everything again")


def _apply(
    judgement: Judgement, deployment: Deployment, state: EnvironmentState, at: datetime
) -> tuple[Judgement, EnvironmentState]:
    """Work an outcome into the environment's state. Pure."""
    version = deployment.version
    settled = dict(state.settled)
    if judgement.phase is Phase.SUCCEEDED:
        settled.pop(version, None)
        target = _target(deployment, state)
        state = state.but(
            current=Running(version=version, deployment=deployment.id, digests=target.digests, at=at),
            previous=state.last_succeeded if _differs(state.last_succeeded, version) else state.previous,
            last_succeeded=target,
        )
    elif judgement.phase is Phase.ERRORED:
        before = settled.get(version)
        attempts = before.attempts + 1 if before and before.phase is Phase.ERRORED else 1
        retry_at = None
        if judgement.hold is None and attempts <= len(RETRY_AFTER):
            retry_at = at + RETRY_AFTER[attempts - 1]
        elif judgement.hold is None:
            judgement = Judgement(
                judgement.phase, judgement.reason, judgement.message, hold=f"{version} errored {attempts} times"
            )
        settled[version] = Settled(
            phase=Phase.ERRORED, reason=judgement.reason, at=at, attempts=attempts, retry_at=retry_at
        )  # fmt: skip
    elif judgement.settle:
        settled[version] = Settled(phase=judgement.phase, reason=judgement.reason, at=at)
    newest = sorted(settled.items(), key=lambda item: item[1].at)[-_SETTLED_KEPT:]
    hold = state.hold
    if judgement.hold is not None and hold is None:
        hold = Hold(reason=judgement.hold, who="ferryman", at=at)
    return judgement, state.but(settled=dict(newest), hold=hold)


def _retry_at(state: EnvironmentState, deployment: Deployment) -> datetime | None:
    settled = state.settled.get(deployment.version)
    return settled.retry_at if settled else None


def _differs(target: Target | None, version: str) -> bool:
    return target is not None and target.version != version


def _target(deployment: Deployment, state: EnvironmentState) -> Target:
    before = state.last_succeeded or Target(version=None, deployment=None)
    definitions, bases = dict(before.task_definitions), dict(before.bases)
    for name, planned in (deployment.plan.services if deployment.plan else {}).items():
        step = deployment.step(steps.rollout(name, "forward"))
        if step and step.rollout and step.rollout.task_definition and step.status is StepStatus.SUCCEEDED:
            definitions[name] = step.rollout.task_definition
            bases[name] = planned.base_task_definition
    digests = {**before.digests, **deployment.digests}
    return Target(
        version=deployment.version, deployment=deployment.id, digests=digests, task_definitions=definitions, bases=bases
    )  # fmt: skip


def _verified(store: Store, deployment: Deployment, at: datetime) -> list[Write]:
    """Mark the release as proven here; a deployment in which nothing ran proves nothing."""
    if deployment.phase is not Phase.SUCCEEDED or deployment.plan is None:
        return []
    if all(_was_skipped(deployment, name) for name in deployment.plan.services):
        return []
    release = store.release(deployment.platform, deployment.version)
    if release is None:
        return []
    proof = Verified(deployment=deployment.id, digests=deployment.digests, at=at)
    return [Save(release.but(verified={**release.verified, deployment.environment: proof}))]


def _channels(store: Store, deployment: Deployment) -> list[str]:
    """Names of the channels that hear of this environment; a broken document must not change an outcome."""
    applied = store.find_platform(deployment.platform)
    if applied is None:
        return []
    try:
        return parse(applied.document).environment(deployment.environment).notify
    except (InvalidDocument, KeyError):
        return []
