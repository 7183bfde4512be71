"""`ferryman init`: what it writes, what it refuses, and what scripts learn from its exit codes."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ferryman_cli.commands import init as command
from ferryman_cli.init import look, questions
from ferryman_cli.main import app
from unit.fakes.account import FakeEyes

OPTIONS = ("-p", "shop", "-e", "staging=shop-staging")


@pytest.fixture(autouse=True)
def eyes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEyes:
    monkeypatch.chdir(tmp_path)
    eyes = FakeEyes()
    eyes.service("shop-staging", "api", {"app": "shop-api:3f9c2ab"})
    eyes.service("shop-staging", "redis", {"redis": "docker.io/redis"})
    monkeypatch.setattr(look, "eyes", lambda: eyes)
    return eyes


def init(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["init", *arguments], input=stdin)


def test_a_document_is_written_that_validate_takes(tmp_path: Path) -> None:
    result = init(*OPTIONS)
    assert result.exit_code == 0
    assert result.stdout == (
        "platform.yaml is written: platform shop, 1 environment, 1 service, 1 component\n"
        "Next: read it, check it with `ferryman validate -f platform.yaml`, see what it would do with "
        "`ferryman apply -f platform.yaml --dry-run`, and apply it without --dry-run\n"
    )
    assert result.stderr.startswith("left out of staging: redis: it runs no image of a repository in this account")
    checked = CliRunner().invoke(app, ["validate", "-f", "platform.yaml"])
    assert (checked.exit_code, checked.stdout) == (0, "platform.yaml: platform/shop is valid\n")


def test_an_existing_file_is_overwritten_only_by_force(tmp_path: Path, eyes: FakeEyes) -> None:
    Path("platform.yaml").write_text("mine")
    result = init(*OPTIONS)
    assert (result.exit_code, eyes.calls, Path("platform.yaml").read_text()) == (2, [], "mine")
    assert "platform.yaml exists; nothing was written. Add --force" in result.stderr
    assert init(*OPTIONS, "-o", "other.yaml").exit_code == 0
    assert init(*OPTIONS, "--force").exit_code == 0
    assert Path("platform.yaml").read_text() == Path("other.yaml").read_text() != "mine"


def test_a_file_that_was_written_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_check_free", lambda *_, **__: Path("platform.yaml").write_text("mine"))
    result = init(*OPTIONS)
    assert (result.exit_code, Path("platform.yaml").read_text()) == (2, "mine")


def test_on_standard_output_stands_only_the_document() -> None:
    result = init(*OPTIONS, "-o", "-")
    checked = CliRunner().invoke(app, ["validate", "-f", "-"], input=result.stdout)
    assert (result.exit_code, checked.exit_code, list(Path().iterdir())) == (0, 0, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "the platform's name (--platform) and an environment (-e NAME=CLUSTER) are missing"),
        (("-p", "shop"), "an environment (-e NAME=CLUSTER) is missing"),
        (OPTIONS[2:], "the platform's name (--platform) is missing"),
    ],
)
def test_what_cannot_be_asked_is_named_in_one_line(arguments: tuple[str, ...], told: str, eyes: FakeEyes) -> None:
    result = init(*arguments)
    assert (result.exit_code, result.stderr.count("\n"), eyes.calls) == (2, 1, [])
    assert f"error: {told}, and this is no terminal to ask; add the options, or --answers FILE" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-e", "staging"), "'staging' is not NAME=CLUSTER"),
        (("-p", "Shop", *OPTIONS[2:]), "platform: 'Shop' is not valid"),
        ((*OPTIONS, "--approver", "Ada=ada@example.com"), "staging.approval: approvers with an email need"),
        ((*OPTIONS, "--answers", "-"), "--answers holds all answers"),
        (("--answers", "none.yaml"), "none.yaml: no such file"),
        (("-p", "shop", "-e", "staging=shpo"), "there is no cluster shpo in eu-west-1; there are: shop-staging"),
        ((*OPTIONS, "-o", "none/platform.yaml"), "none/platform.yaml: cannot write the file"),
    ],
)  # fmt: skip
def test_wrong_answers(arguments: tuple[str, ...], told: str) -> None:
    result = init(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert list(Path().iterdir()) == []


def test_answers_from_a_file_are_told_with_their_line() -> None:
    Path("a.yaml").write_text("platform: shop\nenvironments:\n  staging:\n    clutser: shop-staging\n")
    result = init("--answers", "a.yaml")
    assert result.exit_code == 2
    assert "a.yaml:4: environments.staging.clutser: unknown field" in result.stderr
    answers = '{"platform": "shop", "environments": {"staging": {"cluster": "shop-staging"}}}'
    assert init("--answers", "-", stdin=answers).exit_code == 0


def test_a_refused_permission_is_told_and_the_rest_is_written(eyes: FakeEyes) -> None:
    eyes.refused = {"ecr:DescribeRepositories"}
    result = init(*OPTIONS)
    assert result.exit_code == 0
    needs = "your identity lacks the permission ecr:DescribeRepositories"
    assert f"warning: cannot read the repositories of ECR: {needs}" in result.stderr


def test_a_permission_without_which_nothing_can_be_written_is_told(eyes: FakeEyes) -> None:
    eyes.refused = {"ecs:ListServices"}
    result = init(*OPTIONS)
    assert (result.exit_code, list(Path().iterdir())) == (2, [])
    assert "lacks the permission ecs:ListServices" in result.stderr
    assert "staging would have no service (the services of cluster shop-staging could not be read)" in result.stderr


def test_from_answers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "eyes", lambda: "there are no AWS credentials")
    Path("a.yaml").write_text(
        "platform: shop\n"
        "components: {api: {repository: shop-api}}\n"
        "environments: {staging: {cluster: c, services: [{name: api, component: api}]}}\n"
    )
    result = init("--answers", "a.yaml")
    assert (result.exit_code, result.stderr) == (0, "warning: AWS was not asked: there are no AWS credentials\n")
    assert Path("platform.yaml").read_text().startswith("# A first document, from answers. Check it")


class Terminal:
    """Standard input of a person; `CliRunner` replaces the real one."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["shop", "staging", "shop-staging", "all", "", ""])
    monkeypatch.setattr(questions, "prompt", lambda question, default: next(answers))
    monkeypatch.setattr(command, "sys", type("Sys", (), {"stdin": Terminal()}))
    result = init()
    assert (result.exit_code, list(answers)) == (0, [])
    assert CliRunner().invoke(app, ["validate", "-f", "platform.yaml"]).exit_code == 0


def test_a_question_that_is_not_answered_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def aborted(*_: Any, **__: Any) -> None:
        raise questions.typer.Abort

    monkeypatch.setattr(questions.typer, "prompt", aborted)
    monkeypatch.setattr(command, "sys", type("Sys", (), {"stdin": Terminal()}))
    result = init()
    assert (result.exit_code, list(Path().iterdir())) == (2, [])
    assert result.stderr == "error: not answered; nothing was written\n"
