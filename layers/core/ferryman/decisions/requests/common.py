"""What a person may ask of an environment, decided on its state. Pure.

Each function returns the changed state with what to say, or raises Refused with the reason and the next thing to do.
An outcome whose `state` is None changes nothing: it was so already.
"""

from dataclasses import dataclass

from ferryman.errors import NotFound, Refused
from ferryman.records import EnvironmentState, Release
from ferryman.records import Request as Wish


@dataclass(frozen=True)
class Outcome:
    """What becomes of a request."""

    state: EnvironmentState | None
    message: str
    version: str | None = None
    lifted_hold: bool = False


def what(wish: Wish) -> tuple[str | None, ...]:
    """Return what a wish is for: two that agree in it are the same wish, whoever asks."""
    return wish.version, wish.kind, wish.command, wish.revision


def refuse_active(state: EnvironmentState, version: str) -> None:
    if state.active is not None and state.active.version == version:
        env = state.environment
        raise Refused(
            f"deployment {state.active.deployment} is bringing {version} to {env} now; `ferryman watch {env}` shows it"
        )  # fmt: skip


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


SHORTEST = 7


"""Characters of a version that are enough, if no other release begins with them."""


def confirmed(typed: str, expected: str, doing: str) -> None:
    """Raise Refused unless a person typed what was asked for."""
    if typed != expected:
        raise Refused(f"nothing was done: {doing} has to be confirmed by typing {expected} (`--confirm {expected}`)")


def find(releases: list[Release], text: str) -> Release:
    """Return the release of a version, a semver name, or the beginning of a version; raise NotFound, or Refused."""
    exact = [release for release in releases if text in (release.version, *release.names)]
    found = exact or [release for release in releases if len(text) >= SHORTEST and release.version.startswith(text)]
    if len(found) > 1:
        names = ", ".join(release.version for release in found)
        raise Refused(f"{text} may be any of {names}; write more of it")
    if not found:
        latest = ", ".join(release.version for release in releases[:-6:-1]) or "none has been pushed yet"
        raise NotFound(f"there is no release {text!r}; the latest are: {latest}")
    return found[0]
