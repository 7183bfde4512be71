"""`ferryman validate`: documents are checked without an operator."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ferryman_cli.main import app

EXAMPLE = (Path(__file__).parents[4] / "examples" / "scr-platform" / "platform.yaml").read_text()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own; nothing says where an operator is."""
    monkeypatch.chdir(tmp_path)
    for name in ("FERRYMAN_API_URL", "FERRYMAN_STACK", "FERRYMAN_PLATFORM", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def validate(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["validate", *arguments], input=stdin)


def test_a_valid_document(folder: Path) -> None:
    (folder / "a.yaml").write_text(EXAMPLE)

    result = validate("-f", "a.yaml")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "a.yaml: platform/scr is valid\n", "")


def test_all_problems_of_all_files_with_their_lines(folder: Path) -> None:
    (folder / "a.yaml").write_text(EXAMPLE.replace("timeout: 10m", "timeout: soon", 1))
    (folder / "b.yaml").write_text("spec: [")
    (folder / "c.yaml").write_text(EXAMPLE)

    result = validate("-f", "a.yaml", "-f", "b.yaml", "-f", "c.yaml", "-f", "d.yaml")

    assert (result.exit_code, result.stdout) == (2, "c.yaml: platform/scr is valid\n")
    line = EXAMPLE[: EXAMPLE.index("timeout: 10m")].count("\n") + 1
    told = result.stderr.splitlines()
    assert told[0].startswith(f"error: a.yaml:{line}: spec.environments.staging.")
    assert told[1].startswith("error: b.yaml:1:")
    assert told[2:] == ["error: d.yaml: no such file", "error: 3 problems found"]


def test_what_apply_refuses_although_it_can_be_parsed(folder: Path) -> None:
    (folder / "a.yaml").write_text(
        EXAMPLE.replace("repository: scr-api", "repository: 123456789012.dkr.ecr.eu-west-2.amazonaws.com/scr-api")
    )

    result = validate("-f", "a.yaml", "-o", "json")

    found = json.loads(result.stdout)
    assert (result.exit_code, found["valid"], found["documents"][0]["platform"]) == (2, False, "scr")
    assert [problem["path"] for problem in found["documents"][0]["problems"]] == ["spec.components.api.repository"]


def test_warnings_are_no_problems(folder: Path) -> None:
    (folder / "a.yaml").write_text(
        EXAMPLE.replace('tagPattern: "(?P<version>[0-9a-f]{7,40})"', "tagPattern: '(?P<version>[0-9a-fv.]{5,40})'")
    )

    result = validate("-f", "a.yaml")

    assert (result.exit_code, result.stderr.startswith("warning: a.yaml:")) == (0, True)


def test_what_get_writes_is_valid() -> None:
    result = validate("-f", "-", stdin=EXAMPLE + "status: {generation: 3, conditions: []}\n")

    assert (result.exit_code, result.stdout) == (0, "<stdin>: platform/scr is valid\n")
