"""`ferryman local`: an AWS on this machine to try things on. `ferryman_local`, which never ships, does the work."""

import importlib
from enum import StrEnum
from typing import Annotated, Any

import typer

from ferryman_cli.exits import Commands, Exit, Stop

app = typer.Typer(
    cls=Commands,
    name="local",
    help="Run it all on this machine, without an AWS account.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Engine(StrEnum):
    """What runs the containers of the local AWS."""

    PROCESS = "process"
    DOCKER = "docker"


@app.command()
def up(
    platform: Annotated[
        str, typer.Option("--filename", "-f", metavar="FILE", help="The platform to set up and apply.")
    ] = "examples/scr-platform/platform.yaml",
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.", min=0, max=65535)] = 0,
    engine: Annotated[
        Engine, typer.Option(help="How containers run: as processes, or in Docker with PostgreSQL and Redis.")
    ] = Engine.PROCESS,
) -> None:
    """Start the local AWS, deploy the operator to it, create the ECS side and apply the platform.

    \b
    Examples:
      ferryman local up
      ferryman local up --port 4566
      ferryman local up --engine docker
    """
    _commands().up(platform=platform, port=port, engine=engine.value)


@app.command()
def push(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The tag that all images of the release carry.")],
    components: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPONENT]...", help="Which components. Default: all.")
    ] = None,
    fault: Annotated[
        str | None,
        typer.Option(help="Build a release that fails: a name from the example's faults.", show_default=False),
    ] = None,
) -> None:
    """Build images of the example platform, as the local AWS's engine wants them, and push them.

    \b
    Examples:
      ferryman local push 3f9c2ab
      ferryman local push 4a1b2c3 api web
    """
    _commands().push(version=version, components=components or [], fault=fault)


@app.command()
def status() -> None:
    """Tell whether the local AWS runs, and how to reach it."""
    _commands().status()


@app.command()
def env() -> None:
    """Print what a shell needs to reach the local AWS.

    \b
    Examples:
      eval "$(ferryman local env)"
    """
    _commands().env()


@app.command()
def down() -> None:
    """Stop the local AWS and everything it started."""
    _commands().down()


def _commands() -> Any:
    try:
        return importlib.import_module("ferryman_local.commands")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("ferryman_local"):
            raise
        raise Stop(
            Exit.BAD_INPUT,
            "the local AWS is not part of the installed command: run it from a checkout of the repository, after "
            "`make setup`, as `.venv/bin/ferryman local up`",
        ) from None
