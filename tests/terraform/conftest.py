"""Finds Terraform, and plans every root once for all tests.

They run Terraform with the offline stand-in for the AWS provider (`offline/`), which needs no network and no account.
TERRAFORM names another program: with TERRAFORM=terraform it is the real provider. Where there is no Terraform the tests
are skipped; in CI (CI=true) that is an error. What only the stand-in can do is skipped with the real one, in CI, too.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from needed import missing, require, skip_in_ci_too
from terraform.tool import OFFLINE, PLANS, ROOT, TERRAFORM, Tool, variables_of

NO_STAND_IN = "TERRAFORM is not the offline stand-in for the AWS provider"


def find() -> str | None:
    """The program to use, or None."""
    if named := os.environ.get("TERRAFORM"):
        return shutil.which(named, path=f"{ROOT}:{os.environ['PATH']}") or shutil.which(str(ROOT / named))
    plain = shutil.which(os.environ.get("TF_OFFLINE_TERRAFORM", "terraform"))
    return str(OFFLINE) if plain else None


@pytest.fixture(scope="session")
def shared_tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def terraform(shared_tmp: Path) -> Tool:
    """Terraform, or a skip."""
    program = find()
    if program is None:
        require("terraform")
        missing("TERRAFORM names a program that does not exist")
    return Tool(str(program), shared_tmp)


@pytest.fixture(scope="session")
def stand_in(shared_tmp: Path) -> Tool:
    """The offline stand-in, whatever TERRAFORM names, with its Python environment made; or a skip."""
    require("terraform")
    tool = Tool(str(OFFLINE), shared_tmp)
    tool.clean(OFFLINE.parents[1] / "samples/platform", "get")
    return tool


@pytest.fixture(scope="session")
def planner(terraform: Tool) -> Tool:
    """Terraform that can plan: offline, or with credentials (planning only reads)."""
    if not terraform.offline and not ({"AWS_PROFILE", "AWS_ACCESS_KEY_ID"} & set(os.environ)):
        skip_in_ci_too(f"Terraform plans no root and no module: {NO_STAND_IN}, and there are no AWS credentials")
    return terraform


@pytest.fixture(scope="session")
def plan(planner: Tool, shared_tmp: Path) -> Callable[[str], dict[str, Any]]:
    """The plan of `shared`, `platform`, `staging` or `production` with the example's variables; made once."""

    def made(name: str) -> dict[str, Any]:
        folder, kept = TERRAFORM / PLANS[name][0], shared_tmp / f"{name}.json"
        if not planner.offline:
            # A plain terraform would ask for their state first.
            skip_in_ci_too(f"Terraform's roots are not planned: {NO_STAND_IN}")
        with planner.alone(folder):
            if not kept.exists():
                planner.initialise(folder)
                planner.clean(folder, "plan", "-no-color", *variables_of(name), f"-out=test-{name}.plan")
                kept.write_text(planner.clean(folder, "show", "-json", f"test-{name}.plan"))
        found: dict[str, Any] = json.loads(kept.read_text())
        return found

    return made
