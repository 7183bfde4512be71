"""Decide how a deployment ended, from its recorded steps and the error that the state machine caught. Pure.

Called by finish_deployment and by reconcile; `steps.record_outcome` writes the result.
"""

import json
from dataclasses import dataclass

from ferryman.contracts import StepFailure
from ferryman.decisions import deployment_steps
from ferryman.decisions.deployment_report import Cause, WayBack, cause_of, waited_no_longer, way_back
from ferryman.decisions.wave_order import touched
from ferryman.records import VOID, Deployment, Phase, Step, StepStatus, step_keys
from ferryman.suggestions import suggest
from ferryman.text import clean, sentence

EXPIRED_WHILE_STOPPED = "ExpiredWhileStopped"
"""Reason of an approval that expired while the environment was frozen or on hold."""

TRANSIENT_REFUSALS = frozenset(
    {"Held", "Frozen", "Soaking", "ScanMissing", "ScanPending", "ScanBlocked", "ScanDenied", EXPIRED_WHILE_STOPPED}
)
"""Reasons that end by themselves or through a person: the release stays eligible.

`decisions.candidates` keeps back releases that must soak or be scanned.
"""

ROLLBACK_FAILED = "RollbackFailed"
"""Reason of a deployment that could not be rolled back; the alarm's metric has the same name."""


@dataclass(frozen=True)
class Judgement:
    """A phase and what goes with it."""

    phase: Phase
    reason: str
    message: str
    hold: str | None = None
    """Why automation must be put on hold, if it must."""
    settle: bool = True
    """Whether automation leaves the version alone until a person requests it."""


def judge(deployment: Deployment, failure: StepFailure | None) -> Judgement:
    """Return how a deployment ended, from its recorded steps and the error that the state machine caught. Pure."""
    if failure is None and all_passed(deployment):
        return Judgement(Phase.SUCCEEDED, "Verified", _success(deployment), settle=False)
    cause = cause_of(deployment)
    ours = cause is None or cause.step.status in (StepStatus.ERRORED, StepStatus.RUNNING)
    reason, message = _why(cause, failure)
    back = way_back(deployment)
    if back.not_back:
        return Judgement(
            Phase.ABORTED if deployment.abort else Phase.FAILED,
            ROLLBACK_FAILED,
            f"{message} Rolling back {', '.join(back.not_back)} failed, too. Inspect the service, then run "
            f"{suggest('resume', deployment.environment, p=deployment.platform)}.",
            hold=f"the rollback of {deployment.version} failed",
        )
    if deployment.abort is not None:
        who = deployment.abort.who
        return Judgement(
            Phase.ABORTED,
            "AbortRequested",
            f"{who} aborted the deployment: {deployment.abort.reason}. {_sentence_about(back, deployment)}",
            hold=f"{who} aborted {deployment.version}: {deployment.abort.reason}",
        )
    if cause is not None and cause.key == step_keys.APPROVAL:
        return _not_approved(deployment, cause.step, failure, reason, message)
    if cause is not None and cause.key == step_keys.ADMIT and reason == VOID:
        return _void(deployment, _told(message, back, deployment))
    if cause is not None and cause.key == step_keys.ADMIT:
        return Judgement(
            Phase.ABORTED, reason, _told(message, back, deployment), settle=reason not in TRANSIENT_REFUSALS
        )
    if back.held:
        return Judgement(
            Phase.FAILED,
            reason,
            _told(message, back, deployment),
            hold=f"{deployment.version} failed and onFailure is hold",
        )
    if reason == "OutcomeUnknown":
        name = step_keys.migration_of(cause.key) if cause is not None else None
        which = f"migration {name}" if name else "the migration"
        return Judgement(
            Phase.ERRORED, reason, message, hold=f"it is unknown whether {which} of {deployment.version} ran"
        )  # fmt: skip
    if ours:
        return Judgement(Phase.ERRORED, reason, _told(message, back, deployment))
    if back.without_target:
        return Judgement(Phase.FAILED, reason, _told(message, back, deployment))
    phase = Phase.ROLLED_BACK if back.back else Phase.FAILED
    return Judgement(phase, reason, _told(message, back, deployment))


def _void(deployment: Deployment, message: str) -> Judgement:
    """Return the outcome of a voided approval: it is asked anew by itself, once."""
    if deployment.renews is None:
        return Judgement(Phase.ERRORED, VOID, f"{message} Approval is requested again for what can run now.")
    again = (
        "It was already asked anew once; to ask again, run "
        f"{suggest('retry', deployment.environment, p=deployment.platform)}."
    )
    return Judgement(Phase.ABORTED, VOID, f"{message} {again}")


def _not_approved(
    deployment: Deployment, step: Step, failure: StepFailure | None, reason: str, message: str
) -> Judgement:
    """Return the outcome of an approval that was not given. The state machine's own timeout backs up its expiry."""
    phase = _ENDINGS.get(step.reason)
    nothing = "Nothing was changed." if deployment.kind == "migrate" else "No service was changed."
    if phase is None and failure is not None and failure.error == "States.Timeout":
        return Judgement(Phase.EXPIRED, "Expired", f"Nobody decided in time. {nothing}")
    if phase is None:
        return Judgement(Phase.ERRORED, reason, message)
    settle = step.reason not in TRANSIENT_REFUSALS
    return Judgement(phase, step.reason, f"{message} {nothing}", settle=settle)


_ENDINGS = {
    "Rejected": Phase.REJECTED,
    "Expired": Phase.EXPIRED,
    EXPIRED_WHILE_STOPPED: Phase.EXPIRED,
    "Superseded": Phase.SUPERSEDED,
}


def _told(message: str, back: WayBack, deployment: Deployment) -> str:
    """Say what went wrong, then what happened to the services, unless the message already says so."""
    sentence = _sentence_about(back, deployment)
    return message if sentence in message else f"{message} {sentence}"


def _sentence_about(back: WayBack, deployment: Deployment) -> str:
    if not back.changed:
        return "No service was changed."
    if back.held:
        return f"Left {', '.join(back.held)} as is, because onFailure is hold."
    if back.without_target:
        names = ", ".join(back.without_target)
        return f"Could not roll back {names}, because no deployment has succeeded here before."
    to = f" to {deployment.from_version}" if deployment.from_version else ""
    return f"Rolled back {', '.join(back.back)}{to}."


def all_passed(deployment: Deployment) -> bool:
    """Whether each step that the deployment needs has passed, none that began has not, and nothing was taken back."""
    if deployment.plan is None or any(deployment_steps.goes_back(key) for key in deployment.steps):
        return False
    if cause_of(deployment) is not None:
        return False
    return all(deployment.step(key) is not None for key in deployment_steps.required(deployment))


def conclusive(deployment: Deployment) -> bool:
    """Tell whether the recorded steps show the outcome completely, so that only the last step is missing. Pure."""
    cause = cause_of(deployment)
    if cause is None or deployment.plan is None:
        return False
    if cause.key in (step_keys.APPROVAL, step_keys.ADMIT) and cause.step.status is StepStatus.ABORTED:
        return True  # An approver or the last gate refused it, and nothing was changed.
    if cause.step.status is not StepStatus.FAILED:
        return False
    backs = [
        deployment.step(step_keys.rollout(name, "back"))
        for name in deployment.plan.members
        if touched(deployment, name)
    ]
    return all(step is not None and step.status is not StepStatus.RUNNING for step in backs)


def _why(cause: Cause | None, failure: StepFailure | None) -> tuple[str, str]:
    told = cause is not None and bool(cause.step.reason) and cause.step.status is not StepStatus.RUNNING
    # What the state machine caught tells more than that nobody judged a step.
    if cause is not None and told and (cause.judged or failure is None):
        return cause.step.reason, sentence(cause.step.message or f"{cause.key} failed")
    if failure is not None:
        return failure.error, sentence(
            f"{failure.step or 'a step'} failed with {failure.error}: {_excerpt(failure.cause)}"
        )
    where = f"in {cause.key}" if cause else "between two steps"
    return "Interrupted", f"The deployment stopped {where}; no reason was recorded."


def _excerpt(cause: str) -> str:
    """Return the message from the JSON that Lambda gives as the cause."""
    try:
        data = json.loads(cause)
    except ValueError:
        data = None
    return clean(str(data.get("errorMessage", cause)) if isinstance(data, dict) else cause)


def _success(deployment: Deployment) -> str:
    plan = deployment.plan
    count = len(plan.services) if plan else 0
    skipped = [name for name in (plan.services if plan else {}) if was_skipped(deployment, name)]
    left = [name for name in (plan.jobs if plan else {}) if was_skipped(deployment, name)]
    tail = f" ({', '.join([*skipped, *left])} skipped)" if skipped or left else ""
    jobs = f" and in {len(plan.jobs) - len(left)} of {len(plan.jobs)} jobs" if plan and plan.jobs else ""
    # Without a smoke test, only ECS's own health checks tell that it works.
    passed = "and passed its checks" if plan and plan.checks else "(there are no smoke tests)"
    told = f"{deployment.version} runs on {count - len(skipped)} of {count} services{jobs} {passed}{tail}."
    old = waited_no_longer(deployment)
    if old:
        told += (
            f" ECS was still stopping old tasks of {', '.join(old)}; "
            f"{suggest('status', deployment.environment, p=deployment.platform)} tells when they are gone."
        )
    admitted = deployment.step(step_keys.ADMIT)
    later = admitted.message if admitted is not None else ""
    return f"{told} {sentence(later, capital=True)}" if later else told


def was_skipped(deployment: Deployment, service: str) -> bool:
    step = deployment.step(step_keys.rollout(service, "forward"))
    return step is not None and step.status is StepStatus.SKIPPED
