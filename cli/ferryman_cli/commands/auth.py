"""`ferryman auth whoami`, `ferryman auth can-i`: who you are for the operator, and what somebody may do."""

from typing import Annotated, Any

import typer

from ferryman.suggestions import suggest
from ferryman_cli import options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.group import Commands
from ferryman_cli.output import Format
from ferryman_cli.transport import Api, ApiError

app = typer.Typer(
    cls=Commands,
    name="auth",
    help="Show who you are for the operator, and what you may do.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_WHOAMI = "/v1/auth"
"""A path that every operator with roles has."""
_ON_OPERATOR = ("create-platform", "retire-platform")
"""The verbs that are about no environment."""


@app.command()
def whoami(
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show your ARN as AWS reports it, and your roles.

    Lists each environment in which you have a role. An admin has every role everywhere.

    \b
    Examples:
      ferryman auth whoami
      ferryman auth whoami -o json
    """
    found = _ask(connect(api_url), _WHOAMI)
    output.emit(form, found, lambda: _show(found))


@app.command("can-i")
def can_i(
    verb: Annotated[
        str, typer.Argument(metavar="VERB", help="What to do: view, deploy, approve, … An unknown one lists them.")
    ],
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENV]",
            help="Name of the environment. Not for create-platform and retire-platform.",
            show_default=False,
        ),
    ] = None,
    who: Annotated[
        str | None,
        typer.Option("--as", metavar="ARN", help="Ask about this user or role instead of you.", show_default=False),
    ] = None,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show whether you, or somebody else, may do something.

    Exits with 0 for yes, and with 4 for no, as the command itself would. Asking about others needs the role viewer on
    the environment.

    \b
    Examples:
      ferryman auth can-i deploy staging
      ferryman auth can-i approve production --as arn:aws:iam::123456789012:role/Approvers
      ferryman auth can-i create-platform
    """
    api = connect(api_url)
    query: dict[str, str | None] = {"verb": verb, "as": who}
    if verb not in _ON_OPERATOR:
        if environment is None:
            raise Stop(
                Exit.BAD_INPUT,
                f"`auth can-i {verb}` needs the name of an environment: {suggest('auth', 'can-i', verb, 'ENV')}",
            )
        query |= {"platform": _platform(api, platform), "environment": environment}
    found = _ask(api, "/v1/auth/can-i", **query)
    output.emit(form, found, lambda: output.out().print(output.clean(found["message"])))
    if not found["allowed"]:
        raise typer.Exit(Exit.REFUSED)


def _platform(api: Api, named: str | None) -> str:
    """Return the platform; whoever may see none has to name it."""
    if named:
        return named
    found = _ask(api, _WHOAMI)
    names = [item["name"] for item in found["platforms"]]
    if not names:
        raise Stop(
            Exit.REFUSED,
            f"{found['arn']} has no role on any platform. Name one with --platform to see why, or ask an admin of "
            f"Ferryman: {', '.join(found['admins'])}",
        )
    return options.one_of(names)


def _ask(api: Api, path: str, **query: str | None) -> dict[str, Any]:
    try:
        return api.get(path, **query)
    except ApiError as error:
        if error.status == 404 and (path == _WHOAMI or not _knows_roles(api)):
            raise Stop(
                Exit.UNREACHABLE,
                "this operator is older than roles: whoever AWS lets call it may do everything. Update the operator",
            ) from None
        raise


def _knows_roles(api: Api) -> bool:
    try:
        return bool(api.get(_WHOAMI))
    except ApiError:
        return False


def _show(found: dict[str, Any]) -> None:
    output.fields([("You", found["arn"]), ("Admin", "yes: you may do everything" if found["admin"] else "")])
    rows: list[list[output.Cell]] = [
        [platform["name"], environment, ", ".join(roles)]
        for platform in found["platforms"]
        for environment, roles in platform["environments"].items()
    ]
    if rows:
        output.table(["PLATFORM", "ENVIRONMENT", "ROLES"], rows)
    elif not found["admin"]:
        output.warn(f"You have no role on any platform. Ask an admin of Ferryman: {', '.join(found['admins'])}")
    for platform in found["platforms"]:
        if platform["problem"]:
            output.warn(f"{platform['name']}: only admins have a role, because {platform['problem']}.")
