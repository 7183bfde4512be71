"""`ferryman audit`: who did what, when, from where, and to which digests."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from ferryman_cli import moments, options, output
from ferryman_cli.connection import connect
from ferryman_cli.output import Format
from ferryman_cli.output import status as coloured
from ferryman_cli.transport import Api


def audit(
    environment: Annotated[
        str | None, typer.Argument(metavar="ENV", help="Only this environment. Default: all.", show_default=False)
    ] = None,
    limit: options.Limit = 50,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME|DURATION",
            show_default=False,
            help="Show nothing older: 2d, 12h, '2026-12-24 18:00' (local time), or ISO 8601 with a time zone.",
        ),
    ] = None,
    digests: Annotated[bool, typer.Option("--digests", help="Show the digests below each line.")] = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show who did what, when, how and from where, newest first.

    Lists what people did and what the operator decided, including refused attempts and expired requests. Times are in
    UTC. -o json shows all details: digests, deployment ids, and how each person was identified.

    \b
    Examples:
      ferryman audit
      ferryman audit production --since 30d --digests
      ferryman audit production --since '2026-12-01 00:00' --limit 500 -o json
    """
    start = _start(since)
    api = connect(api_url)
    path = Api.path("v1", "platforms", options.only_platform(api, platform), "audit")
    found = api.get(path, environment=environment, limit=limit, since=start)
    output.emit(form, found, lambda: _show(found, digests=digests))


def _start(since: str | None) -> str | None:
    if since is None:
        return None
    # A number alone lacks its unit: no time is written so.
    if since[:1].isdigit() and (since[-1:] in "smhd" or since.isdigit()):
        return (datetime.now(UTC) - timedelta(seconds=moments.span(since, "--since"))).isoformat()
    return moments.moment(since, "--since").isoformat()


def _show(found: dict[str, Any], *, digests: bool) -> None:
    acts = found["acts"]
    if not acts:
        output.warn("No entries in this period.")
        return
    rows: list[list[output.Cell]] = [
        [
            _moment(act["at"]),
            act["environment"] or "-",
            coloured(act["act"]),
            act["version"] or "-",
            output.who(act["who"]),
            act["how"],
            act["source"],
            act["message"],
        ]
        for act in acts
    ]
    headers = ["WHEN (UTC)", "ENVIRONMENT", "ACTION", "VERSION", "WHO", "HOW", "FROM", "MESSAGE"]
    under = [[f"{name}  {digest}" for name, digest in sorted(act["digests"].items())] for act in acts]
    output.table(
        headers,
        rows,
        optional=("HOW", "FROM"),
        drop=("FROM", "HOW", "VERSION", "ENVIRONMENT"),
        under=under if digests else None,
    )
    if not found["complete"]:
        output.warn("There are more entries. Show more with --limit, or a shorter period with --since.")


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}"
