"""Options and arguments that the commands share."""

from typing import Annotated

import typer

from ferryman_cli.exits import Exit, Stop
from ferryman_cli.output import Format
from ferryman_cli.transport import Api

Env = Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment.", show_default=False)]
Platform = Annotated[
    str | None,
    typer.Option(
        "--platform", "-p", envvar="FERRYMAN_PLATFORM", show_default=False,
        help="Name of the platform. Default: the only one there is.",
    ),
]  # fmt: skip
PlatformArgument = Annotated[
    str | None, typer.Argument(metavar="PLATFORM", help="Name of the platform.", show_default=False)
]  # fmt: skip
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        "--api-url", envvar="FERRYMAN_API_URL", show_default=False,
        help="The operator's API. Default: output ApiUrl of the CloudFormation stack FERRYMAN_STACK (`ferryman`).",
    ),
]  # fmt: skip
Reason = Annotated[
    str, typer.Option("--reason", "-r", help="Why: for the timeline and for everybody who asks.", show_default=False)
]
OptionalReason = Annotated[str, typer.Option("--reason", "-r", help="Why, for the timeline.", show_default=False)]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many to show.")]


def only_platform(api: Api, named: str | None) -> str:
    """Return the platform that is meant: the named one, or the only one there is."""
    if named:
        return named
    names = [platform["name"] for platform in api.get("/v1/platforms")["platforms"]]
    if len(names) == 1:
        return str(names[0])
    if not names:
        raise Stop(Exit.BAD_INPUT, "no platform has been applied yet; `ferryman apply -f platform.yaml` does that")
    known = ", ".join(names)
    raise Stop(
        Exit.BAD_INPUT, f"there are {len(names)} platforms: {known}; name one with --platform or FERRYMAN_PLATFORM"
    )


def place(api: Api, platform: str | None, environment: str) -> str:
    """Return the path of an environment in the API."""
    return Api.path("v1", "platforms", only_platform(api, platform), "environments", environment)
