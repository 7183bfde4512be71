"""What the commands share. Pure.

Each function returns the changed state with a message, or raises Refused with the reason and what to do next. An
outcome whose `state` is None changes nothing, because the state is already as requested.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ferryman.errors import NotFound, Refused
from ferryman.platform import Platform, classify, tag_report
from ferryman.records import EnvironmentState, Release
from ferryman.records import Request as Wish
from ferryman.suggestions import suggest


@dataclass(frozen=True)
class Outcome:
    """The result of a request."""

    state: EnvironmentState | None
    message: str
    version: str | None = None
    lifted_hold: bool = False


def what(wish: Wish) -> tuple[object, ...]:
    """Return what a request is for: two requests with the same result are the same request, whoever makes them."""
    return wish.version, wish.kind, wish.command, wish.migration, wish.revision, wish.revisions, bool(wish.override)


def refuse_active(state: EnvironmentState, version: str) -> None:
    if state.active is not None and state.active.version == version:
        env = state.environment
        raise Refused(
            f"deployment {state.active.deployment} is already deploying {version} to {env}; to follow it, run "
            f"{suggest("watch", env, p=state.platform)}"
        )  # fmt: skip


def _release(releases: list[Release], version: str) -> Release:
    found = next((release for release in releases if release.version == version), None)
    if found is None:
        raise _no_release(releases, version, None)
    return found


def asked(state: EnvironmentState, wish: Wish, *, lift_hold: bool = False) -> Outcome:
    """Replace an earlier request; repeating the same request changes nothing."""
    before, env = state.requested, state.environment
    if before is not None and before.kind == "rollback" and wish.kind != "rollback":
        raise Refused(
            f"{before.who} requested a rollback of {env} to {before.version}, which starts first: {before.reason}. "
            f"Try again when it has ended; to follow it, run {suggest('watch', env, p=state.platform)}"
        )
    lifting = lift_hold and state.hold is not None
    if before is not None and what(before) == what(wish):
        if not lifting and not (state.hold is not None and before.at < state.hold.at):
            return Outcome(None, f"{before.who} has already requested that; it starts next", wish.version)
        wish = before if lifting else wish
    instead = f" (instead of {before.version}, which {before.who} requested)" if before and before != wish else ""
    when = f"once deployment {state.active.deployment} has ended" if state.active else "within seconds"
    message = f"{wish.kind} of {wish.version} in {env} starts {when}{instead}"
    after = state.but(requested=wish, hold=None if lifting else state.hold)
    return Outcome(after, message, wish.version, lifted_hold=lifting)


SHORTEST = 7
"""The fewest characters that identify a version, if no other release begins with them."""


def confirmed(typed: str, expected: str, doing: str) -> None:
    """Raise Refused unless a person typed the expected word."""
    if typed != expected:
        raise Refused(f"nothing was done: {doing} must be confirmed by typing {expected} (`--confirm {expected}`)")


def find(releases: list[Release], text: str, document: Platform | None = None) -> Release:
    """Return the release of a version, a semver name, or the beginning of a version; raise NotFound, or Refused.

    With a document, a version's tag is taken, too, and the error says why another tag can be no release.
    """
    found = matching(releases, text, document)
    if len(found) > 1:
        raise Refused(ambiguous(text, found))
    if not found:
        raise _no_release(releases, text, document)
    return found[0]


def matching(releases: Sequence[Release], text: str, document: Platform | None = None) -> list[Release]:
    """Return the releases that a text may mean: a version, a semver name, with a document a version's tag, or else the
    beginning of a version. Wherever a person names a release, this is the rule.
    """
    exact = [release for release in releases if text in (release.version, *release.names)]
    if not exact and document is not None and (tagged := classify(text, document).version) is not None:
        exact = [release for release in releases if release.version == tagged]
    return exact or [release for release in releases if len(text) >= SHORTEST and release.version.startswith(text)]


def ambiguous(text: str, found: Sequence[Release]) -> str:
    """Say that a text means several releases."""
    return f"{text} is ambiguous: it matches {', '.join(release.version for release in found)}; give more characters"


def _no_release(releases: list[Release], text: str, document: Platform | None) -> NotFound:
    latest = ", ".join(release.version for release in releases[:-6:-1]) or "none has been pushed yet"
    why = _never(text, document) if document is not None else ""
    return NotFound(f"there is no release {text!r}{why}; the latest are: {latest}")


def _never(text: str, document: Platform) -> str:
    found = tag_report.report(text, document)
    if found.kind == "Release":
        return f" ({found.message}, which is not known)" if found.version != text else ""
    if tag_report.can_be_a_version(text, document) and found.kind == "Ignored":
        return ""
    return f": {found.message}. {found.next_step.rstrip('.')}".rstrip(". ")
