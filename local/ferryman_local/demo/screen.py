"""The output of the demo: lines, and on a terminal a live picture of the running deployment."""

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
"""Number of quoted log lines of a message that are shown."""

_NOISE = ("CREATE_COMPLETE", "Building codeuri", "changeSet", "sources unchanged")
_SHORT = {"begin": "plan", "promotion": "images", "migration": "migration"}
"""Short names of steps whose title is too long for its column."""


class Screen:
    """Standard output, with the seconds since the start of the scene before each line."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Seconds since the start of the scene."""
        return time.monotonic() - self._began

    def heading(self, title: str, why: str) -> None:
        """Start a scene."""
        self._began = time.monotonic()
        self.console.print()
        self.console.print(Text(title, style="bold"))
        self.text(why)

    def text(self, prose: str) -> None:
        """Print a paragraph."""
        self.console.print(textwrap.fill(prose, WIDTH))

    def line(self, subject: str, status: str, detail: str = "") -> None:
        """Print one line: subject, status, detail."""
        text = Text(f"{self.seconds:7.1f}s  {subject:<24}  ")
        text.append(f"{status:<14}", style=output.status(status.split(" ")[0]).style)
        text.append(f"  {output.flat(detail)}" if detail else "")
        text.rstrip()
        with self._lock:
            self.console.print(text)

    def setup(self, line: str) -> None:
        """Print a line about the setup, without sam's line for each resource."""
        if not any(noise in line for noise in _NOISE):
            self.line("set-up", line)

    def check(self, where: str, what: str, ok: bool, found: str) -> None:
        """Print one check's result."""
        mark = Text("ok    ", style="green") if ok else Text("FAILED", style="bold red")
        self.console.print(
            Text.assemble("          ", mark, f"  {where:<5} {what}", f": {output.flat(found)[:300]}" if found else "")
        )

    def message(self, mail: View) -> None:
        """Print a message with only the last of its quoted log lines."""
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
        # Do not break a link, so that it can be opened from the terminal.
        whole = [output.clean(line)] if line.startswith(("http://", "https://")) else []
        for part in whole or textwrap.wrap(output.clean(line), WIDTH, drop_whitespace=False) or [""]:
            self.console.print(Text(f"          > {part}", style=style))

    def quote(self, lines: list[str]) -> None:
        """Print the output of a command; cut very long lines."""
        for line in lines:
            text = Text(f"          {output.clean(line).rstrip()}", style="dim")
            text.truncate(QUOTED_WIDTH, overflow="ellipsis")
            self.console.print(text)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Show a spinner on a terminal inside the `with` block."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(what):
            yield

    @contextmanager
    def _wrapping(self) -> Iterator[None]:
        """Disable soft wrapping, because a live picture needs to know its height."""
        self.console.soft_wrap = False
        try:
            yield
        finally:
            self.console.soft_wrap = True

    def follow(self, looks: Iterator[View | None]) -> View:
        """Show a deployment until it ends; `looks` yields its view often, None until it starts."""
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
    """A path relative to the current folder, if possible."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def told(view: View) -> list[tuple[str, str, str]]:
    """The lines about a deployment, as (subject, status, detail). Pure."""
    found = []
    for step in view["steps"]:
        known, status = of_kind(step["kind"]), step["status"]
        words = {"Running": known.running, "Succeeded": known.done} if known else {}
        word = words.get(status, status.lower())
        if status != "Pending" and word is not None:
            named = f"{step['kind']} {step['migration']}" if step.get("migration") else None
            subject = step["service"] or named or _SHORT.get(step["kind"]) or title_of(step["key"])
            found.append((subject, word, progress.detail(step)))
    place = f"{view['platform']}/{view['environment']}"
    if view["phase"] in ("RollingBack", "Running"):
        return [(place, view["phase"], view["version"]), *found]
    if view["ended"]:
        found.append((place, view["phase"], view["version"]))
    return found
