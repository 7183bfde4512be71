"""One change of a document, and what it means for one environment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel

from ferryman.durations import format_duration
from ferryman.platform import Environment, Platform

Effect = Literal["looser", "tighter", "neutral"]


@dataclass(frozen=True)
class Change:
    """A change in words. `looser`: a gate opens, or nobody can prove that it doesn't; it waits for approval."""

    environment: str
    """The environment whose gates it concerns; empty for a neutral change of the whole platform."""
    path: str
    """As in the document, dotted."""
    effect: Effect
    text: str


@dataclass(frozen=True)
class Place:
    """Where a comparison stands: the environment, in the stored document and in the new one."""

    name: str
    old: Environment
    new: Environment
    before: Platform
    after: Platform

    def looser(self, path: str, text: str) -> Change:
        """Make a change that waits for approval."""
        return Change(self.name, path, "looser", text)

    def tighter(self, path: str, text: str) -> Change:
        """Make a change that only closes a gate further."""
        return Change(self.name, path, "tighter", text)

    def neutral(self, path: str, text: str) -> Change:
        """Make a change that no gate depends on."""
        return Change(self.name, path, "neutral", text)


def shown(value: Any) -> str:
    """Return a value as people write it, bounded."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case timedelta():
            return format_duration(value)
        case BaseModel():
            return _bounded(
                ", ".join(f"{name} {shown(part)}" for name, part in value.model_dump(by_alias=True).items())
            )
        case Mapping():
            return _bounded(", ".join(f"{name}: {shown(part)}" for name, part in value.items()) or "none")
        case list() | tuple():
            return _bounded(", ".join(map(shown, value)) or "none")
        case _:
            return _bounded(str(value))


def _bounded(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."
