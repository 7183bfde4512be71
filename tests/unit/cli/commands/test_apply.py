"""`ferryman apply`: what it prints, and how it tells problems with file and line."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from unit.api_world import World
from unit.cli.function_url import Run, Server

EXAMPLE = Path(__file__).parents[4] / "examples" / "scr-platform" / "platform.yaml"

PATTERN = '  tagPattern: "(?P<version>[0-9a-f]{7,40})"'


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example as platform.yaml in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "platform.yaml"
    path.write_text(EXAMPLE.read_text())
    return path


def changed(document: Path, old: str, new: str) -> int:
    """Change the first occurrence and return the number of its line."""
    text = document.read_text()
    assert old in text
    document.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def test_created_unchanged_configured(run: Run, document: Path) -> None:
    told = [run("apply", "-f", "platform.yaml"), run("apply", "-f", "platform.yaml")]
    changed(document, "assemblyTimeout: 30m", "assemblyTimeout: 45m")
    told += [run("apply", "-f", "platform.yaml", "--dry-run"), run("apply", "-f", "platform.yaml")]

    change = "Changes:\n  spec.assemblyTimeout: 30m → 45m\n"
    assert [(result.exit_code, result.stdout, result.stderr) for result in told] == [
        (0, "platform/scr created (generation 1)\n", ""),
        (0, "platform/scr unchanged\n", ""),
        (0, f"platform/scr configured (generation 2) (dry run)\n{change}", ""),
        (0, f"platform/scr configured (generation 2)\n{change}", ""),
    ]


def test_from_standard_input_as_json(run: Run) -> None:
    result = run("apply", "-f", "-", "-o", "json", stdin=EXAMPLE.read_text())

    assert (result.exit_code, json.loads(result.stdout)["result"]) == (0, "created")


def test_all_problems_at_once_with_their_lines_and_nothing_is_sent(run: Run, document: Path, server: Server) -> None:
    lines = {
        "timeout": changed(document, "timeout: 10m", "timeout: soon"),
        "component": changed(document, "component: web", "component: wbe"),
        "color": changed(document, "onFailure: rollback", "onFailre: rollback"),
    }

    result = run("apply", "-f", "platform.yaml")

    assert (result.exit_code, result.stdout, server.seen) == (2, "", [])
    first, *problems = result.stderr.splitlines()
    assert first == "error: the document is not valid; nothing was sent (2 problems)"
    at = "spec.environments.staging"
    assert problems[0].startswith(f"platform.yaml:{lines['timeout']}: {at}.waves.0.services.0.timeout: 'soon' is not a")
    assert problems[1].startswith(f"platform.yaml:{lines['color']}: {at}.onFailre: unknown field; known fields: ")


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        pytest.param(
            "component: web", "component: wbe", "spec.environments.staging.waves.2.services.0.component",
            "no component is named 'wbe'; known components: api, ai-gateway, web", id="unknown-component",
        ),
        pytest.param(
            "      cluster: scr-staging\n", "", "spec.environments.staging.cluster", "is missing", id="missing"
        ),
        pytest.param(
            "      triggers: [push]", "      triggers: [promotion]\n      promoteFrom: staging",
            "spec.environments.staging.promoteFrom", "(staging → staging)", id="circle",
        ),
        pytest.param("kind: Platform", "kind: Deployment", "kind", "Platform", id="wrong-kind"),
    ],
)  # fmt: skip
def test_problems_name_the_path_and_what_would_be_right(
    run: Run, document: Path, old: str, new: str, path: str, words: str
) -> None:
    changed(document, old, new)

    result = run("apply", "-f", "platform.yaml")

    line = result.stderr.splitlines()[1]
    assert (result.exit_code, f": {path}: " in line, words in line) == (2, True, True), line


def test_what_is_missing_is_told_at_its_parent(run: Run, document: Path) -> None:
    changed(document, "      cluster: scr-staging\n", "")
    parent = document.read_text().splitlines().index("    staging:") + 1

    assert f"platform.yaml:{parent}: " in run("apply", "-f", "platform.yaml").stderr


def test_what_only_aws_can_tell_has_lines_too(run: Run, document: Path, world: World) -> None:
    world.outside.problems = [("spec.environments.staging.smokeTests.1.url", "SSM parameter /x does not exist")]
    line = next(n for n, text in enumerate(document.read_text().splitlines(), 1) if "staging/web-url" in text)

    result = run("apply", "-f", "platform.yaml")

    assert result.exit_code == 2
    assert result.stderr == (
        "error: the document does not match what exists in AWS; nothing was changed (1 problem)\n"
        f"platform.yaml:{line}: spec.environments.staging.smokeTests.1.url: SSM parameter /x does not exist\n"
    )
    assert world.store.find_platform("scr") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "platform.yaml: the document is empty", id="empty"),
        pytest.param("# only a comment\n", "platform.yaml: the document is empty", id="comment"),
        pytest.param("spec:\n  a: 1\n b: 2\n", "platform.yaml:3:2: ", id="syntax"),
        pytest.param("spec: [1\n", "platform.yaml:2:1: ", id="unclosed"),
        pytest.param(
            "kind: a\nspec: {}\nkind: b\n", "platform.yaml:3:1: the key kind appears twice", id="duplicate-key"
        ),
        pytest.param("kind: a\n---\nkind: b\n", "platform.yaml:2:1: another document starts here", id="two-documents"),
        pytest.param("a: !!python/object:os.system {}\n", "platform.yaml", id="tag"),
        pytest.param("just text\n", "platform.yaml:1: a platform document is a mapping", id="text"),
        pytest.param("- 1\n", "platform.yaml:1: a platform document is a mapping", id="list"),
        pytest.param("a:\n\tb: 1\n", "platform.yaml:2:1: a tab stands where YAML allows only spaces", id="tab-indents"),
        pytest.param("a: b\tc\n", "platform.yaml:1:5: a tab stands where YAML allows only spaces", id="tab-in-a-value"),
        pytest.param("a: &a [*a]\n", "platform.yaml: invalid YAML: line 1: an alias stands for", id="alias-in-itself"),
    ],
)
def test_what_is_no_document(run: Run, document: Path, server: Server, text: str, words: str) -> None:
    document.write_text(text)

    result = run("apply", "-f", "platform.yaml")

    assert (result.exit_code, words in result.stderr, server.seen) == (2, True, []), result.stderr


def test_nested_aliases_of_a_billion_items_are_refused_before_they_are_expanded(
    run: Run, document: Path, server: Server
) -> None:
    levels = "abcdefghi"
    lines = [f"              a: &a [{','.join('x' * 10)}]"]
    lines += [
        f"              {name}: &{name} [{','.join([f'*{before}'] * 10)}]"
        for before, name in itertools.pairwise(levels)
    ]
    changed(document, "            status: [200]\n", "            json:\n" + "\n".join(lines) + "\n")

    result = run("apply", "-f", "platform.yaml")

    assert (result.exit_code, server.seen) == (2, [])
    assert result.stderr == (
        "error: platform.yaml: the document is too large: with its aliases (`*name`) expanded it has more than "
        "1,000,000 characters\n"
    )


def test_one_long_text_behind_many_aliases_is_refused(run: Run, document: Path, server: Server) -> None:
    document.write_text(f"a: &a {'x' * 10_000}\nb: [{', '.join(['*a'] * 100)}]\n")

    result = run("apply", "-f", "platform.yaml")

    assert (result.exit_code, "too large" in result.stderr, server.seen) == (2, True, []), result.stderr


def test_aliases_and_merge_keys_of_the_usual_size_are_taken(run: Run, document: Path) -> None:
    changed(document, "cluster: scr-staging", "cluster: &cluster scr-staging")
    changed(document, "kind: Platform", "kind: &kind Platform")

    assert run("apply", "-f", "platform.yaml").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("kind: Platform", "kind:\tPlatform", id="after-a-colon"),
        pytest.param("kind: Platform", "kind: \t Platform", id="among-spaces"),
        pytest.param("kind: Platform", "kind: Platform\t# the kind", id="before-a-comment"),
        pytest.param("kind: Platform", "kind: Platform \t", id="at-the-end-of-a-line"),
        pytest.param("metadata:\n", "metadata:\t\n", id="after-the-key-of-a-mapping"),
        pytest.param("kind: Platform\n", "kind: Platform\n  \t\n", id="alone-on-a-line"),
    ],
)
def test_a_tab_after_a_colon_or_a_value_is_taken_as_other_parsers_do(
    run: Run, document: Path, old: str, new: str
) -> None:
    changed(document, old, new)

    result = run("apply", "-f", "platform.yaml")

    assert (result.exit_code, result.stdout) == (0, "platform/scr created (generation 1)\n"), result.stderr


def test_a_pattern_that_only_semver_tags_match_is_refused_with_its_line(run: Run, document: Path) -> None:
    line = changed(document, PATTERN, "  tagPattern: '(?P<version>v[0-9]+[.][0-9]+[.][0-9]+)'")

    for dry_run in ([], ["--dry-run"]):
        result = run("apply", "-f", "platform.yaml", *dry_run)

        assert result.exit_code == 2
        assert f"platform.yaml:{line}: spec.tagPattern: matches semver tags such as v0.1.0" in result.stderr


def test_a_warning_is_on_standard_error_with_its_line_and_in_the_data(run: Run, document: Path) -> None:
    line = changed(document, PATTERN, "  tagPattern: '(?P<version>v[0-9]{4}[.][0-9]{2}[.][0-9]+)'")

    result = run("apply", "-f", "platform.yaml", "--dry-run")
    data = run("apply", "-f", "platform.yaml", "-o", "json")

    assert (result.exit_code, result.stdout) == (0, "platform/scr created (generation 1) (dry run)\n")
    told = f"warning: platform.yaml:{line}: spec.tagPattern: also matches semver tags such as v2024.10.1."
    assert result.stderr.startswith(told)
    assert [warning["path"] for warning in json.loads(data.stdout)["warnings"]] == ["spec.tagPattern"]
    assert data.stderr == ""


def test_an_operator_that_is_older_warns_of_nothing(run: Run, document: Path, server: Server) -> None:
    answer = {"platform": "scr", "result": "created", "generation": 1, "dryRun": False, "environments": []}
    server.canned["PUT /v1/platforms/scr"] = answer

    assert run("apply", "-f", "platform.yaml").stderr == ""


def test_a_file_that_is_not_there(run: Run, document: Path) -> None:
    document.unlink()

    result = run("apply", "-f", "platform.yaml")

    assert (result.exit_code, result.stderr) == (2, "error: platform.yaml: no such file\n")


def test_a_file_that_is_not_text(run: Run, document: Path) -> None:
    document.write_bytes(b"\xff\xfe\x00")

    assert "not UTF-8 text" in run("apply", "-f", "platform.yaml").stderr


def test_a_directory(run: Run, document: Path) -> None:
    assert run("apply", "-f", ".").exit_code == 2


def test_anchors_and_merges_are_understood(run: Run, document: Path, scr_document: dict[str, Any]) -> None:
    changed(document, "          timeout: 5s", "          <<: &t {timeout: 5s}")

    assert run("apply", "-f", "platform.yaml").exit_code == 0


def test_containers_that_change_besides_are_told_with_their_line(run: Run, document: Path, world: World) -> None:
    at = "spec.environments.staging.waves.0.services.0"
    world.outside.notes = [(at, "besides 'api', also 'worker' changes, since it uses the same repository")]
    line = document.read_text()[: document.read_text().index("- name: scr-api-staging")].count("\n") + 1

    result = run("apply", "-f", "platform.yaml")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "platform/scr created (generation 1)",
        "Note:",
        f"platform.yaml:{line}: {at}: besides 'api', also 'worker' changes, since it uses the same repository",
    ]
