"""Routes that close and open the gates of an environment: freezes, and waivers of image scans."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from ferryman.api import control
from ferryman.api.context import Context
from ferryman.api.control import ReasonBody, answer_of
from ferryman.api.http import Body, Request, how
from ferryman.api.read import place
from ferryman.api.recorded_request import Asked
from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.requests import freeze as freezes
from ferryman.decisions.requests.common import Outcome
from ferryman.decisions.requests.waive import request_waiver
from ferryman.messages import timeline
from ferryman.messages.environment import for_freeze, for_thaw
from ferryman.platform.values import Duration, between
from ferryman.records import EnvironmentState, EventType, Freeze
from ferryman.records.writes import Write


class FreezeBody(ReasonBody):
    """Body of freeze."""

    until: AwareDatetime | None = Field(default=None, description="When it ends automatically. Default: never.")


class WaiveBody(Body):
    """Body of waive."""

    release: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(
        description="Version, or a semver name."
    )
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    duration: Annotated[Duration, AfterValidator(between("1m", "30d"))] = Field(
        default=timedelta(days=7), description="How long it holds, 1m to 30d."
    )


def freeze(operator: Context, request: Request) -> dict[str, Any]:
    """Freeze an environment."""
    platform, env = place(operator, request)
    body, at = request.read(FreezeBody), operator.clock()
    asked, environment = Asked(operator, request, platform, env), platform.environment(env)

    def lines(outcome: Outcome) -> list[Write]:
        event = asked.event(EventType.FROZEN, f"{outcome.message}: {body.reason}")
        declared = outcome.state.freeze if outcome.state else None
        told = for_freeze(platform.name, env, declared, environment.notify, at) if declared else []
        return [event, *told]

    with asked.recorded("freeze"):
        outcome = asked.write(
            lambda state: freezes.request_freeze(
                state, environment, reason=body.reason, until=body.until, who=request.who, at=at
            ),
            lines,
        )
    control.nudge(operator, platform.name, env)
    return answer_of(outcome)


def thaw(operator: Context, request: Request) -> dict[str, Any]:
    """Lift a freeze."""
    platform, env = place(operator, request)
    at, environment = operator.clock(), platform.environment(env)
    asked = Asked(operator, request, platform, env)
    standing: list[Freeze | None] = []

    def thawed(state: EnvironmentState) -> Outcome:
        standing.append(state.freeze)
        return freezes.request_thaw(state, environment, at)

    def lines(outcome: Outcome) -> list[Write]:
        event, freeze = asked.event(EventType.THAWED, outcome.message), standing[-1]
        over = freeze is None or (freeze.until is not None and freeze.until <= at)
        if freeze is None or over:
            return [event]  # Nothing changed for anybody.
        still = frozen(environment, outcome.state, at) if outcome.state is not None else None
        return [event, *for_thaw(platform.name, env, freeze, request.who, still, environment.notify, at)]

    outcome = asked.write(thawed, lines)
    control.nudge(operator, platform.name, env)
    return answer_of(outcome)


def waive(operator: Context, request: Request) -> dict[str, Any]:
    """Waive the image scans of a release for a while."""
    platform, env = place(operator, request)
    body, at = request.read(WaiveBody), operator.clock()
    releases = operator.store.releases(platform.name)
    said: list[str] = []

    def change(state: EnvironmentState) -> EnvironmentState:
        after, message = request_waiver(
            state, platform, releases,
            release=body.release, reason=body.reason, duration=body.duration, who=request.who, at=at,
        )  # fmt: skip
        said.append(message)
        return after

    def line(_: EnvironmentState) -> list[Write]:
        text = f"{said[-1]}: {body.reason}"
        return [
            timeline.environment_event(
                platform.name,
                env,
                EventType.WAIVED,
                text,
                at=at,
                new_id=operator.new_id,
                who=request.who,
                detail=how(request),
            )
        ]

    operator.store.update_state(platform.name, env, change, line)
    control.nudge(operator, platform.name, env)
    return {"changed": True, "message": said[-1]}
