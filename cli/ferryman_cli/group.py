"""How a group of commands ends: with the message and the exit code of whatever went wrong."""

from typing import Any

import typer
from typer.core import TyperGroup

from ferryman_cli import choices, output, pipes
from ferryman_cli.exits import Stop


class Commands(TyperGroup):
    """A group of commands that prints the message of a `Stop` on standard error and exits with its code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        with pipes.closed_is_fine():
            try:
                return super().invoke(ctx)
            except Stop as stop:
                output.complain(str(stop))
                ctx.exit(int(stop.code))
            except typer.BadParameter as error:
                choices.name_them(error)
                raise
        return None
