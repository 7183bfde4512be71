"""A person's request to deploy a release. Pure.

Each function returns an outcome with a message, or raises Refused with the reason and what to do next.
"""

from datetime import datetime

from ferryman.decisions.freeze_windows import Frozen
from ferryman.decisions.promotion_gate import Waits
from ferryman.decisions.requests.common import Outcome, asked, refuse_active
from ferryman.errors import Refused
from ferryman.platform import Platform
from ferryman.records import EnvironmentState, Release, ReleaseStatus
from ferryman.records import Request as Wish
from ferryman.suggestions import suggest
from ferryman.text import person

DEPLOY = "DEPLOY"
"""The word to type for a manual deployment."""


def request_deploy(
    state: EnvironmentState,
    document: Platform,
    releases: list[Release],
    release: Release,
    *,
    waits: Waits | None,
    freeze: Frozen | None,
    reason: str,
    who: str,
    at: datetime,
) -> Outcome:
    """Request a release manually. `waits`: why the promotion gate keeps it back. `freeze`: the current freeze."""
    env = state.environment
    environment, version = document.environment(env), release.version
    if "manual" not in environment.triggers:
        has = ", ".join(environment.triggers)
        raise Refused(
            f"{env} does not allow manual deployments: its triggers are {has}. Add `manual` to them in the platform "
            "document"
        )
    if release.status not in (ReleaseStatus.READY, ReleaseStatus.BASELINE):
        raise Refused(
            f"release {version} is {release.status}, not Ready; to see what is missing, run "
            f"{suggest('releases', p=state.platform)}"
        )
    missing = [name for name in document.spec.components if name not in release.components]
    if missing:
        raise Refused(f"release {version} has no image of {', '.join(missing)}; push it with the same tag")
    if state.current is not None and state.current.version == version:
        again = f"to deploy it again, run {suggest('redeploy', env, p=state.platform)}"
        if state.active is not None:
            again = (
                f"to stop deployment {state.active.deployment} and go back to it, run "
                f"{suggest('rollback', env, p=state.platform, reason='REASON')}"
            )
        raise Refused(f"{env} already runs {version}; {again}")
    refuse_active(state, version)
    runs = _running(state, releases)
    if runs is not None and release.order < runs.order:
        raise Refused(
            f"{version} is older than {runs.version}, which {env} runs. To roll back, run "
            f"{suggest('rollback', env, p=state.platform, release=version, reason='REASON')}"
        )
    if waits is not None:
        raise Refused(f"{waits.message} ({waits.reason})")
    if freeze is not None:
        raise Refused(f"{env} is {freeze.message}. Only rollbacks can start before the freeze ends")
    if state.hold is not None:
        hold = state.hold
        raise Refused(
            f"{env} was put on hold by {person(hold.who)}: {hold.reason}. Lift the hold with "
            f"{suggest('resume', env, p=state.platform)}, then try "
            "again"
        )
    outcome = asked(state, Wish(version=version, kind="deploy", reason=reason, who=who, at=at))
    if environment.approval is None or outcome.state is None:
        return outcome
    names = ", ".join(approver.name for approver in environment.approval.approvers)
    return Outcome(outcome.state, f"{outcome.message}; then {names} will be asked to approve it", version)


def _running(state: EnvironmentState, releases: list[Release]) -> Release | None:
    version = state.current.version if state.current else None
    return next((release for release in releases if release.version == version), None)
