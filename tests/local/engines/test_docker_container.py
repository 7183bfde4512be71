"""A container's log when Docker ends the stream too early, against a container that a test makes up."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ferryman_local.engines.docker_container import DockerContainer, PulledImage

WHOLE = b"line 1\nline 2\nlast"


class FakeRaw:
    """docker-py's container that has ended; what is streamed of its log is only the beginning."""

    id, name, labels = "c1", "one", None

    def __init__(self, streamed: bytes) -> None:
        self._streamed = streamed

    def logs(self, *, stream: bool = False, **_how: Any) -> bytes | Iterator[bytes]:
        return iter([self._streamed]) if stream else WHOLE

    def wait(self) -> dict[str, int]:
        return {"StatusCode": 7}


@pytest.mark.parametrize("streamed", [WHOLE, WHOLE[:-4], b""], ids=["all", "but-the-last", "nothing"])
def test_the_whole_log_is_there_when_it_has_ended(streamed: bytes) -> None:
    ended = threading.Event()
    container = DockerContainer(FakeRaw(streamed), PulledImage("one:1", "sha256:1", None), "127.0.0.2", ended.set)
    assert ended.wait(10)
    assert container.wait()["StatusCode"] == 7
    assert container.logs() == WHOLE
    assert b"".join(container.output.follow()) == WHOLE
