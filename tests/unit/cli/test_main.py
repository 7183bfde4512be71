"""The command as a whole: help, version, `local`, start-up."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ferryman import __version__
from unit.cli.function_url import Run

COMMANDS = (
    *("apply", "validate", "get", "tags", "status", "releases", "history", "explain", "watch", "events"),
    *("verify", "abort", "retry", "redeploy", "hold", "resume", "version", "local"),
    *("audit", "diff", "deploy", "approval", "approve", "reject", "rollback", "migrate", "freeze", "thaw", "waive"),
    *("proposal", "auth", "platform", "doctor"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_a_summary_and_examples(run: Run, command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    if command not in ("version", "local", "auth", "platform", "get"):
        assert f"Examples:\n    ferryman {command}" in result.stdout
        assert "--output" in result.stdout


def test_help_tells_the_exit_codes(run: Run) -> None:
    text = run("--help").stdout

    assert all(f"\n    {code}  " in text for code in range(5))
    assert all(f"\n  {command}" in text for command in COMMANDS)


def test_no_arguments_show_the_help(run: Run) -> None:
    assert "Commands:" in run().output


def test_version(run: Run) -> None:
    assert run("version").stdout == f"ferryman {__version__}\n"
    assert json.loads(run("version", "-o", "json").stdout) == {"version": __version__}


@pytest.mark.parametrize("arguments", [("up",), ("push", "abc1234"), ("status",), ("env",), ("down",)])
def test_local_needs_a_checkout(run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.setitem(sys.modules, "ferryman_local", None)
    monkeypatch.delitem(sys.modules, "ferryman_local.commands", raising=False)

    result = run("local", *arguments)

    assert (result.exit_code, "In a checkout of the repository, run `make setup`" in result.stderr) == (2, True)


def test_starting_up_imports_nothing_heavy() -> None:
    heavy = {"boto3", "botocore", "httpx", "pydantic", "ferryman_local"}
    code = f"import sys, ferryman_cli.main; print(*{heavy} & {{*sys.modules}})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.split() == []


def test_every_command_that_messages_and_docs_name_exists() -> None:
    root = Path(__file__).parents[3]
    places = [*root.glob("layers/core/ferryman/**/*.*"), *root.glob("docs/*.md"), *root.glob("cli/**/*.py")]
    named = {
        (word, place.name)
        for place in [*places, root / "README.md"]
        if place.suffix in (".py", ".md", ".html")
        for word in re.findall(r"`ferryman ([a-z]+)", place.read_text())
    }

    assert {word for word, _ in named} >= {"resume", "approve", "thaw"}
    assert {(word, place) for word, place in named if word not in COMMANDS} == set()
