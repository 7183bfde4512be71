"""`ferryman freeze`, `thaw`, `waive`: closing and opening what stands before an environment."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from ferryman_cli import asking, moments, options
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.output import Format


def freeze(
    environment: options.Env,
    reason: options.Reason,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="MOMENT",
            show_default=False,
            help="When it ends: '2026-12-24 18:00' in this machine's time, or ISO with a zone. Default: with `thaw`.",
        ),
    ] = None,
    span: Annotated[
        str | None,
        typer.Option("--for", metavar="SPAN", help="How long, instead of --until: 90m, 2d.", show_default=False),
    ] = None,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Let nothing start for a while.

    A deployment under way runs to its end; nothing can be approved until the end of the freeze. A rollback passes.
    Windows that come back every week belong in the platform document.

    \b
    Examples:
      ferryman freeze production --reason "fair in Basel" --until '2026-12-24 18:00'
      ferryman freeze production --reason "incident 4711" --for 2h
    """
    body: dict[str, Any] = {"reason": reason}
    end = _end(until, span)
    if end is not None:
        body["until"] = end.isoformat()
    asking.ask(api_url, platform, environment, "freeze", body, form, repeatable=True)


def _end(until: str | None, span: str | None) -> datetime | None:
    if until is not None and span is not None:
        raise Stop(Exit.BAD_INPUT, "--until and --for both say when it ends; give one of them")
    now = datetime.now(UTC).replace(microsecond=0)
    if span is not None:
        return now + timedelta(seconds=moments.span(span, "--for"))
    if until is None:
        return None
    end = moments.moment(until, "--until")
    if end <= now:
        raise Stop(Exit.BAD_INPUT, f"--until: {moments.local(end.isoformat())} is over already; nothing was sent")
    return end


def thaw(
    environment: options.Env,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Lift a freeze that a person declared.

    Windows of the platform document stay: `ferryman apply` changes them. What waits for this environment starts.

    \b
    Examples:
      ferryman thaw production
    """
    asking.ask(api_url, platform, environment, "thaw", {}, form, repeatable=True)


def waive(
    environment: options.Env,
    reason: options.Reason,
    release: Annotated[str, typer.Option("--release", help="Its version, or its semver tag.", show_default=False)],
    span: Annotated[str, typer.Option("--for", metavar="SPAN", help="How long the waiver counts.")] = "7d",
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Let one release pass in spite of its image scans.

    In spite of what they found, or of a scan that is missing or failed. Recorded with your name; it ends by itself.

    \b
    Examples:
      ferryman waive production --release 3f9c2ab --reason "CVE-2026-1: not reachable" --for 2d
    """
    moments.span(span, "--for")
    body = {"release": release, "reason": reason, "duration": span}
    asking.ask(api_url, platform, environment, "waive", body, form, repeatable=True)
