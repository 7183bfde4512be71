"""`ferryman tags`: what tags would be under a document, without an operator."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ferryman_cli.main import app

EXAMPLE = Path(__file__).parents[4] / "examples" / "scr-platform" / "platform.yaml"
SEMVER = "(?P<version>v[0-9]+[.][0-9]+[.][0-9]+)"


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example as platform.yaml in the working directory; nothing says where an operator is."""
    monkeypatch.chdir(tmp_path)
    for name in ("FERRYMAN_API_URL", "FERRYMAN_STACK", "FERRYMAN_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "platform.yaml"
    path.write_text(EXAMPLE.read_text())
    return path


def tags(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["tags", "-f", "platform.yaml" if stdin is None else "-", *arguments], input=stdin)


def pattern(document: Path, value: str) -> None:
    """Write another tagPattern into the document."""
    before = '  tagPattern: "(?P<version>[0-9a-f]{7,40})"'
    text = document.read_text()
    assert before in text
    document.write_text(text.replace(before, f"  tagPattern: '{value}'", 1))


def test_each_kind_with_the_reason_and_the_next_step(document: Path) -> None:
    result = tags("3f9c2ab", "v1.2.3", "staging-current", "sha-3f9c2ab")

    assert result.exit_code == 1
    rows = [line.split(maxsplit=3) for line in result.stdout.splitlines()]
    assert [row[:3] for row in rows] == [
        ["TAG", "KIND", "VERSION"],
        ["3f9c2ab", "Release", "3f9c2ab"],
        ["v1.2.3", "SemverName", "-"],
        ["staging-current", "MovingTag", "-"],
        ["sha-3f9c2ab", "Ignored", "-"],
    ]
    assert rows[4][3] == (
        "sha-3f9c2ab does not match tagPattern (?P<version>[0-9a-f]{7,40}). Push the images as 3f9c2ab, or change "
        "tagPattern so that it matches sha-3f9c2ab."
    )


def test_as_data(document: Path) -> None:
    pattern(document, "(?P<seq>[0-9]+)-(?P<version>[0-9a-f]{7})")
    result = tags("12-3f9c2ab", "3f9c2ab", "-o", "json")

    found = json.loads(result.stdout)
    assert (found["platform"], found["tagPattern"]) == ("scr", "(?P<seq>[0-9]+)-(?P<version>[0-9a-f]{7})")
    assert [(tag["tag"], tag["kind"], tag["version"], tag["seq"], tag["reason"]) for tag in found["tags"]] == [
        ("12-3f9c2ab", "Release", "3f9c2ab", 12, None),
        ("3f9c2ab", "Ignored", None, None, "NoMatch"),
    ]
    assert (found["warnings"], result.exit_code) == ([], 1)


@pytest.mark.parametrize(
    ("tag", "code"),
    [("3f9c2ab", 0), ("v1.2.3", 0), ("production-previous", 0), ("latest", 1), ("scr-api:3f9c2ab", 1), ("", 1)],
)
def test_exit_codes(document: Path, tag: str, code: int) -> None:
    assert tags(tag).exit_code == code


def test_calver_says_which_month_is_no_release(document: Path) -> None:
    pattern(document, SEMVER)
    september, october = tags("v2024.09.3"), tags("v2024.10.0")

    assert (september.exit_code, october.exit_code) == (0, 1)
    assert "v2024.09.3 names release v2024.09.3" in september.stdout
    assert f"never a version, although tagPattern {SEMVER} matches it" in october.stdout
    assert "warning: platform.yaml:" in october.stderr


def test_from_standard_input(document: Path) -> None:
    assert tags("3f9c2ab", stdin=document.read_text()).exit_code == 0


def test_what_is_no_document(document: Path) -> None:
    document.write_text(document.read_text().replace("onFailure:", "onFailre:", 1))
    result = tags("3f9c2ab")

    assert result.exit_code == 2
    assert "onFailre: unknown field" in result.stderr


def test_a_tag_is_required(document: Path) -> None:
    assert tags().exit_code == 2
