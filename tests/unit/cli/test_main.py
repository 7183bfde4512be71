"""The command as a whole: help, version, `local`, start-up."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ferryman import __version__
from ferryman_cli import main
from unit import builders as make
from unit.api_world import World
from unit.cli.function_url import Run

COMMANDS = (
    *("apply", "validate", "get", "tags", "status", "releases", "history", "explain", "watch", "events"),
    *("verify", "abort", "retry", "redeploy", "hold", "resume", "version", "local"),
    *("audit", "diff", "deploy", "approval", "approve", "reject", "rollback", "migrate", "freeze", "thaw", "waive"),
    *("proposal", "auth", "delete", "doctor", "init"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_a_summary_and_examples(run: Run, command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    if command not in ("local", "auth", "delete", "get"):
        assert f"Examples:\n    ferryman {command}" in result.stdout
        assert "--output" in result.stdout


def test_help_tells_the_exit_codes(run: Run) -> None:
    text = run("--help").stdout

    assert all(f"\n    {code}  " in text for code in range(5))
    assert all(f"\n  {command}" in text for command in COMMANDS)


def test_no_arguments_show_the_help(run: Run) -> None:
    assert "Commands:" in run().output


def test_version(run: Run) -> None:
    assert run("version").stdout == f"ferryman {__version__}\noperator {__version__}\n"
    assert json.loads(run("version", "-o", "json").stdout) == {"version": __version__, "operator": __version__}
    assert run("--version").stdout == f"ferryman {__version__}\n"


def test_the_version_of_the_command_is_told_without_an_operator(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    told = run("version")
    assert (told.exit_code, told.stdout) == (0, f"ferryman {__version__}\noperator unknown\n")
    assert "could not be asked: no AWS credentials found" in told.stderr


def test_a_missing_environment_is_told_with_the_choices(run: Run, world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)
    told = run("retry")
    assert told.exit_code == 2
    assert "Environments: staging, production" in " ".join(told.stderr.split())


def test_a_missing_environment_is_told_without_an_operator_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    told = run("retry")
    assert (told.exit_code, "Missing argument" in told.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [["--version"], ["version"], ["version", "-o", "json"]])
def test_a_closed_pipe_is_no_error(arguments: list[str]) -> None:
    code = "import sys; from ferryman_cli.main import main; sys.argv = ['ferryman', *sys.argv[1:]]; main()"
    environment = {**os.environ, "FERRYMAN_API_URL": "nonsense", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
        env=environment,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, "Broken pipe" in done.stderr, "Traceback" in done.stderr) == (0, False, False)


@pytest.mark.usefixtures("server")
def test_a_shell_completes_environments_platforms_and_releases(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)
    world.put(make.release("abc1234", names=["v1.2.0"]))

    def ask(*words: str) -> list[str]:
        line = " ".join(("ferryman", *words))
        environment = {"_FERRYMAN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
        done = CliRunner().invoke(main.app, [], prog_name="ferryman", env=environment)
        return done.stdout.split()

    assert ask("hold", "") == ["staging", "production"]
    assert ask("hold", "pro") == ["production"]
    assert ask("releases", "-p", "") == ["scr"]
    assert ask("deploy", "production", "--release", "") == ["abc1234", "v1.2.0"]


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
