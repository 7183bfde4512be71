"""What a person may say against image scans: a release may go on in spite of them, for a while. Pure."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from ferryman.api.http import Body
from ferryman.errors import NotFound, Refused
from ferryman.platform import Environment
from ferryman.platform.values import Duration, between, format_duration
from ferryman.records import EnvironmentState, Release, Waiver


class WaiveBody(Body):
    """Body of waive."""

    release: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(
        description="Version, or a semver name."
    )
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    duration: Annotated[Duration, AfterValidator(between("1m", "30d"))] = Field(
        default=timedelta(days=7), description="How long it holds, 1m to 30d."
    )


def waived(
    state: EnvironmentState,
    environment: Environment,
    releases: list[Release],
    body: WaiveBody,
    *,
    who: str,
    at: datetime,
) -> tuple[EnvironmentState, str]:
    """Return the state with the waiver, in place of an earlier one, and what to say.

    Raise Refused where no scan holds anything back, NotFound for an unknown release. Waivers that expired are dropped.
    """
    env = state.environment
    if environment.scan is None:
        raise Refused(f"{env} does not look at image scans, so there is nothing to waive; `scan` in its document would")
    release = next((item for item in releases if body.release in (item.version, *item.names)), None)
    if release is None:
        latest = ", ".join(item.version for item in releases[:-6:-1]) or "none has been pushed yet"
        raise NotFound(f"there is no release {body.release!r}; the latest are: {latest}")
    waiver = Waiver(reason=body.reason, who=who, at=at, until=at + body.duration)
    standing = {version: known for version, known in state.waivers.items() if known.until > at}
    message = (
        f"image scans do not hold {release.version} back in {env} for {format_duration(body.duration)} "
        f"(until {waiver.until:%Y-%m-%d %H:%M} UTC)"
    )
    return state.but(waivers={**standing, release.version: waiver}), message
