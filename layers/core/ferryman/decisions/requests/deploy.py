"""A release, or a database command, that a person asks for: decided on what is known. Pure.

Each function returns an outcome with what to say, or raises Refused with the reason and the next thing to do.
"""

from datetime import datetime

from ferryman.decisions.freeze_windows import Frozen
from ferryman.decisions.promotion_gate import Waits
from ferryman.decisions.requests.common import Outcome, asked, refuse_active
from ferryman.errors import Refused
from ferryman.platform import Platform
from ferryman.records import EnvironmentState, Release, ReleaseStatus
from ferryman.records import Request as Wish

DEPLOY = "DEPLOY"
"""What has to be typed to deploy by hand."""


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
    """Ask for a release by hand. `waits` is what the gate of a promotion says, `freeze` whether nothing may start."""
    env = state.environment
    environment, version = document.environment(env), release.version
    if "manual" not in environment.triggers:
        has = ", ".join(environment.triggers)
        raise Refused(f"{env} is not deployed to by hand: its triggers are {has}. Add `manual` to them in the document")
    if release.status not in (ReleaseStatus.READY, ReleaseStatus.BASELINE):
        raise Refused(f"release {version} is {release.status}, not Ready: `ferryman releases` shows what it lacks")
    missing = [name for name in document.spec.components if name not in release.components]
    if missing:
        raise Refused(f"release {version} has no image of {', '.join(missing)}; push it under the same tag")
    if state.current is not None and state.current.version == version:
        again = f"`ferryman redeploy {env}` deploys it once more"
        if state.active is not None:
            again = f"`ferryman rollback {env}` stops deployment {state.active.deployment} and goes back to it"
        raise Refused(f"{env} runs {version} already; {again}")
    refuse_active(state, version)
    runs = _running(state, releases)
    if runs is not None and release.order < runs.order:
        raise Refused(
            f"{version} is older than {runs.version}, which {env} runs: going there is a rollback. "
            f"`ferryman rollback {env} --to {version} --reason ...` does it"
        )
    if waits is not None:
        raise Refused(f"{waits.message} ({waits.reason})")
    if freeze is not None:
        raise Refused(f"{env} is {freeze.message}. Nothing starts before it ends, but a rollback")
    if state.hold is not None:
        hold = state.hold
        raise Refused(
            f"{env} is on hold, by {hold.who}: {hold.reason}. Lift it with `ferryman resume {env}`, then ask again"
        )
    outcome = asked(state, Wish(version=version, kind="deploy", reason=reason, who=who, at=at))
    if environment.approval is None or outcome.state is None:
        return outcome
    names = ", ".join(approver.name for approver in environment.approval.approvers)
    return Outcome(outcome.state, f"{outcome.message}; then {names} will be asked to approve it", version)


def _running(state: EnvironmentState, releases: list[Release]) -> Release | None:
    version = state.current.version if state.current else None
    return next((release for release in releases if release.version == version), None)
