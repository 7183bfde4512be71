"""From yesterday's state to today's roots: nothing is destroyed, nothing is replaced, and nothing is created twice.

`states/` has what an installation with one platform has in its states (`states/README.md`).
"""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from terraform.tool import PLANS, TERRAFORM, Tool, variables_of

STATES = Path(__file__).parent / "states"
Change = dict[str, Any]
From = Callable[..., list[Change]]


@pytest.fixture
def planned_from(stand_in: Tool, tmp_path: Path) -> From:
    """The changes that a root plans from a state; `state` is the file's name, or None for an empty one."""

    def planned(name: str, state: str | None, *arguments: str) -> list[Change]:
        folder, file = TERRAFORM / PLANS[name][0], tmp_path / "terraform.tfstate"
        file.unlink(missing_ok=True)
        if state is not None:
            file.write_bytes(gzip.decompress((STATES / f"{state}.json.gz").read_bytes()))
        with stand_in.alone(folder):
            stand_in.initialise(folder)
            done = stand_in.run(
                folder, "plan", "-no-color", f"-state={file}", *variables_of(name), *arguments, "-out=upgrade.plan"
            )
            assert done.returncode == 0, done.stdout + done.stderr
            shown: dict[str, Any] = json.loads(stand_in.clean(folder, "show", "-json", "upgrade.plan"))
        return [change for change in shown["resource_changes"] if change["mode"] == "managed"]

    return planned


def doing(changes: list[Change], *actions: str) -> list[str]:
    """Addresses of what has exactly these actions."""
    return [change["address"] for change in changes if change["change"]["actions"] == list(actions)]


def lost(changes: list[Change]) -> list[str]:
    """Addresses of what is destroyed, alone or in a replacement."""
    return [change["address"] for change in changes if "delete" in change["change"]["actions"]]


@pytest.mark.parametrize("name", ["staging", "production"])
def test_an_environment_changes_in_place(planned_from: From, name: str) -> None:
    changes = planned_from(name, name)
    assert lost(changes) == []
    assert doing(changes, "create") == []
    unchanged = [
        change for change in changes if change["type"] in ("aws_iam_role", "aws_ecs_service", "aws_ecs_cluster")
    ]
    assert len(unchanged) > 10
    assert {tuple(change["change"]["actions"]) for change in unchanged} == {("no-op",)}


def test_shared_forgets_the_platform_and_destroys_nothing(planned_from: From) -> None:
    changes = planned_from("shared", "shared")
    assert lost(changes) == []
    forgotten = doing(changes, "forget")
    assert len(forgotten) == len([address for address in forgotten if "module.operator." not in address])
    kept = [change for change in changes if change["address"] == "aws_iam_openid_connect_provider.github[0]"]
    assert [change["previous_address"] for change in kept] == [
        "module.github_oidc.aws_iam_openid_connect_provider.github[0]"
    ]
    assert "aws_ssm_parameter.repository_names" in forgotten


def test_the_platform_takes_over_all_that_shared_forgets(planned_from: From) -> None:
    forgotten = set(doing(planned_from("shared", "shared"), "forget"))
    changes = planned_from("platform", None, "-var=import_from_shared=true")
    assert lost(changes) == []
    assert doing(changes, "create") == []
    imported = {change["address"] for change in changes if change["change"].get("importing")}
    assert imported == forgotten - {"aws_ssm_parameter.repository_names"}


def test_a_new_platform_imports_nothing(planned_from: From) -> None:
    changes = planned_from("platform", None)
    assert {tuple(change["change"]["actions"]) for change in changes} == {("create",)}
    assert not any(change["change"].get("importing") for change in changes)


def test_a_changed_path_would_replace_roles(planned_from: From) -> None:
    """The stand-in sees what this test is about: with another path, every role of the tasks is replaced."""
    changes = planned_from("staging", "staging", '-var=platforms={"scr"={"roles_below_path"=true}}')
    replaced = {address for address in lost(changes) if "aws_iam_role." in address}
    assert len(replaced) == 8
