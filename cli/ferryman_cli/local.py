"""`ferryman local`: a local AWS for trying things out. Implemented by `ferryman_local`, which is never shipped."""

import importlib
from enum import StrEnum
from typing import Annotated, Any

import typer

from ferryman.suggestions import suggest
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.group import Commands

app = typer.Typer(
    cls=Commands,
    name="local",
    help="Run Ferryman on a local AWS, without an AWS account.",
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
        str, typer.Option("--filename", "-f", metavar="FILE", help="The platform document to set up and apply.")
    ] = "examples/scr-platform/platform.yaml",
    port: Annotated[int, typer.Option(help="Port on localhost; 0 picks a free port.", min=0, max=65535)] = 0,
    engine: Annotated[
        Engine, typer.Option(help="How to run containers: as processes, or in Docker with PostgreSQL and Redis.")
    ] = Engine.PROCESS,
) -> None:
    """Start the local AWS.

    Deploys the operator to it, creates the platform's AWS resources, and applies the platform document.

    \b
    Examples:
      ferryman local up
      ferryman local up --port 4566
      ferryman local up --engine docker
    """
    _commands().up(platform=platform, port=port, engine=engine.value)


@app.command()
def push(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="The version: the tag of all images of the release.")
    ],
    components: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPONENT]...", help="Components to build and push. Default: all.")
    ] = None,
    fault: Annotated[
        str | None,
        typer.Option(help="Build a release that fails: the name of one of the example's faults.", show_default=False),
    ] = None,
) -> None:
    """Build and push images of the example platform.

    \b
    Examples:
      ferryman local push 3f9c2ab
      ferryman local push 4a1b2c3 api web
    """
    _commands().push(version=version, components=components or [], fault=fault)


@app.command()
def status() -> None:
    """Show whether the local AWS is running, and how to reach it."""
    _commands().status()


class Role(StrEnum):
    """The local users besides the admin."""

    VIEWER = "viewer"
    DEPLOYER = "deployer"
    APPROVER = "approver"


@app.command()
def env(
    role: Annotated[
        Role | None, typer.Option("--as", help="A user who has only this role. Default: the admin.", show_default=False)
    ] = None,
) -> None:
    """Print environment variables for the local AWS.

    \b
    Examples:
      eval "$(ferryman local env)"
      eval "$(ferryman local env --as viewer)"
    """
    _commands().env(role=role.value if role else None)


@app.command()
def down() -> None:
    """Stop the local AWS and everything that it started."""
    _commands().down()


def _commands() -> Any:
    try:
        return importlib.import_module("ferryman_local.commands")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("ferryman_local"):
            raise
        raise Stop(
            Exit.BAD_INPUT,
            "the installed command does not include the local AWS. In a checkout of the repository, run `make setup`, "
            f"then {suggest('local', 'up')} of .venv/bin",
        ) from None
