"""Stories: what went differently in one history, as JSON, to be read, kept, replayed and made shorter.

A story names what it is about by point and occurrence, so it means something only for the code that it was made with:
replaying one whose points no longer come up is an error, and says so.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from simulation.choices import Choice, Choices, StoryDoesNotFit
from simulation.history import Told, play


def dumped(story: Sequence[Choice], broken: Sequence[tuple[str, str]], about: str = "") -> str:
    """Return a story as text, with what it breaks."""
    found = {
        "about": about,
        "breaks": [{"promise": name, "what": what} for name, what in broken[:1]],
        "choices": [[item.point, item.occurrence, item.option] for item in story],
    }
    lines = ",\n".join(f"    {json.dumps(item)}" for item in found.pop("choices"))  # type: ignore[attr-defined]
    head = json.dumps(found, indent=2, ensure_ascii=False).removesuffix("\n}")
    return f'{head},\n  "choices": [\n{lines}\n  ]\n}}\n'


def read(path: Path) -> tuple[list[Choice], dict[str, Any]]:
    """Return a story's choices, and everything else that its file says. Raise StoryDoesNotFit for another file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [Choice(str(point), int(number), str(option)) for point, number, option in data["choices"]], data
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoryDoesNotFit(f"{path} is no story: {error}") from None


def replay(story: Sequence[Choice], *, strict: bool = True) -> Told:
    """Play a story. Raise StoryDoesNotFit when a choice names a point that does not come up, or an option it lacks."""
    told = play(Choices(story=story))
    left = told.choices.unused()
    if strict and left:
        raise StoryDoesNotFit(f"the code no longer comes to: {'; '.join(map(str, left))}")
    return told


def shortened(story: Sequence[Choice], promise: str, say: Callable[[str], None] = lambda line: None) -> list[Choice]:
    """Return a story from which nothing can be left out without keeping the promise."""

    def breaks(candidate: Sequence[Choice]) -> bool:
        try:
            return any(name == promise for name, _ in replay(candidate, strict=False).broken[:1])
        except StoryDoesNotFit:
            return False

    kept, size = list(story), max(1, len(story) // 2)
    while True:
        start, shorter = 0, False
        while start < len(kept):
            candidate = kept[:start] + kept[start + size :]
            if len(candidate) < len(kept) and breaks(candidate):
                kept, shorter = candidate, True
                say(f"{len(kept)} choices")
            else:
                start += size
        if size == 1 and not shorter:
            return kept
        size = max(1, size // 2)
