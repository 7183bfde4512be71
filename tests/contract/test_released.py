"""Records that a released version stored are read by today's models, and written back without loss."""

import json
from pathlib import Path
from typing import Any

import pytest

from ferryman.decisions.outcome import judge
from ferryman.records import Deployment

STORED = sorted((Path(__file__).parent / "released").glob("*/deployment.json"))


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {key: leaf for name, item in value.items() for key, leaf in leaves(item, f"{path}.{name}").items()}
    return {path: value}


def test_every_release_left_a_record() -> None:
    assert STORED, "tests/contract/released/ holds no deployment.json"


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_a_stored_deployment_is_read_and_kept(path: Path) -> None:
    stored = json.loads(path.read_text())
    deployment = Deployment.model_validate(stored)
    assert deployment.plan is not None
    assert deployment.steps
    written = leaves(json.loads(json.dumps(deployment.dump())))
    lost = {key: value for key, value in leaves(stored).items() if written.get(key) != value}
    assert not lost, "today's models drop or change what a running deployment stored"


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_a_newer_writers_fields_are_ignored(path: Path) -> None:
    stored = json.loads(path.read_text())
    stored["fromTheFuture"] = stored["plan"]["fromTheFuture"] = True
    assert judge(Deployment.model_validate(stored), None).phase
