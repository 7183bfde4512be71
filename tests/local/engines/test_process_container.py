"""How a process stops that stands for a container."""

import signal
import threading
from types import SimpleNamespace

import pytest

from ferryman_local.engines import process_container
from ferryman_local.engines.process_container import ProcessContainer


class Ends:
    """The end of a process that takes until it was waited for twice."""

    def __init__(self) -> None:
        self.waits = 0

    def is_set(self) -> bool:
        return self.waits > 1

    def wait(self, _seconds: float) -> bool:
        self.waits += 1
        return True


def test_a_container_that_two_threads_stop_gets_one_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one would kill a process that the first one asked to end."""
    sent: list[int] = []
    monkeypatch.setattr(process_container, "kill_group", lambda _pid, number: sent.append(number))
    container = object.__new__(ProcessContainer)
    vars(container).update(_done=Ends(), _process=SimpleNamespace(pid=1), _told_to_stop=threading.Lock())
    container.stop()
    container.stop()
    container.stop()
    assert sent == [signal.SIGTERM]
