"""A person's request to retry a settled version. Pure."""

from datetime import datetime

from ferryman.decisions.candidates import TAG_REFUSED
from ferryman.decisions.requests.common import Outcome, asked, find, refuse_active
from ferryman.decisions.same_images import settled_twin
from ferryman.decisions.why_not import newer_releases
from ferryman.errors import Refused
from ferryman.platform import Platform
from ferryman.records import EnvironmentState, Release, ReleaseStatus
from ferryman.records import Request as Wish
from ferryman.suggestions import suggest
from ferryman.text import person


def request_retry(
    state: EnvironmentState,
    releases: list[Release],
    *,
    document: Platform | None = None,
    version: str | None,
    reason: str,
    lift_hold: bool,
    who: str,
    at: datetime,
) -> Outcome:
    """Request to retry a settled version; by default the one that was settled last.

    With a document, the error says why a tag that was given can be no release.
    """
    env = state.environment
    _refuse_hold(state, lift_hold)
    release = find(releases, version or _last_settled(state, releases), document)
    wanted = release.version
    if release.status is not ReleaseStatus.READY:
        raise Refused(
            f"release {wanted} is {release.status}, not Ready; to see what is missing, run "
            f"{suggest('releases', p=state.platform)}"
        )
    if state.current is not None and state.current.version == wanted:
        raise Refused(
            f"{env} already runs {wanted}; to deploy it again, run {suggest('redeploy', env, p=state.platform)}"
        )
    refuse_active(state, wanted)
    if release not in newer_releases(state, releases):
        runs = state.current.version if state.current else "what runs"
        raise Refused(
            f"{wanted} is older than {runs}, which {env} runs; retry does not go back, use "
            f"{suggest('rollback', env, p=state.platform, release=wanted, reason='REASON')}"
        )
    _refuse_untried(state, releases, release)
    wish = Wish(version=wanted, kind="retry", reason=reason, who=who, at=at)
    return asked(state, wish, lift_hold=lift_hold)


def _refuse_hold(state: EnvironmentState, lift_hold: bool) -> None:
    """Refuse during a hold, whoever set it, unless it is to be lifted explicitly."""
    if state.hold is not None and not lift_hold:
        env, standing = state.environment, state.hold
        raise Refused(
            f"{env} was put on hold by {person(standing.who)}: {standing.reason}. Lift the hold with "
            f"{suggest('resume', env, p=state.platform)}, "
            f"or do both with {suggest('retry', env, p=state.platform, resume=True)}"
        )


def _refuse_untried(state: EnvironmentState, releases: list[Release], release: Release) -> None:
    """Refuse a version that never failed here: it must pass the gates, or be deployed with a typed confirmation.

    Its images may have failed here under another name.
    """
    if settled_twin(tuple(releases), state.settled, release) is not None:
        return
    env, version, settled = state.environment, release.version, state.settled.get(release.version)
    if (settled is not None and settled.reason != TAG_REFUSED) or env in release.verified:
        return
    what = f"{version} has not failed in {env}"
    if settled is not None:
        what = f"{version} was never tried in {env}: its semver tag was refused"
    raise Refused(
        f"{what}, so there is nothing to retry. "
        "To deploy it, run "
        f"{suggest('deploy', env, p=state.platform, release=version, confirm='DEPLOY')}, or push a new release"
    )


def _last_settled(state: EnvironmentState, releases: list[Release]) -> str:
    env, newer = state.environment, {release.version for release in newer_releases(state, releases)}
    open_ones = {
        version: settled
        for version, settled in state.settled.items()
        if version in newer and settled.reason != TAG_REFUSED
    }
    if not open_ones:
        raise Refused(
            f"no version that is newer than what {env} runs has failed there, so there is nothing to retry. "
            f"To see what it is waiting for, run {suggest('explain', env, p=state.platform)}"
        )
    return max(open_ones, key=lambda version: open_ones[version].at)
