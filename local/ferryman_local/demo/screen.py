"""What the person sees: lines everywhere, and on a terminal a live picture of the deployment under way."""

import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ferryman.decisions.deployment_steps import of_kind, title_of
from ferryman_cli import output, progress

View = dict[str, Any]

WIDTH = 100
QUOTED_WIDTH = 190
LOG_LINES = 5
"""Of the log lines that a message quotes, so many are shown."""

_NOISE = ("CREATE_COMPLETE", "Building codeuri", "changeSet", "sources unchanged")
_SHORT = {"begin": "plan", "admit": "last gate", "promotion": "images", "migration": "migration"}
"""Where the title of a step is long for its column."""


class Screen:
    """Standard output, with the seconds since the scene began before each line."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Since the scene began."""
        return time.monotonic() - self._began

    def heading(self, title: str, why: str) -> None:
        """Begin a scene."""
        self._began = time.monotonic()
        self.console.print()
        self.console.print(Text(title, style="bold"))
        self.text(why)

    def text(self, prose: str) -> None:
        """Print a paragraph."""
        self.console.print(textwrap.fill(prose, WIDTH))

    def line(self, subject: str, status: str, detail: str = "") -> None:
        """Print what just happened: who, what, more."""
        text = Text(f"{self.seconds:7.1f}s  {subject:<24}  ")
        text.append(f"{status:<14}", style=output.status(status.split(" ")[0]).style)
        text.append(f"  {output.flat(detail)}" if detail else "")
        text.rstrip()
        with self._lock:
            self.console.print(text)

    def setup(self, line: str) -> None:
        """Print a line about the start; what `sam` tells of each resource is too much."""
        if not any(noise in line for noise in _NOISE):
            self.line("set-up", line)

    def check(self, where: str, what: str, ok: bool, found: str) -> None:
        """Print one check's result."""
        mark = Text("ok    ", style="green") if ok else Text("FAILED", style="bold red")
        self.console.print(
            Text.assemble("          ", mark, f"  {where:<5} {what}", f": {output.flat(found)[:300]}" if found else "")
        )

    def message(self, mail: View) -> None:
        """Print a message as it arrived, its log lines cut to the last ones."""
        self.line("inbox", "message", f"to {', '.join(mail['To'])}")
        lines, quoted = mail["BodyText"].splitlines(), []
        self.console.print(Text(f"          > {mail['Subject']}", style="bold"))
        for line in [*lines, ""]:
            if line.startswith("  | "):
                quoted.append(line)
                continue
            for log in quoted[-LOG_LINES:]:
                self._quoted(log, "dim")
            quoted = []
            if line:
                self._quoted(line)

    def _quoted(self, line: str, style: str = "") -> None:
        # A link stays in one piece: it may be opened from here.
        whole = [output.clean(line)] if line.startswith(("http://", "https://")) else []
        for part in whole or textwrap.wrap(output.clean(line), WIDTH, drop_whitespace=False) or [""]:
            self.console.print(Text(f"          > {part}", style=style))

    def quote(self, lines: list[str]) -> None:
        """Print what a command printed, cut where it is much wider than the screen."""
        for line in lines:
            text = Text(f"          {output.clean(line).rstrip()}", style="dim")
            text.truncate(QUOTED_WIDTH, overflow="ellipsis")
            self.console.print(text)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Show a spinner on a terminal meanwhile."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(what):
            yield

    @contextmanager
    def _wrapping(self) -> Iterator[None]:
        """A live picture has to know where its lines end."""
        self.console.soft_wrap = False
        try:
            yield
        finally:
            self.console.soft_wrap = True

    def follow(self, looks: Iterator[View | None]) -> View:
        """Show a deployment to its end; `looks` yields its view often, None while it has not begun."""
        if self.console.is_terminal:
            return self._live(looks)
        shown: set[tuple[str, str, str]] = set()
        last: View | None = None
        for view in looks:
            for news in told(view) if view else []:
                if news not in shown:
                    self.line(*news)
            shown = {*shown, *(told(view) if view else [])}
            last = view
        assert last is not None, "a deployment that ended has been seen"
        return last

    def _live(self, looks: Iterator[View | None]) -> View:
        last: View | None = None
        ascii_only = self.console.options.ascii_only
        frame, read_at = 0, time.monotonic()
        with self._wrapping(), Live(console=self.console, auto_refresh=False, vertical_overflow="visible") as live:
            for view in looks:
                frame += 1
                if view is None:
                    live.update(Text("  waiting for the operator " + "." * (frame // 5 % 4)), refresh=True)
                    continue
                if view is not last:
                    last, read_at = view, time.monotonic()
                later = time.monotonic() - read_at
                live.update(progress.picture(view, frame, later, ascii_only=ascii_only), refresh=True)
        assert last is not None, "a deployment that ended has been seen"
        return last


def shown(path: Path) -> str:
    """A path as short as it can be."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def told(view: View) -> list[tuple[str, str, str]]:
    """What a deployment's view tells, as (subject, status, detail). Pure."""
    found = []
    for step in view["steps"]:
        known, status = of_kind(step["kind"]), step["status"]
        words = {"Running": known.running, "Succeeded": known.done} if known else {}
        word = words.get(status, status.lower())
        if status != "Pending" and word is not None:
            subject = step["service"] or _SHORT.get(step["kind"]) or title_of(step["key"])
            found.append((subject, word, progress.detail(step)))
    place = f"{view['platform']}/{view['environment']}"
    if view["phase"] in ("RollingBack", "Running"):
        return [(place, view["phase"], view["version"]), *found]
    if view["ended"]:
        found.append((place, view["phase"], view["version"]))
    return found
