"""A person's request to deploy the running release again. Pure."""

from datetime import datetime

from ferryman.decisions.requests.common import Outcome, _release, asked, refuse_active
from ferryman.errors import Refused
from ferryman.records import EnvironmentState, Release
from ferryman.records import Request as Wish
from ferryman.suggestions import suggest


def request_redeploy(
    state: EnvironmentState, releases: list[Release], *, reason: str, who: str, at: datetime
) -> Outcome:
    """Request to deploy the running release again, on the current base task definitions.

    A hold does not prevent it and stays: it stops newer releases, not a person's redeploy.
    """
    env = state.environment
    if state.current is None:
        raise Refused(f"{env} does not run a release that Ferryman knows; push a release first")
    if state.current.version is None:
        raise Refused(
            f"what {env} runs is no release that Ferryman knows, so it cannot be deployed again. Push a release, or "
            f"deploy one with {suggest('deploy', env, p=state.platform, release='VERSION')}"
        )
    wanted = state.current.version
    _release(releases, wanted)
    refuse_active(state, wanted)
    return asked(state, Wish(version=wanted, kind="redeploy", reason=reason, who=who, at=at), lift_hold=False)
