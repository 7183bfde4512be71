"""The outcome of each release in a scene, and the table of all outcomes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.text import Text

from ferryman_cli import output
from ferryman_local.demo.checks import Check

BLANK = (Text(), Text(), Text())


@dataclass(frozen=True)
class Outcome:
    """A release, its final phase, and the duration in seconds."""

    release: str
    phase: str
    seconds: float | None


def of(view: dict[str, Any]) -> Outcome:
    """The outcome of a deployment, with the time from its claim to its end."""
    if view["endedAt"] is None or view["startedAt"] is None:
        return Outcome(view["version"], view["phase"], None)
    took = datetime.fromisoformat(view["endedAt"]) - datetime.fromisoformat(view["createdAt"])
    return Outcome(view["version"], view["phase"], took.total_seconds())


@dataclass
class Result:
    """The result of a scene."""

    title: str
    outcomes: list[Outcome] = field(default_factory=list)
    checked: str = ""
    checks: list[Check] = field(default_factory=list)
    error: str = ""
    run: bool = False

    @property
    def word(self) -> str:
        """`ok`, `FAILED` or `not run`."""
        if not self.run:
            return "not run"
        return "ok" if not self.error and self.checks and all(check.ok for check in self.checks) else "FAILED"


def show(results: list[Result]) -> None:
    """Print the table of results: one line per release, with the scene on its first line."""
    rows: list[list[str | Text]] = []
    for number, result in enumerate(results, 1):
        word = Text(result.word, style="green" if result.word == "ok" else "bold red")
        outcomes = result.outcomes or [Outcome("-", "-", None)]
        for index, outcome in enumerate(outcomes):
            seconds = "-" if outcome.seconds is None else f"{outcome.seconds:.1f}"
            what = (Text(f"{number}. {result.title}"), Text(result.checked or "-"), word) if index == 0 else BLANK
            rows.append([what[0], outcome.release, output.status(outcome.phase), seconds, *what[1:]])
    output.table(["SCENE", "RELEASE", "PHASE", "SECONDS", "CHECKED", "RESULT"], rows)
