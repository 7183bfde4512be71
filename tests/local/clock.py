"""Waiting with a deadline, and what is waited for, for the tests of this folder."""

import time
from collections.abc import Callable

import pytest

from ferryman_local.instance import birth


def alive(pid: int) -> bool:
    """Whether a process runs: one that ended and was not yet asked for its status doesn't."""
    return birth(pid) is not None


def until[T](check: Callable[[], T], what: str = "what the test waits for", seconds: float = 20) -> T:
    """Poll until the check answers something true; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > deadline:
            pytest.fail(f"after {seconds} s still not: {what}")
        time.sleep(0.02)
    return found
