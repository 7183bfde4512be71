"""Every command that people are told to run is one that the command line understands.

The product writes them with `ferryman.suggestions` alone; help and docs have them as text.
"""

import ast
import re
import shlex
from collections.abc import Iterator

import typer
from typer import _click as click
from typer.core import TyperGroup

from contract.machine import ROOT
from ferryman.suggestions import command
from ferryman_cli import main

CODE = [
    path for root in ("layers/core/ferryman", "cli/ferryman_cli", "functions") for path in (ROOT / root).rglob("*.py")
]
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "examples").rglob("*.md")),
]
GROUP = typer.main.get_command(main.app)
assert isinstance(GROUP, TyperGroup)
NAMES = "|".join(sorted(GROUP.commands, key=len, reverse=True))
ROOT_OPTIONS = {name for parameter in GROUP.params for name in parameter.opts}
LITERAL = re.compile(rf"\bferryman (?:{NAMES})\b")


def refusal(text: str) -> str | None:
    """Return why the command line does not take a command, or None. Nothing is run."""
    return not_taken(shlex.split(text)[1:])


def not_taken(words: list[str]) -> str | None:
    """Return why the command line does not take these words, which follow `ferryman`."""
    current: click.Command = GROUP
    context = click.Context(GROUP, info_name="ferryman")
    while isinstance(current, TyperGroup):
        if not words or (current is GROUP and words[0] in ROOT_OPTIONS):
            return None  # the group itself: it prints its help
        found = current.get_command(context, words[0])
        if found is None:
            return f"{current.name} has no command {words[0]}"
        current, words = found, words[1:]
    if words in (["--help"], ["-h"]):
        return None
    try:
        current.make_context(current.name, list(words), parent=context)
    except click.ClickException as error:
        return error.format_message()
    except typer.Exit:
        return None
    return None


# ── the product's ──


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if named and node.func.id in ("suggest", "command"):  # type: ignore[union-attr, attr-defined]
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node  # type: ignore[misc, attr-defined]


def value(node: ast.expr) -> object:
    """Return what stands for an argument: itself where it is written there, else a name with a space."""
    return node.value if isinstance(node, ast.Constant) else "two words"


OF_ONE_ENVIRONMENT = {
    "history", "explain", "watch", "events", "diff", "deploy", "approval", "approve", "reject", "rollback", "migrate",
    "verify", "abort", "retry", "redeploy", "hold", "resume", "freeze", "thaw", "waive",
}  # fmt: skip
CALLS = [(where, call) for where, call in calls() if "suggestions.py" not in where]


def written(call: ast.Call) -> str:
    """Return the command that a call writes, with names that have a space."""
    words = [value(one) for one in call.args if not isinstance(one, ast.Starred)]
    if words[0] == "two words":
        words[0] = "approve"  # or `reject`: a variable
    if words[0] == "migrate":
        # A migration without a name is left out, and the command may be any of three.
        words = ["migrate", "two words", "two words" if "current" in words else "", "current"]
    options = {item.arg: item.arg in FLAGS or value(item.value) for item in call.keywords if item.arg}
    return command(*words, **options)  # type: ignore[arg-type]


FLAGS = {"watch", "accept_schema_mismatch", "downgrade", "proposal", "send_test", "ignored", "resume"}


def test_each_suggestion_is_understood() -> None:
    wrong = {f"{where}: {written(call)}": why for where, call in CALLS if (why := refusal(written(call)))}
    platforms = [where for where, call in CALLS if any(item.arg == "p" for item in call.keywords)]
    print(f"{len(CALLS)} suggestions in the product, {len(platforms)} with a platform")
    assert wrong == {}
    assert len(CALLS) > 80


def test_each_suggestion_about_an_environment_names_its_platform() -> None:
    about = [call for _, call in CALLS if value(call.args[0]) in OF_ONE_ENVIRONMENT]
    assert [ast.unparse(call) for call in about if all(item.arg != "p" for item in call.keywords)] == []


def texts(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the strings that are no help: neither docstrings nor the argument `help`."""
    help_ = {
        part
        for node in ast.walk(tree)
        for part in (
            ast.walk(node.value)
            if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or (isinstance(node, ast.keyword) and node.arg == "help")
            else ()
        )
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in help_:
            yield node


def test_no_other_text_tells_a_command() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {node.value}"
        for path in CODE
        for node in texts(ast.parse(path.read_text(encoding="utf-8")))
        if LITERAL.search(str(node.value)) and node.value != main._HELP
    }
    assert found == set(), "write it with ferryman.suggestions"


# ── help and docs ──


def in_help(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for name, found in group.commands.items():
        if isinstance(found, TyperGroup):
            yield from in_help(found, (*path, name))
        for line in (found.help or "").splitlines():
            if line.strip().startswith("ferryman "):
                yield " ".join((*path, name)), line.strip()
    for line in (group.help or "").splitlines() if not path else ():
        if line.strip().startswith("ferryman "):
            yield "ferryman", line.strip()


def in_pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```(?:bash|sh|console)\n(.*?)^```", text, re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                yield str(page.relative_to(ROOT)), line.strip().removeprefix("$ ")
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for found in re.findall(r"`(ferryman [^`]+)`", prose):
            # One without arguments is a command's name.
            if not re.fullmatch(r"ferryman [a-z -]+", found) or "--" in found:
                yield str(page.relative_to(ROOT)), " ".join(found.split())


def commands_in(line: str) -> Iterator[list[str]]:
    """Return the words of each `ferryman` command of a line of shell."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();|&")
        lexer.whitespace_split, lexer.commenters = True, "#"
        tokens = list(lexer)
    except ValueError:
        return
    words: list[str] | None = None
    for token in [*tokens, ";"]:
        if set(token) <= set("();|&<>"):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif token in ("ferryman", "$ferryman", ".venv/bin/ferryman"):
            words = []


TOLD = [(where, words) for where, line in [*in_help(GROUP), *in_pages()] for words in commands_in(line)]


def test_each_command_of_help_and_docs_is_understood() -> None:
    wrong = {f"{where}: ferryman {shlex.join(words)}": why for where, words in TOLD if (why := not_taken(words))}
    print(f"{len(TOLD)} commands in help and docs")
    assert wrong == {}
    assert len(TOLD) > 150
