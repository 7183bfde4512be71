"""What a person may ask of an environment, decided on its state. Pure.

Each function returns the changed state with what to say, or raises Refused with the reason and the next thing to do.
An outcome whose `state` is None changes nothing: it was so already.
"""

from dataclasses import dataclass
from datetime import datetime

from ferryman.decisions.candidates import TAG_REFUSED
from ferryman.decisions.explain.pending_releases import newer_releases
from ferryman.errors import NotFound, Refused
from ferryman.records import EnvironmentState, Hold, Release, ReleaseStatus
from ferryman.records import Request as Wish


@dataclass(frozen=True)
class Outcome:
    """What becomes of a request."""

    state: EnvironmentState | None
    message: str
    version: str | None = None
    lifted_hold: bool = False


def hold(state: EnvironmentState, reason: str, who: str, at: datetime) -> Outcome:
    """Switch automation off. A hold that stands keeps its reason and its owner."""
    env, standing = state.environment, state.hold
    if standing is not None:
        return Outcome(None, f"{env} is already on hold, by {standing.who}: {standing.reason}")
    # admit_deployment stops what automation started and what has not changed anything yet.
    running = f"; deployment {state.active.deployment} runs to its end, if it has begun" if state.active else ""
    message = f"{env} is on hold{running}; `ferryman resume {env}` lifts it"
    return Outcome(state.but(hold=Hold(reason=reason, who=who, at=at)), message)


def resume(state: EnvironmentState) -> Outcome:
    """Switch automation on again."""
    env = state.environment
    if state.hold is None:
        return Outcome(None, f"{env} was not on hold")
    return Outcome(
        state.but(hold=None), f"{env} is no longer on hold (it was, by {state.hold.who}: {state.hold.reason})"
    )


def retry(
    state: EnvironmentState,
    releases: list[Release],
    *,
    version: str | None,
    reason: str,
    lift_hold: bool,
    who: str,
    at: datetime,
) -> Outcome:
    """Ask for a version again that automation is done with; by default the one that was settled last."""
    env = state.environment
    _refuse_hold(state, lift_hold)
    wanted = version or _last_settled(state, releases)
    release = _release(releases, wanted)
    if release.status is not ReleaseStatus.READY:
        raise Refused(f"release {wanted} is {release.status}, not Ready: `ferryman releases` shows what it lacks")
    if state.current is not None and state.current.version == wanted:
        raise Refused(f"{env} runs {wanted} already; `ferryman redeploy {env}` deploys it once more")
    refuse_active(state, wanted)
    if release not in newer_releases(state, releases):
        runs = state.current.version if state.current else "what runs"
        raise Refused(
            f"{wanted} is older than {runs}, which {env} runs; going back is a rollback, which retry does not do"
        )
    _refuse_untried(state, release)
    wish = Wish(version=wanted, kind="retry", reason=reason, who=who, at=at)
    return asked(state, wish, lift_hold=lift_hold)


def redeploy(state: EnvironmentState, releases: list[Release], *, reason: str, who: str, at: datetime) -> Outcome:
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


def _refuse_hold(state: EnvironmentState, lift_hold: bool) -> None:
    """A hold, whoever placed it, is lifted knowingly or not at all."""
    if state.hold is not None and not lift_hold:
        env, standing = state.environment, state.hold
        raise Refused(
            f"{env} is on hold, by {standing.who}: {standing.reason}. Lift it with `ferryman resume {env}`, "
            f"or both at once with `ferryman retry {env} --resume`"
        )


def _refuse_untried(state: EnvironmentState, release: Release) -> None:
    """Retry is for what automation is done with here: everything else has gates, or a word to be typed."""
    env, version, settled = state.environment, release.version, state.settled.get(release.version)
    if (settled is not None and settled.reason != TAG_REFUSED) or env in release.verified:
        return
    what = f"nothing of {version} has failed in {env}"
    if settled is not None:
        what = f"{version} was never tried in {env}: its semver tag was refused"
    raise Refused(
        f"{what}, so there is nothing to try again. "
        f"`ferryman deploy {env} --release {version} --confirm DEPLOY` brings it, or push a new release"
    )


def what(wish: Wish) -> tuple[str | None, ...]:
    """Return what a wish is for: two that agree in it are the same wish, whoever asks."""
    return wish.version, wish.kind, wish.command, wish.revision


def refuse_active(state: EnvironmentState, version: str) -> None:
    if state.active is not None and state.active.version == version:
        env = state.environment
        raise Refused(
            f"deployment {state.active.deployment} is bringing {version} to {env} now; `ferryman watch {env}` shows it"
        )  # fmt: skip


def _last_settled(state: EnvironmentState, releases: list[Release]) -> str:
    env, newer = state.environment, {release.version for release in newer_releases(state, releases)}
    open_ones = {
        version: settled
        for version, settled in state.settled.items()
        if version in newer and settled.reason != TAG_REFUSED
    }
    if not open_ones:
        raise Refused(
            f"no version that is newer than what {env} runs has failed there: there is nothing to retry. "
            f"`ferryman explain {env}` tells what it waits for"
        )
    return max(open_ones, key=lambda version: open_ones[version].at)


def _release(releases: list[Release], version: str) -> Release:
    found = next((release for release in releases if release.version == version), None)
    if found is None:
        latest = ", ".join(release.version for release in releases[:-6:-1]) or "none has been pushed yet"
        raise NotFound(f"there is no release {version!r}; the latest are: {latest}")
    return found


def asked(state: EnvironmentState, wish: Wish, *, lift_hold: bool = False) -> Outcome:
    """Put a wish in the place of an earlier one; the same wish again changes nothing."""
    before, env = state.requested, state.environment
    if before is not None and before.kind == "rollback" and wish.kind != "rollback":
        raise Refused(
            f"{before.who} asked to go back to {before.version} in {env}, which starts first: {before.reason}. "
            f"Ask again when it has ended; `ferryman watch {env}` shows it"
        )
    lifting = lift_hold and state.hold is not None
    if before is not None and what(before) == what(wish):
        if not lifting and not (state.hold is not None and before.at < state.hold.at):
            return Outcome(None, f"{before.who} asked for that already; it starts next", wish.version)
        wish = before if lifting else wish
    instead = f" (instead of {before.version}, which {before.who} asked for)" if before and before != wish else ""
    when = f"once deployment {state.active.deployment} has ended" if state.active else "within seconds"
    message = f"{wish.kind} of {wish.version} in {env} starts {when}{instead}"
    after = state.but(requested=wish, hold=None if lifting else state.hold)
    return Outcome(after, message, wish.version, lifted_hold=lifting)
