"""`ferryman watch`: follow a deployment to its end."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ferryman.ages import span
from ferryman_cli import options, output, progress
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.output import Format
from ferryman_cli.transport import Api, ApiError

_INTERRUPTED = 130
_TICK = 0.1
_PATIENCE = 60
"""Seconds that the API may be silent while a deployment is being followed."""


def watch(
    environment: options.Env,
    deployment: Annotated[
        str, typer.Option("--deployment", "-d", help="An id, or `latest`: the one under way, else the last one.")
    ] = "latest",
    version: Annotated[
        str | None,
        typer.Option(
            "--version", help="Wait for a deployment of this version to begin, and follow it.", show_default=False
        ),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", help="Give up after, for example, 90s or 15m. Default: never.")
    ] = None,
    interval: Annotated[float, typer.Option("--interval", min=0.2, max=60, help="Seconds between two looks.")] = 2,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Follow a deployment live, to its end.

    Shows steps, services with running and desired tasks, and times. Exit 0 when the deployment Succeeded, 1 when it
    ended otherwise or the time-out passed. Without a terminal it prints a line for each change; with -o json a JSON
    object per line. Interrupting it does not touch the deployment.

    \b
    Examples:
      ferryman watch staging
      docker push …/scr-web:3f9c2ab && ferryman watch staging --version 3f9c2ab --timeout 30m
    """
    limit = _seconds(timeout)
    api = connect(api_url)
    place = options.place(api, platform, environment)
    api.get(place)  # a platform or environment that doesn't exist would look like a deployment that hasn't begun
    looks = _follow(api, place, deployment, version, interval, limit)
    try:
        view = _present(looks, form)
    except KeyboardInterrupt:
        output.warn(f"\nstopped watching; the deployment goes on (`ferryman abort {environment}` would stop it)")
        raise typer.Exit(_INTERRUPTED) from None
    if view["phase"] != "Succeeded":
        raise typer.Exit(Exit.FAILED)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from ferryman.platform.values import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise Stop(Exit.BAD_INPUT, f"--timeout: {error}") from None


def _follow(
    api: Api, place: str, wanted: str, version: str | None, interval: float, limit: float | None
) -> Iterator[tuple[dict[str, Any] | None, bool]]:
    """Yield (view, fresh) about ten times a second, fresh ones every `interval`; None while nothing has begun.

    Once seen, a deployment is followed by its id, so that a newer one can't take its place.
    """
    began = heard = time.monotonic()
    looked, view = float("-inf"), None
    while True:
        now = time.monotonic()
        fresh = now - looked >= interval
        if fresh:
            try:
                view = _look(api, place, view["id"] if view else wanted, version, begun=view is not None)
                heard = time.monotonic()
            except Stop as stop:
                # An outage of the API is not the deployment's: keep watching what was seen, for a while.
                if stop.code is not Exit.UNREACHABLE or view is None or time.monotonic() - heard > _PATIENCE:
                    raise
                fresh = False
            looked = time.monotonic()
        yield view, fresh
        if view is not None and view["ended"]:
            return
        if limit is not None and now - began >= limit:
            state = f"still {view['phase']}; it goes on" if view else "nothing has begun"
            raise Stop(Exit.FAILED, f"gave up watching after {span(limit)}: {state}")
        time.sleep(min(_TICK, interval))


def _look(api: Api, place: str, wanted: str, version: str | None, *, begun: bool) -> dict[str, Any] | None:
    try:
        return api.get(f"{place}/deployments/{Api.path(wanted)[1:]}", version=None if begun else version)
    except ApiError as error:
        if error.status == 404 and version is not None and not begun:
            return None
        raise


def _present(looks: Iterator[tuple[dict[str, Any] | None, bool]], form: Format) -> dict[str, Any]:
    if form is Format.JSON:
        return _machine(looks, lambda view: json.dumps(view, ensure_ascii=False) + "\n")
    if form is Format.YAML:
        return _machine(looks, lambda view: "---\n" + output.as_yaml(view))
    if sys.stdout.isatty():
        return _live(looks)
    return _log(looks)


def _machine(looks: Iterator[tuple[dict[str, Any] | None, bool]], dump: Any) -> dict[str, Any]:
    """Print each state that differs from the one before by more than the time."""
    before, last = None, None
    for view, fresh in looks:
        if view is None or not fresh:
            continue
        last, lines = view, progress.lines(view)
        if lines != before or view["ended"]:
            sys.stdout.write(dump(view))
            sys.stdout.flush()
        before = lines
    assert last is not None
    return last


def _log(looks: Iterator[tuple[dict[str, Any] | None, bool]]) -> dict[str, Any]:
    """Print a line for each change, with the deployment's age in front."""
    console, known, last, told = output.out(), set[str](), None, False
    for view, fresh in looks:
        if view is None:
            if not told:
                console.print("waiting for a deployment to begin")
            told = True
            continue
        if not fresh:
            continue
        last = view
        for line in progress.lines(view):
            if line not in known:
                console.print(f"{span(view['elapsedSeconds']):>6}  {line}")
        known = set(progress.lines(view))
    assert last is not None
    console.print(progress.conclusion(last))
    return last


def _live(looks: Iterator[tuple[dict[str, Any] | None, bool]]) -> dict[str, Any]:
    """Draw the deployment, and draw it again; spinner and times move between two looks."""
    from rich.live import Live
    from rich.text import Text

    console, last, frame, read_at = output.out(), None, 0, time.monotonic()
    console.soft_wrap = False
    ascii_only = console.options.ascii_only
    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        for view, fresh in looks:
            frame += 1
            if fresh:
                read_at = time.monotonic()
            if view is None:
                live.update(Text("waiting for a deployment to begin " + "." * (frame // 5 % 4)), refresh=True)
                continue
            last = view
            later = time.monotonic() - read_at
            live.update(progress.picture(view, frame, later, ascii_only=ascii_only), refresh=True)
    assert last is not None
    console.print()
    console.print(progress.conclusion(last), soft_wrap=True)
    return last
