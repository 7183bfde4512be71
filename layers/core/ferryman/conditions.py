"""What an environment looks like: its conditions and since when a release waits. Pure; part of `ferryman.decide`.

Each condition is an observation: it may be wrong a moment later, and nothing is decided on it.
"""

from datetime import datetime

from ferryman.records import Condition, ConditionType, Phase
from ferryman.view import View

Seen = tuple[ConditionType, str, str, str]
"""Type, status, reason, message."""


def observed(view: View, now: datetime) -> list[Condition]:
    """Return the environment's conditions as seen now; a transition time changes only with its status."""
    before = {condition.type: condition for condition in view.state.conditions}
    after = dict(before)
    for seen in (_ready(view), _progressing(view), _held(view), _drifted(view)):
        if seen is None:
            continue
        type, status, reason, message = seen
        known = before.get(type)
        since = known.last_transition_time if known and known.status == status else now
        after[type] = Condition.model_validate(
            {"type": type, "status": status, "reason": reason, "message": message, "last_transition_time": since}
        )
    return [after[type] for type in sorted(after)]


def waiting_since(view: View) -> datetime | None:
    """Return since when something waits to be deployed here; None when nothing does, or when a person holds it back."""
    state = view.state
    times = []
    if state.active:
        times.append(state.active.claimed_at)
    if state.requested:
        times.append(state.requested.at)
    candidate = view.candidate()
    if candidate is not None and candidate.ready_at is not None and state.hold is None:
        times.append(candidate.ready_at)
    return min(times, default=None)


def changed_bases(view: View) -> list[str]:
    """Return the services whose base task definition is another one than the one they were made from."""
    target = view.state.last_succeeded
    if view.drift is None or target is None:
        return []
    return [
        service
        for service, base in sorted(view.drift.bases.items())
        if service in target.bases and _revision(target.bases[service]) != _revision(base)
    ]


def untried_bases(view: View) -> list[str]:
    """Return the services with a changed base that the last attempt did not plan with.

    A service that it left alone (scaled to zero, no image in the release) keeps its old base: trying again by itself
    would leave it alone again, for ever.
    """
    planned = view.latest.plan.services if view.latest and view.latest.plan else {}
    bases = view.drift.bases if view.drift else {}
    return [
        service
        for service in changed_bases(view)
        if service not in planned or _revision(planned[service].base_task_definition) != _revision(bases[service])
    ]


def _ready(view: View) -> Seen:
    state, newest = view.state, view.newest
    running = state.current.version or "an unknown version" if state.current else "nothing"
    if state.active:
        return "Ready", "Unknown", "Progressing", f"{state.active.version} is on its way; until then {running} runs."
    settled = view.settled(newest) if newest else None
    if newest and settled and newest.version != running:
        tail = (
            f"it is tried again at {settled.retry_at:%Y-%m-%d %H:%M:%S} UTC"
            if settled.retry_at
            else f"push a new version, or `ferryman retry {view.name}`"
        )
        message = f"{newest.version} ended {settled.phase} ({settled.reason}), {running} runs; {tail}."
        return "Ready", "False", str(settled.phase), message
    candidate = view.candidate()
    if candidate and state.hold:
        return "Ready", "False", "Held", f"{candidate.version} waits for `ferryman resume {view.name}`; {running} runs."
    if candidate:
        return "Ready", "False", "Waiting", f"{candidate.version} is about to start; {running} runs."
    if state.current is None:
        return "Ready", "Unknown", "NothingDeployed", "No release has been deployed here yet; push one."
    return "Ready", "True", "UpToDate", f"{running} runs."


def _progressing(view: View) -> Seen:
    state, deployment = view.state, view.deployment
    if state.active:
        phase = str(deployment.phase) if deployment else str(Phase.PENDING)
        return "Progressing", "True", phase, f"deployment {state.active.deployment} of {state.active.version}"
    candidate = view.candidate() or view.errored()
    settled = view.settled(candidate) if candidate else None
    if settled and settled.retry_at and state.hold is None:
        return "Progressing", "False", "WaitingForRetry", f"next attempt at {settled.retry_at:%Y-%m-%d %H:%M:%S} UTC"
    return "Progressing", "False", "Idle", ""


def _held(view: View) -> Seen:
    hold = view.state.hold
    if hold is None:
        return "Held", "False", "NotHeld", ""
    return "Held", "True", "Held", f"{hold.who}: {hold.reason}; `ferryman resume {view.name}` lifts it"


def _drifted(view: View) -> Seen | None:
    target = view.state.last_succeeded
    if view.drift is None or view.state.active is not None:
        return None
    if target is None:
        return "Drifted", "Unknown", "NothingDeployed", ""
    strayed = []
    for service, recorded in sorted(target.task_definitions.items()):
        live = view.drift.live.get(service, recorded)
        if live is None:
            strayed.append(f"{service} is gone")
        elif _revision(live) != _revision(recorded):
            strayed.append(f"{service} runs {_revision(live)} instead of {_revision(recorded)}")
    if strayed:
        message = f"{'; '.join(strayed)}. `ferryman redeploy {view.name}` brings back what is recorded."
        return "Drifted", "True", "TaskDefinitionChanged", message
    changed = changed_bases(view)
    if changed:
        message = f"{', '.join(changed)}: Terraform published a newer base; `ferryman redeploy {view.name}` applies it."
        return "Drifted", "True", "BaseChanged", message
    return "Drifted", "False", "AsRecorded", ""


def _revision(task_definition: str) -> str:
    """`family:revision`, whether the ARN or the short name was given."""
    return task_definition.rsplit("/", 1)[-1]
