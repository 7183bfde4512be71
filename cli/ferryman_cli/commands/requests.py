"""`ferryman verify`, `abort`, `retry`, `redeploy`, `hold`, `resume`: requests about one environment."""

from typing import Annotated, Any

import typer

from ferryman_cli import asking, choices, moments, options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit
from ferryman_cli.output import Format

Lift = Annotated[bool, typer.Option("--resume", help="Also lift the environment's hold, whoever set it.")]


def verify(
    environment: options.Env,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Check an environment against AWS.

    Checks services, containers, roles, circuit breakers and references. Exits with 1 if something does not match the
    platform document.

    \b
    Examples:
      ferryman verify staging
    """
    api = connect(api_url)
    answer = api.post(f"{options.place(api, platform, environment)}/verify", repeatable=True)

    def show() -> None:
        if answer["ok"]:
            output.out().print(f"{answer['platform']}/{environment} verified: ECS matches the platform document")
        else:
            rows = [[problem["path"], problem["message"]] for problem in answer["problems"]]
            output.table(["PATH", "PROBLEM"], rows)
        notes = [[note["path"], note["message"]] for note in answer.get("notes", [])]
        if notes:
            output.table(["PATH", "NOTE"], notes)

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
    """Abort the running deployment.

    Services that it changed go back, and the environment is put on hold. Exits with 4 if no deployment is running.

    \b
    Examples:
      ferryman abort staging --reason "wrong database"
    """
    asking.ask(api_url, platform, environment, "abort", {"reason": reason}, form, repeatable=True)


def retry(
    environment: options.Env,
    version: Annotated[
        str | None,
        typer.Option(
            "--release",
            metavar="RELEASE",
            autocompletion=choices.releases,
            help="Version or semver tag to retry. Default: the one that failed last.",
            show_default=False,
        ),
    ] = None,
    old_version: options.OldVersion = None,
    reason: options.OptionalReason = "",
    resume: Lift = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Deploy a failed version again.

    Refused while the environment is on hold (exit 4), unless --resume lifts the hold.

    \b
    Examples:
      ferryman retry staging
      ferryman retry staging --release 3f9c2ab --reason "database is back" --resume
    """
    body = {"version": options.release_of(version, old_version, "--version"), "reason": reason, "resume": resume}
    asking.ask(api_url, platform, environment, "retry", body, form, repeatable=False)


def redeploy(
    environment: options.Env,
    reason: options.OptionalReason = "",
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Deploy the running version again.

    Uses the current base task definitions, so that changes made by Terraform take effect. A hold does not block it and
    stays in place.

    \b
    Examples:
      ferryman redeploy staging --reason "new memory limit"
    """
    body = {"reason": reason}
    asking.ask(api_url, platform, environment, "redeploy", body, form, repeatable=False)


def hold(
    environment: options.Env,
    reason: options.Reason,
    until: options.Until = None,
    span: options.For = None,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Stop automation until `ferryman resume`, or until a given time.

    A running deployment continues to its end. People are reminded of a hold every day.

    \b
    Examples:
      ferryman hold staging --reason "load test"
      ferryman hold staging --reason "load test" --for 2d
    """
    body: dict[str, Any] = {"reason": reason}
    end = moments.end_of(until, span)
    if end is not None:
        body["until"] = end.isoformat()
    asking.ask(api_url, platform, environment, "hold", body, form, repeatable=True)


def resume(
    environment: options.Env,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Lift a hold, so that automation continues.

    Releases that are waiting for this environment start.

    \b
    Examples:
      ferryman resume staging
    """
    asking.ask(api_url, platform, environment, "resume", {}, form, repeatable=True)
