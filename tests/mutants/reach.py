"""Which functions each test and each simulated history runs, so that a mutant meets only what can notice it.

`sys.monitoring` tells the first call of each function of the tree within a test; after each test it begins anew.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

_TOOL = 4
FILE = "MUTANTS_REACH"
"""The environment variable with the file that is written."""


class Recorder:
    """Collects the functions of the tree below `root` that run."""

    def __init__(self, root: Path) -> None:
        self._roots = (f"{root}/layers/", f"{root}/functions/")
        self._prefix = len(f"{root}/")
        self.seen: set[str] = set()
        sys.monitoring.use_tool_id(_TOOL, "reach")
        sys.monitoring.register_callback(_TOOL, sys.monitoring.events.PY_START, self._started)
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.PY_START)

    def _started(self, code: CodeType, offset: int) -> Any:
        if code.co_filename.startswith(self._roots):
            name = code.co_qualname.replace(".<locals>", "").split(".<")[0]
            self.seen.add(f"{code.co_filename[self._prefix :]}:{'' if name.startswith('<') else name}")
        return sys.monitoring.DISABLE

    def taken(self) -> list[str]:
        """Return what ran since the last time."""
        found, self.seen = sorted(self.seen), set()
        sys.monitoring.restart_events()
        return found


class Plugin:
    """Writes one line for each test: its id, what it ran, how long it took."""

    def __init__(self, path: Path, root: Path) -> None:
        self._path, self._recorder = path, Recorder(root)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.monotonic()
        self._recorder.taken()
        found = yield
        line = {"test": item.nodeid, "ran": self._recorder.taken(), "seconds": round(time.monotonic() - began, 3)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return found


def plugin() -> Plugin | None:
    """Return the plugin where the environment asks for it."""
    return Plugin(Path(os.environ[FILE]), Path.cwd()) if os.environ.get(FILE) else None
