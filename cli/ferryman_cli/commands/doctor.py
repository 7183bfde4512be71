"""`ferryman doctor`: check the whole installation, line by line."""

from typing import Annotated

import typer
from rich.text import Text

from ferryman_cli import options, output
from ferryman_cli.doctor import installation, machine
from ferryman_cli.doctor.checks import Check, Verdict
from ferryman_cli.doctor.examine import examine
from ferryman_cli.exits import Exit
from ferryman_cli.output import Format

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red", Verdict.BLIND: "dim"}
_NO_WAY_IN = {machine.CREDENTIALS, machine.REGION, installation.STACK, installation.OPERATOR}
"""Checks whose problems mean that the operator could not be asked."""


def doctor(
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Check only what can be checked before the operator is installed.")
    ] = False,
    send_test: Annotated[bool, typer.Option("--send-test", help="Also send a test message to each channel.")] = False,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            "-p",
            envvar="FERRYMAN_PLATFORM",
            show_default=False,
            help="Check only this platform. Default: all platforms that you may see.",
        ),
    ] = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Check the whole installation, and say what to do about each problem.

    Checks with your own AWS credentials and, through the API, with the operator's. Changes nothing, and sends nothing
    without --send-test, which needs the role deployer. A line is `ok`, `warning`, `problem`, or `can't look` with the
    permission that you lack.

    \b
    Exit codes:
      0  no problems; warnings and `can't look` are not failures
      1  there are problems
      3  there are problems, and the operator could not be asked

    \b
    Examples:
      ferryman doctor --preflight
      ferryman doctor
      ferryman doctor --send-test -p scr
      ferryman doctor -o json
    """
    found = []
    for check in examine(platform=platform, api_url=api_url, preflight=preflight, send=send_test):
        found.append(check)
        if form is Format.TABLE:
            _show(check)
    bad = {check.name for check in found if check.verdict is Verdict.PROBLEM}
    answer = {"ok": not bad, "preflight": preflight, "checks": [check.view() for check in found]}
    output.emit(form, answer, lambda: _sum_up(found))
    if bad:
        raise typer.Exit(Exit.UNREACHABLE if bad & _NO_WAY_IN else Exit.FAILED)


def _show(check: Check) -> None:
    status = Text(f"{check.verdict:<10}", style=_STYLES[check.verdict])
    output.out().print(status.append(f" {output.flat(check.name)}: {output.flat(check.message)}", style="default"))
    if check.next_step:
        output.out().print(Text(f"{'':<10}   → {output.flat(check.next_step)}", style="dim"))


def _sum_up(found: list[Check]) -> None:
    counts = [(verdict, sum(check.verdict is verdict for check in found)) for verdict in Verdict]
    output.out().print(", ".join(f"{count} {_plural(verdict, count)}" for verdict, count in counts if count))


def _plural(verdict: Verdict, count: int) -> str:
    return f"{verdict}s" if count != 1 and verdict in (Verdict.WARNING, Verdict.PROBLEM) else verdict
