"""A person asks for what runs to be deployed once more. Pure."""

from datetime import datetime

from ferryman.decisions.requests.common import Outcome, _release, asked, refuse_active
from ferryman.errors import Refused
from ferryman.records import EnvironmentState, Release
from ferryman.records import Request as Wish


def request_redeploy(
    state: EnvironmentState, releases: list[Release], *, reason: str, who: str, at: datetime
) -> Outcome:
    """Ask for what runs to be deployed once more, on the base task definitions as they are now.

    A hold does not stand in the way and stays: it keeps newer releases away, not a person.
    """
    env = state.environment
    if state.current is None or state.current.version is None:
        raise Refused(f"what {env} runs belongs to no release that Ferryman knows; push a release first")
    wanted = state.current.version
    _release(releases, wanted)
    refuse_active(state, wanted)
    return asked(state, Wish(version=wanted, kind="redeploy", reason=reason, who=who, at=at), lift_hold=False)
