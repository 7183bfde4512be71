"""The `ferryman` command: wiring only. Each command is one function under `ferryman_cli.commands`."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from ferryman import __version__
from ferryman_cli import local, options, output, pipes
from ferryman_cli.commands import (
    apply,
    approvals,
    audit,
    auth,
    delete,
    diff,
    doctor,
    gates,
    get,
    init,
    proposal,
    reads,
    requests,
    starting,
    status,
    tags,
    validate,
    watch,
)
from ferryman_cli.connection import connect
from ferryman_cli.exits import Stop
from ferryman_cli.group import Commands
from ferryman_cli.output import Format

_HELP = """Operate Amazon ECS platforms: push an image and walk away.

\b
Exit codes:
  0  success
  1  the operation failed: a deployment did not succeed, or a verification found problems
  2  bad input: an invalid document, option or confirmation, or something that does not exist
  3  the operator cannot be found or reached, does not accept the credentials, or is broken
  4  refused: nothing there to act on, on hold, frozen, or you do not have the role
  5  the document was not applied: it weakens a gate, and waits for approval

\b
Environment:
  FERRYMAN_PLATFORM     name of the platform, if there are several
  FERRYMAN_STACK        name of the operator's CloudFormation stack (default: ferryman)
  FERRYMAN_API_URL      URL of the operator's API, instead of the stack's output ApiUrl
  FERRYMAN_API_FUNCTION ARN of the API's function (the stack's output ApiFunctionArn), with FERRYMAN_API_URL
  FERRYMAN_API_CONNECT  host:port or http://host:port to connect to, instead of that URL's host
  NO_COLOR              disable colors

\b
Examples:
  ferryman doctor
  ferryman init
  ferryman apply -f platform.yaml
  ferryman status
  ferryman watch staging
"""

app = typer.Typer(
    cls=Commands,
    name="ferryman",
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

for _command in (
    doctor.doctor,
    init.init,
    apply.apply,
    validate.validate,
    tags.tags,
    status.status,
    reads.releases,
    reads.history,
    reads.explain,
    watch.watch,
    reads.events,
    audit.audit,
    diff.diff,
    starting.deploy,
    approvals.approval,
    approvals.approve,
    approvals.reject,
    proposal.proposal,
    starting.rollback,
    starting.migrate,
    requests.verify,
    requests.abort,
    requests.retry,
    requests.redeploy,
    requests.hold,
    requests.resume,
    gates.freeze,
    gates.thaw,
    gates.waive,
):
    app.command()(_command)
app.add_typer(get.app)
app.add_typer(auth.app)
app.add_typer(delete.app)
app.add_typer(delete.former)
app.add_typer(local.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        with pipes.closed_is_fine():
            output.out().print(f"ferryman {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version of this command, and exit."
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def version(
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Print the versions of this command and of the operator.

    The operator's version is left out where it cannot be asked.

    \b
    Examples:
      ferryman version
      ferryman version -o json
    """
    told: dict[str, str | None] = {"version": __version__, "operator": None}
    why = ""
    try:
        told["operator"] = str(connect(api_url).get("/v1/doctor")["version"])
    except Stop as stop:
        why = str(stop)

    def show() -> None:
        output.out().print(f"ferryman {__version__}")
        output.out().print(f"operator {told['operator'] or 'unknown'}")
        if why:
            output.warn(f"the operator could not be asked: {why}")

    output.emit(form, told, show)


def main() -> None:
    """Run the command, as the console script does."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that can't show a character is no reason to fail.
            stream.reconfigure(errors="replace")
    try:
        app()
    finally:
        with pipes.closed_is_fine():
            sys.stdout.flush()
