"""`ferryman freeze`, `thaw`, `waive`: block starts in an environment, and let a release pass its image scans."""

from typing import Annotated, Any

import typer

from ferryman_cli import asking, moments, options
from ferryman_cli.output import Format


def freeze(
    environment: options.Env,
    reason: options.Reason,
    until: options.Until = None,
    span: options.For = None,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Freeze an environment.

    No deployment starts, and nothing can be approved, until the freeze ends. A running deployment continues to its end.
    A freeze does not block rollbacks. Recurring freeze windows belong in the platform document.

    \b
    Examples:
      ferryman freeze production --reason "trade fair in Basel" --until '2026-12-24 18:00'
      ferryman freeze production --reason "incident 4711" --for 2h
    """
    body: dict[str, Any] = {"reason": reason}
    end = moments.end_of(until, span)
    if end is not None:
        body["until"] = end.isoformat()
    asking.ask(api_url, platform, environment, "freeze", body, form, repeatable=True)


def thaw(
    environment: options.Env,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """End a freeze that a person set.

    Freeze windows of the platform document stay in effect; change them with `ferryman apply`. Releases that are waiting
    for the end of the freeze start.

    \b
    Examples:
      ferryman thaw production
    """
    asking.ask(api_url, platform, environment, "thaw", {}, form, repeatable=True)


def waive(
    environment: options.Env,
    reason: options.Reason,
    release: options.Release,
    span: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long the waiver is valid.")] = "7d",
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Let one release pass despite its image scans.

    Covers findings as well as missing and failed scans. The waiver is recorded with your name and expires
    automatically.

    \b
    Examples:
      ferryman waive production --release 3f9c2ab --reason "CVE-2026-1: not reachable" --for 2d
    """
    moments.span(span, "--for")
    body = {"release": release, "reason": reason, "duration": span}
    asking.ask(api_url, platform, environment, "waive", body, form, repeatable=True)
