"""Options and arguments that the commands share."""

from typing import Annotated

import typer

from ferryman.suggestions import suggest
from ferryman_cli import choices
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.output import Format
from ferryman_cli.transport import Api

Env = Annotated[
    str,
    typer.Argument(
        metavar="ENV", help="Name of the environment.", show_default=False, autocompletion=choices.environments
    ),
]
Platform = Annotated[
    str | None,
    typer.Option(
        "--platform", "-p", envvar="FERRYMAN_PLATFORM", show_default=False, autocompletion=choices.platforms,
        help="Name of the platform. Default: the only platform.",
    ),
]  # fmt: skip
PlatformArgument = Annotated[
    str | None, typer.Argument(metavar="PLATFORM", hidden=True, autocompletion=choices.platforms)
]  # fmt: skip
Output = Annotated[Format, typer.Option("--output", "-o", help="Output format.")]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        "--api-url", envvar="FERRYMAN_API_URL", show_default=False,
        help="URL of the operator's API. Default: output ApiUrl of the stack FERRYMAN_STACK (`ferryman`).",
    ),
]  # fmt: skip


def _said(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter('must not be empty; say why, as in --reason "the certificate is being renewed"')
    return reason


Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        "-r",
        help="Reason, shown in the timeline and to everyone who asks.",
        show_default=False,
        callback=_said,
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        show_default=False,
        help="When it ends: '2026-12-24 18:00' (local time), or ISO 8601 with a time zone. Default: when a person ends "
        "it.",
    ),
]
For = Annotated[
    str | None,
    typer.Option(
        "--for", metavar="DURATION", help="How long it lasts, instead of --until: 90m, 2d.", show_default=False
    ),
]
Release = Annotated[
    str,
    typer.Option(
        "--release",
        help="Version or semver tag of the release.",
        show_default=False,
        autocompletion=choices.releases,
    ),
]
OldVersion = Annotated[str | None, typer.Option("--version", hidden=True)]
"""The former name of `--release`, for one version."""
OptionalReason = Annotated[
    str, typer.Option("--reason", "-r", help="Reason, shown in the timeline.", show_default=False)
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="Maximum number of entries.")]


def release_of(release: str | None, former: str | None, name: str) -> str | None:
    """Return the release that was named, by `--release` or by the option's former name; raise Stop for both."""
    if release is not None and former is not None:
        raise Stop(Exit.BAD_INPUT, f"{name} is the former name of --release; use only --release")
    return release if former is None else former


def only_platform(api: Api, named: str | None) -> str:
    """Return the name of the platform: the given one, or the only one."""
    if named:
        return named
    names = [platform["name"] for platform in api.get("/v1/platforms")["platforms"]]
    if not names:
        raise Stop(
            Exit.BAD_INPUT,
            "no platform has been applied yet, or you may see none: "
            f"{suggest('auth', 'whoami')} shows your roles. An admin "
            f"applies a first one with {suggest('apply', f='platform.yaml')}",
        )
    return one_of(names)


def one_of(names: list[str]) -> str:
    """Return the only one of the platforms; raise Stop if there are several."""
    if len(names) == 1:
        return str(names[0])
    known = ", ".join(names)
    raise Stop(
        Exit.BAD_INPUT, f"there are {len(names)} platforms: {known}; choose one with --platform or FERRYMAN_PLATFORM"
    )


def place(api: Api, platform: str | None, environment: str) -> str:
    """Return the path of an environment in the API."""
    return Api.path("v1", "platforms", only_platform(api, platform), "environments", environment)
