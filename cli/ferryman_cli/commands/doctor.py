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
        bool, typer.Option("--preflight", help="Check what can be checked before the operator is installed.")
    ] = False,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Also send a test message to each channel of each platform.")
    ] = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Check the whole installation, and say what to do about each problem.

    Looks with your own AWS credentials, and with the operator's. Changes nothing, and sends nothing unless you say
    --send-test, which needs the role deployer. What you may not read is "can't
    look", with the permission that is missing. Exits with 1 if there are problems, and with 3 if the operator could not
    be asked; warnings, and what it can't look at, are no failure.

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
    output.out().print(", ".join(f"{count} {verdict}" for verdict, count in counts if count))
