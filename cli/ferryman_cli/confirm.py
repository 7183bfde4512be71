"""Confirming by typing: what changes production is typed out, on the terminal or as an option."""

import shlex
import sys

import typer

from ferryman_cli import output
from ferryman_cli.exits import Exit, Stop


def typed(wanted: str, given: str | None, *, question: str, again: str, option: str = "--confirm") -> str:
    """Return what was typed once it is what is wanted; else end the command, with nothing sent (exit 2).

    `given` is the option's value; without one a person at a terminal is asked, and everybody else is told the command
    (`again`) that says it.
    """
    if given is None:
        if not sys.stdin.isatty():
            raise Stop(Exit.BAD_INPUT, f"this needs a confirmation; nothing was sent. To go ahead:\n  {again}")
        output.warn(question)
        option = "what was typed"
        try:
            given = str(typer.prompt(f"Type {wanted} to go ahead", prompt_suffix=": ", err=True)).strip()
        except typer.Abort:
            raise Stop(Exit.BAD_INPUT, "not confirmed; nothing was sent") from None
    if given != wanted:
        raise Stop(Exit.BAD_INPUT, f"{option} is {given!r}, and had to be {wanted}; nothing was sent")
    return given


def command(*words: str, **options: str | bool | None) -> str:
    """Return a `ferryman` command as one types it in a shell; options that are None, False or empty are left out."""
    found = ["ferryman", *words]
    for name, value in options.items():
        if value:
            found += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return shlex.join(found)
