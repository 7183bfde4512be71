"""How a change of the freeze windows is judged and worded. Pure. Called by `rules`."""

from collections.abc import Iterator
from typing import Any

from ferryman.decisions.document_changes.change import Change, Place
from ferryman.platform import FreezeWindow

Times = tuple[str | None, str | None]


def freeze(before: Any, after: Any, path: str, place: Place) -> Iterator[Change]:
    """Judge a policy that appears or disappears; what changes inside it has rules of its own."""
    if after is None:
        yield place.looser(path, f"{place.name} has no freeze windows any more")
    elif before is None:
        yield place.tighter(path, f"{place.name} has freeze windows")


def windows(before: list[FreezeWindow], after: list[FreezeWindow], path: str, place: Place) -> Iterator[Change]:
    """Judge windows by their times, not by their names. The first window that allows forbids all other times."""
    old, new = _times(before, "deny"), _times(after, "deny")
    for name in (name for times, name in old.items() if times not in new):
        yield place.looser(path, f"{place.name} is no longer frozen during {name}")
    for name in (name for times, name in new.items() if times not in old):
        yield place.tighter(path, f"{place.name} is frozen during {name}")
    yield from _allowed(_times(before, "allow"), _times(after, "allow"), path, place)


def _allowed(old: dict[Times, str], new: dict[Times, str], path: str, place: Place) -> Iterator[Change]:
    if old and not new:
        yield place.looser(path, f"deployments to {place.name} can start at any time, not only during "
                           f"{', '.join(old.values())}")  # fmt: skip
        return
    if new and not old:
        yield place.tighter(path, f"deployments to {place.name} can start only during {', '.join(new.values())}")
        return
    for name in (name for times, name in new.items() if times not in old):
        yield place.looser(path, f"deployments to {place.name} can also start during {name}")
    for name in (name for times, name in old.items() if times not in new):
        yield place.tighter(path, f"deployments to {place.name} can no longer start during {name}")


def _times(windows: list[FreezeWindow], kind: str) -> dict[Times, str]:
    """Return the times of the windows of a kind → how people know them."""
    return {
        (window.weekly, window.dates): f"{window.name} ({window.weekly or window.dates})"
        for window in windows
        if window.kind == kind
    }
