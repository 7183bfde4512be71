"""A pytest plugin, `-p permissions.record`: which permission of the operator's roles each flow test has used.

It adds a line of JSON for each test to the file that FERRYMAN_PERMISSIONS names: {"test": id, "uses": [...]}, where a
use is what `GET /_ferryman/permissions` tells (`ferryman_local.patches.control`).
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flow.stage import Stage

_running: list[Stage] = []
_stopped: list[dict[str, Any]] = []
_start, _stop = Stage.start, Stage.stop


def _noted_start(stage: Stage) -> Stage:
    _running.append(_start(stage))
    return stage


def _noted_stop(stage: Stage) -> None:
    if stage in _running:
        _running.remove(stage)
        _stopped.extend(stage.aws.permissions())
    _stop(stage)


def pytest_sessionstart() -> None:
    """Know every local AWS that a test starts."""
    Stage.start, Stage.stop = _noted_start, _noted_stop  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Write what was used while the test ran: by its functions, and by what went on in the background."""
    result = yield
    uses = list(_stopped)
    _stopped.clear()
    for stage in _running:
        uses += stage.aws.permissions()
        stage.aws.forget_permissions()
    with Path(os.environ["FERRYMAN_PERMISSIONS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"test": item.nodeid, "uses": uses}) + "\n")
    return result
