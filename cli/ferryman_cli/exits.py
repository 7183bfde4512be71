"""How the command ends. `ferryman --help` tells people the same."""

from enum import IntEnum
from typing import Any

from typer.core import TyperGroup

from ferryman_cli import output


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    FAILED = 1
    """What was asked about failed: a deployment that did not succeed, a verification with problems."""
    BAD_INPUT = 2
    """A bad document or option; a platform, environment or release that doesn't exist."""
    UNREACHABLE = 3
    """The operator can't be found or reached, doesn't accept the credentials, or is broken."""
    REFUSED = 4
    """Understood, and not allowed in the present state."""


class Stop(Exception):
    """Ends the command with a message for people and an exit code."""

    def __init__(self, code: Exit, message: str) -> None:
        self.code = code
        super().__init__(message)


class Commands(TyperGroup):
    """A group of commands in which `Stop` ends with its message on standard error and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except Stop as stop:
            output.complain(str(stop))
            ctx.exit(int(stop.code))
