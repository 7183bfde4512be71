"""Run the built web app as in its image."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from page_facts import VERSION
from release import ReleaseError

COMMAND = ["node", "start.mjs"]
START_LIMIT_SECONDS = 20


class Server:
    """What was built, running."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port

    def get(self, path: str = "/", body: str | None = None) -> tuple[int, dict[str, str], str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            headers = {name.title(): value for name, value in response.getheaders()}
            return response.status, headers, response.read().decode()
        finally:
            connection.close()

    def listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not done():
            if self.process.poll() is not None:
                raise ReleaseError(f"the server exited with status {self.process.returncode} before it {what}")
            if time.monotonic() > deadline:
                raise ReleaseError(f"the server did not meet this within {START_LIMIT_SECONDS} s: it {what}")
            time.sleep(0.02)


def settings(**values: str) -> dict[str, str]:
    """The whole environment of the process: nothing that this shell happens to have set."""
    return {"PATH": os.environ["PATH"], "APP_VERSION": VERSION, "BIND_ADDRESS": "127.0.0.1"} | values


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def started(folder: Path, **values: str) -> Iterator[Server]:
    port = free_port()
    with subprocess.Popen(COMMAND, cwd=folder, env=settings(PORT=str(port), **values), text=True) as process:
        try:
            server = Server(process, port)
            server.until(server.listens, "listens")
            yield server
        finally:
            process.kill()
