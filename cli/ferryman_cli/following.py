"""Follows a deployment until it ends: polls and shows it. Used by `watch` and by the option `--watch`."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ferryman.durations import span
from ferryman.suggestions import suggest
from ferryman_cli import moments, options, output, progress
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.output import Format
from ferryman_cli.transport import Api, ApiError

Looks = Iterator[tuple[dict[str, Any] | None, bool]]
"""The view of a deployment (None: it has not started), and whether it was read just now."""

Watch = Annotated[
    bool, typer.Option("--watch", "-w", help="Follow the deployment until it ends, like `ferryman watch`.")
]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="DURATION", help="Stop watching after this time: 90s, 15m. Default: no timeout."),
]
Interval = Annotated[float, typer.Option("--interval", min=0.2, max=60, help="Polling interval in seconds.")]

_INTERRUPTED = 130
_TICK = 0.1
_PATIENCE = 60
"""Seconds for which the API may be unreachable while a deployment is followed."""
_RECENT = 20


def seconds(timeout: str | None) -> float | None:
    """Read the option --timeout."""
    return None if timeout is None else moments.span(timeout, "--timeout")


def to_the_end(looks: Looks, form: Format, platform: str | None, environment: str) -> dict[str, Any]:
    """Show a deployment until it ends, and return its view; end the command if a person interrupts it."""
    try:
        return present(looks, form)
    except KeyboardInterrupt:
        stop = suggest("abort", environment, p=platform, reason="REASON")
        output.warn(f"\nstopped watching; the deployment continues (to abort it: {stop})")
        raise typer.Exit(_INTERRUPTED) from None


def meant(api: Api, platform: str | None, text: str) -> str:
    """Return the version whose deployment a person waits for; end the command if there can never be one.

    `text`: a version, a semver tag, or the tag of an image.
    """
    try:
        found = api.get(Api.path("v1", "platforms", options.only_platform(api, platform), "tags", text))
    except ApiError as error:
        if error.status == 404:
            return text  # the operator is older than this command
        raise
    if found["hopeless"]:
        raise Stop(Exit.BAD_INPUT, f"{found['message']} {found['nextStep']}".strip())
    version = str(found["version"] or text)
    if version != text:
        output.warn(f"{text} is version {version}")
    elif not found["known"] and found["kind"] != "Release":
        output.warn(f"{found['message']} {found['nextStep']}".strip())
    return version


def judge(view: dict[str, Any]) -> None:
    """End the command with 1 unless the deployment succeeded."""
    if view["phase"] != "Succeeded":
        raise typer.Exit(Exit.FAILED)


def known(api: Api, place: str) -> set[str]:
    """Return the ids of the latest deployments, read before a request, so that a new one is recognized after it."""
    return {item["id"] for item in api.get(f"{place}/history", limit=_RECENT)["deployments"]}


def asked(api: Api, place: str, before: set[str], version: str, interval: float, limit: float | None) -> Looks:
    """Wait for the deployment that a request starts, and follow it.

    `before` are the ids that existed before the request. A request that is gone without a deployment was dropped.
    """
    began = time.monotonic()
    while True:
        # In this order: the write that creates a deployment also clears the request.
        wish = api.get(place)["requested"]
        found = api.get(f"{place}/history", limit=_RECENT)["deployments"]
        new = [item["id"] for item in found if item["id"] not in before and item["version"] == version]
        if new:
            left = None if limit is None else max(0.0, limit - (time.monotonic() - began))
            yield from follow(api, place, new[-1], None, interval, left)
            return
        if wish is None or wish["version"] != version:
            by = f"{output.who(wish['who'])} requested {wish['version']} instead" if wish else "it was dropped"
            raise Stop(Exit.FAILED, f"no deployment of {version} started: {by}; the command `events` shows the reason")
        yield None, True
        if limit is not None and time.monotonic() - began >= limit:
            raise Stop(Exit.FAILED, f"timed out after {span(limit)}: no deployment has started")
        time.sleep(interval)


def follow(api: Api, place: str, wanted: str, version: str | None, interval: float, limit: float | None) -> Looks:
    """Yield (view, fresh) about ten times a second, fresh ones every `interval`; None until a deployment starts.

    Once seen, a deployment is followed by its id, so that a newer one does not replace it.
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
                # The deployment continues even if the API is unreachable: keep showing the last view for a while.
                if stop.code is not Exit.UNREACHABLE or view is None or time.monotonic() - heard > _PATIENCE:
                    raise
                fresh = False
            looked = time.monotonic()
        yield view, fresh
        if view is not None and view["ended"]:
            return
        if limit is not None and now - began >= limit:
            state = f"still {view['phase']}; the deployment continues" if view else "no deployment has started"
            raise Stop(Exit.FAILED, f"timed out after {span(limit)}: {state}")
        time.sleep(min(_TICK, interval))


def _look(api: Api, place: str, wanted: str, version: str | None, *, begun: bool) -> dict[str, Any] | None:
    try:
        return api.get(f"{place}/deployments/{Api.path(wanted)[1:]}", version=None if begun else version)
    except ApiError as error:
        if error.status == 404 and version is not None and not begun:
            return None
        raise


def present(looks: Looks, form: Format) -> dict[str, Any]:
    if form is Format.JSON:
        return _machine(looks, lambda view: json.dumps(view, ensure_ascii=False) + "\n")
    if form is Format.YAML:
        return _machine(looks, lambda view: "---\n" + output.as_yaml(view))
    if sys.stdout.isatty():
        return _live(looks)
    return _log(looks)


def _machine(looks: Looks, dump: Any) -> dict[str, Any]:
    """Print each state that differs from the previous one in more than times."""
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


def _log(looks: Looks) -> dict[str, Any]:
    """Print a line for each change, prefixed with the deployment's age."""
    console, known, last, told = output.out(), set[str](), None, False
    for view, fresh in looks:
        if view is None:
            if not told:
                console.print("waiting for a deployment to start")
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


def _live(looks: Looks) -> dict[str, Any]:
    """Draw the deployment repeatedly; spinner and times move between two polls."""
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
                live.update(Text("waiting for a deployment to start " + "." * (frame // 5 % 4)), refresh=True)
                continue
            last = view
            later = time.monotonic() - read_at
            live.update(progress.picture(view, frame, later, ascii_only=ascii_only), refresh=True)
    assert last is not None
    console.print()
    console.print(progress.conclusion(last), soft_wrap=True)
    return last
