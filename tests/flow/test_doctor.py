"""`ferryman doctor` on the whole product: all is well; then each line is broken once, and named with its cure."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from typer.testing import CliRunner

from ferryman_cli.main import app
from flow.documents import document
from flow.place import Place
from flow.stage import Stage

Lines = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def stage(standing: Callable[..., AbstractContextManager[Stage]]) -> Iterator[Stage]:
    """A local AWS of this module's own, with one platform and all that its operator may touch."""
    with standing("doctor", places=1, promoting=0) as started:
        yield started


@pytest.fixture(scope="module")
def scr(stage: Stage) -> Iterator[Place]:
    one = Place(stage, document(next(stage.names), migration=True)).create()
    yield one
    one.remove()


@pytest.fixture
def doctor(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Lines]]:
    """Run the command as the local admin; return its exit code, and its lines by the name of the check."""
    for name, value in {**stage.aws.emulator.env(), **stage.aws.admin.env}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FERRYMAN_API_CONNECT", stage.aws.emulator.endpoint)

    def run(*arguments: str) -> tuple[int, Lines]:
        result = CliRunner().invoke(app, ["doctor", "-o", "json", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        found: Lines = {}
        for line in json.loads(result.stdout)["checks"]:
            found.setdefault(line["name"], []).append(line)
        return result.exit_code, found

    return run


def test_all_is_well(scr: Place, doctor: Any) -> None:
    code, found = doctor()
    assert not {name: lines for name, lines in found.items() if any(line["status"] != "ok" for line in lines)}
    assert code == 0
    assert doctor("--preflight")[0] == 0
