"""Routes for requests. Each request is recorded with who, when and why; then reconcile or the watchers are woken.

Waking is best effort: the request is in the table, and the sweep or the watcher's own poll finds it.
"""

import logging
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints

from ferryman.api.context import Context
from ferryman.api.http import Body, Request, how
from ferryman.api.read import place
from ferryman.api.recorded_request import Asked
from ferryman.clients.aws_errors import Refusal
from ferryman.contracts import DeploymentRef
from ferryman.decisions.conditions import strayed_from
from ferryman.decisions.requests import common
from ferryman.decisions.requests.hold import request_hold, request_resume
from ferryman.decisions.requests.redeploy import request_redeploy
from ferryman.decisions.requests.retry import request_retry
from ferryman.errors import ClaimLost, FerrymanError, Refused
from ferryman.messages import timeline
from ferryman.messages.environment import for_hold, for_resume
from ferryman.platform import Platform
from ferryman.records import AbortRequest, Deployment, EnvironmentState, EventType, Hold
from ferryman.records.writes import Write
from ferryman.suggestions import suggest

_LOG = logging.getLogger("ferryman")

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
OptionalReason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class ReasonBody(Body):
    """Body of abort and hold. A reason is required."""

    reason: Reason


class HoldBody(ReasonBody):
    """Body of hold."""

    until: AwareDatetime | None = Field(default=None, description="When it ends automatically. Default: never.")


class RedeployBody(Body):
    """Body of redeploy."""

    reason: OptionalReason = ""


class RetryBody(RedeployBody):
    """Body of retry."""

    version: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    resume: bool = Field(default=False, description="Lift a hold in the same write.")


def hold(operator: Context, request: Request) -> dict[str, Any]:
    """Put automation on hold in an environment."""
    platform, env = place(operator, request)
    body, at = request.read(HoldBody), operator.clock()
    outcome = _write(
        operator, request, platform, env,
        lambda state: request_hold(state, body.reason, request.who, at, body.until),
        lambda outcome: [(EventType.HELD, f"put on hold: {body.reason}")],
    )  # fmt: skip
    return answer_of(outcome)


def resume(operator: Context, request: Request) -> dict[str, Any]:
    """Lift the hold of an environment."""
    platform, env = place(operator, request)
    outcome = _write(
        operator, request, platform, env, request_resume, lambda outcome: [(EventType.RESUMED, "hold lifted")]
    )  # fmt: skip
    nudge(operator, platform.name, env)
    return answer_of(outcome)


def retry(operator: Context, request: Request) -> dict[str, Any]:
    """Request to retry a settled version."""
    platform, env = place(operator, request)
    body, at = request.read(RetryBody), operator.clock()
    Asked(operator, request, platform, env).admitted("retry")
    releases = operator.store.releases(platform.name)

    def outcome_on(state: EnvironmentState) -> common.Outcome:
        return request_retry(
            state, releases, document=platform,
            version=body.version, reason=body.reason, lift_hold=body.resume, who=request.who, at=at,
        )  # fmt: skip

    return _wish(operator, request, platform, env, outcome_on, EventType.RETRY_REQUESTED, body)


def redeploy(operator: Context, request: Request) -> dict[str, Any]:
    """Request to deploy the running release again."""
    platform, env = place(operator, request)
    body, at = request.read(RedeployBody), operator.clock()
    Asked(operator, request, platform, env).admitted("redeploy")
    releases = operator.store.releases(platform.name)

    def outcome_on(state: EnvironmentState) -> common.Outcome:
        return request_redeploy(
            state, releases, reason=body.reason, who=request.who, at=at
        )  # fmt: skip

    return _wish(operator, request, platform, env, outcome_on, EventType.REDEPLOY_REQUESTED, body)


def abort(operator: Context, request: Request) -> dict[str, Any]:
    """Abort the deployment in progress: changed services are rolled back, and the environment is put on hold."""
    platform, env = place(operator, request)
    body, at = request.read(ReasonBody), operator.clock()
    claim = operator.store.state(platform.name, env).active
    if claim is None:
        raise Refused(_nothing_to_abort(operator, platform.name, env))
    ref = DeploymentRef(platform=platform.name, environment=env, deployment=claim.deployment, fence=claim.fence)
    wish = AbortRequest(reason=body.reason, who=request.who, at=at)

    def change(before: Deployment) -> Deployment | None:
        if before.phase.terminal:
            raise Refused(f"deployment {before.id} of {before.version} has just ended: {before.phase}")
        return None if before.abort is not None else before.but(abort=wish)

    def event(after: Deployment) -> list[Write]:
        text = f"abort requested: {body.reason}"
        return [timeline.event(after, EventType.ABORT_REQUESTED, text, at=at, new_id=operator.new_id, who=request.who,
                               detail=how(request))]  # fmt: skip

    try:
        found = operator.store.update_deployment(ref, change, event)
    except ClaimLost:
        raise Refused(f"deployment {claim.deployment} of {claim.version} has just ended") from None
    # Also when an abort was already recorded: its wake-up may have been lost.
    quietly(lambda: operator.outside.wake(platform.name, env, claim.deployment))
    # A deployment that waits for approval has no watcher: reconcile ends the approval.
    nudge(operator, platform.name, env)
    changed = found.abort == wish
    message = f"deployment {found.id} of {found.version} is being aborted; services that it changed are rolled back"
    if not changed and found.abort is not None:
        message = f"{found.abort.who} has already requested to abort deployment {found.id}: {found.abort.reason}"
    return {"changed": changed, "message": message, "deployment": found.id, "version": found.version}


def _nothing_to_abort(operator: Context, platform: str, env: str) -> str:
    began = operator.store.state(platform, env).began_at
    last = operator.store.deployments(platform, env, limit=1, since=began)
    tail = f"; the last deployment, {last[0].id} of {last[0].version}, ended {last[0].phase}" if last else ""
    return f"no deployment is in progress in {platform}/{env}, so there is nothing to abort{tail}"


def verify(operator: Context, request: Request) -> dict[str, Any]:
    """Compare one environment of the applied document with ECS."""
    platform, env = place(operator, request)
    part = platform.only(env)
    found = operator.outside.verify(part)
    # Imported here: it imports this module.
    from ferryman.api import ownership

    elsewhere = ownership.elsewhere(operator, platform.name, env, found.claims)
    drifted = _drifted(operator.store.state(platform.name, env), found.live.get(env, {}))
    problems = [*found.problems, *operator.outside.approvers(part), *elsewhere, *drifted]
    return {
        "ok": not problems,
        "platform": platform.name,
        "environment": env,
        "problems": told(problems),
        "notes": told(found.notes),
    }


def _drifted(state: EnvironmentState, live: dict[str, str]) -> list[tuple[str, str]]:
    """Return the services that run something else than what is recorded; during a deployment nobody can tell."""
    if state.active is not None or state.last_succeeded is None:
        return []
    at, way = (
        f"spec.environments.{state.environment}",
        f"run {suggest('redeploy', state.environment, p=state.platform)}",
    )
    return [
        (at, f"has drifted: {text}; to restore what is recorded, run {way}")
        for text in strayed_from(state.last_succeeded, dict(live)).values()
    ]


def told(found: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Return problems or notes as the API answers them."""
    return [{"path": path, "message": message} for path, message in found]


def _wish(
    operator: Context,
    request: Request,
    platform: Platform,
    env: str,
    outcome_on: Callable[[EnvironmentState], common.Outcome],
    type: EventType,
    body: RedeployBody,
) -> dict[str, Any]:
    def events(outcome: common.Outcome) -> list[tuple[EventType, str]]:
        told = [(type, f"{outcome.message}{f': {body.reason}' if body.reason else ''}")]
        return [(EventType.RESUMED, "hold lifted"), *told] if outcome.lifted_hold else told

    outcome = _write(operator, request, platform, env, outcome_on, events)
    nudge(operator, platform.name, env)
    return {**answer_of(outcome), "version": outcome.version}


def _write(
    operator: Context,
    request: Request,
    platform: Platform,
    env: str,
    outcome_on: Callable[[EnvironmentState], common.Outcome],
    events: Callable[[common.Outcome], list[tuple[EventType, str]]],
) -> common.Outcome:
    """Decide on the current state and write the result with its timeline; decide again when the state has changed."""
    decided: list[common.Outcome] = []
    lifted: list[Hold | None] = []

    def change(state: EnvironmentState) -> EnvironmentState | None:
        lifted.append(state.hold)
        decided.append(outcome_on(state))
        return decided[-1].state

    def timeline_of(after: EnvironmentState) -> list[Write]:
        at, told = operator.clock(), events(decided[-1])
        lines: list[Write] = [
            timeline.environment_event(
                platform.name, env, type, message, at=at, new_id=operator.new_id, who=request.who, detail=how(request)
            )
            for type, message in told
        ]
        channels, types = platform.environment(env).notify, [type for type, _ in told]
        before = lifted[-1]
        if after.hold is not None and EventType.HELD in types:
            # Tell colleagues, who may push during the hold.
            lines += for_hold(platform.name, env, after.hold, channels, at)
        if before is not None and EventType.RESUMED in types:
            lines += for_resume(platform.name, env, before, request.who, channels, at)
        return lines

    operator.store.update_state(platform.name, env, change, timeline_of)
    return decided[-1]


def answer_of(outcome: common.Outcome) -> dict[str, Any]:
    """Return what every answer has."""
    return {"changed": outcome.state is not None, "message": outcome.message}


def nudge(operator: Context, platform: str, env: str) -> None:
    """Tell reconcile to look at an environment now."""
    quietly(lambda: operator.outside.nudge(platform, env))


def quietly(wake: Callable[[], None]) -> None:
    """Call `wake`. If it fails, that is logged; the receiver finds the request later by itself."""
    try:
        wake()
    except (FerrymanError, Refusal) as error:
        _LOG.warning("the wake-up failed; the sweep or the next poll will find the request: %s", error)
