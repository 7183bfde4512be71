"""`ferryman verify`, `abort`, `retry`, `redeploy`, `hold`, `resume`: what may be asked of an environment."""

from typing import Annotated

import typer

from ferryman_cli import asking, options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit
from ferryman_cli.output import Format

Lift = Annotated[bool, typer.Option("--resume", help="Lift the environment's hold as well, whoever placed it.")]


def verify(
    environment: options.Env,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Check an environment against AWS.

    Services, containers, roles, circuit breaker, references. Exit 1 when something is not as the document says.

    \b
    Examples:
      ferryman verify staging
    """
    api = connect(api_url)
    answer = api.post(f"{options.place(api, platform, environment)}/verify", repeatable=True)

    def show() -> None:
        if answer["ok"]:
            output.out().print(f"{answer['platform']}/{environment} verified: ECS is what the document says")
        else:
            rows = [[problem["path"], problem["message"]] for problem in answer["problems"]]
            output.table(["PATH", "PROBLEM"], rows)

    output.emit(form, answer, show)
    if not answer["ok"]:
        raise typer.Exit(Exit.FAILED)


def abort(
    environment: options.Env,
    reason: options.Reason,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Stop the deployment under way.

    What it touched goes back, and the environment is put on hold. Exit 4 when nothing is under way.

    \b
    Examples:
      ferryman abort staging --reason "wrong database"
    """
    asking.ask(api_url, platform, environment, "abort", {"reason": reason}, form, repeatable=True)


def retry(
    environment: options.Env,
    version: Annotated[
        str | None,
        typer.Option("--version", help="Which version. Default: the one that failed last.", show_default=False),
    ] = None,
    reason: options.OptionalReason = "",
    resume: Lift = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Deploy a version again that has failed.

    While the environment is on hold this is refused (exit 4), unless --resume lifts the hold with it.

    \b
    Examples:
      ferryman retry staging
      ferryman retry staging --version 3f9c2ab --reason "database is back" --resume
    """
    body = {"version": version, "reason": reason, "resume": resume}
    asking.ask(api_url, platform, environment, "retry", body, form, repeatable=False)


def redeploy(
    environment: options.Env,
    reason: options.OptionalReason = "",
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Deploy what runs once more.

    On the base task definitions as they are now, so that what Terraform changed takes effect.
    A hold stays and does not stand in the way.

    \b
    Examples:
      ferryman redeploy staging --reason "new memory limit"
    """
    body = {"reason": reason}
    asking.ask(api_url, platform, environment, "redeploy", body, form, repeatable=False)


def hold(
    environment: options.Env,
    reason: options.Reason,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Switch automation off until it is resumed.

    A deployment under way runs to its end.

    \b
    Examples:
      ferryman hold staging --reason "load test until noon"
    """
    asking.ask(api_url, platform, environment, "hold", {"reason": reason}, form, repeatable=True)


def resume(
    environment: options.Env,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Switch automation on again.

    Whatever waits for this environment starts.

    \b
    Examples:
      ferryman resume staging
    """
    asking.ask(api_url, platform, environment, "resume", {}, form, repeatable=True)
