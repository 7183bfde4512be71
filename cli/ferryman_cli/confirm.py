"""Confirmation by typing a word, on the terminal or as an option, before something changes."""

import sys

import typer

from ferryman_cli import output
from ferryman_cli.exits import Exit, Stop


def typed(wanted: str, given: str | None, *, question: str, again: str, option: str = "--confirm") -> str:
    """Return the confirmation if it equals `wanted`; otherwise end the command, with nothing sent (exit 2).

    `given` is the option's value. Without it, a person at a terminal is asked; without a terminal, the error shows the
    command (`again`) that includes the confirmation.
    """
    if given is None:
        if not sys.stdin.isatty():
            raise Stop(
                Exit.BAD_INPUT, f"this command needs a confirmation; nothing was sent. To confirm, run:\n  {again}"
            )
        output.warn(question)
        option = "the confirmation"
        try:
            given = str(typer.prompt(f"Type {wanted} to confirm", prompt_suffix=": ", err=True)).strip()
        except typer.Abort:
            raise Stop(Exit.BAD_INPUT, "not confirmed; nothing was sent") from None
    if given != wanted:
        raise Stop(Exit.BAD_INPUT, f"{option} is {given!r} but must be {wanted}; nothing was sent")
    return given
