"""Waiting with a deadline, for the tests of this folder."""

import time
from collections.abc import Callable
from typing import Any

import pytest


def until(check: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """Poll until the check answers something true; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > deadline:
            pytest.fail(f"after {seconds} s still not: {what}")
        time.sleep(0.02)
    return found
