"""Runs commands that may take minutes: each has a time limit, and ends with all that it started. Used by DockerBuilder.

Each has a session of its own, because `docker` and scripts start others (a plug-in, a pull) that hold its output open.
So Ctrl-C does not reach it, and whoever waits for it ends it: `cancel`, where several threads wait.
"""

import contextlib
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ferryman_local.images.oci import ImageError
from ferryman_local.processes import kill_group

END_SECONDS = 5.0
"""How long a command may take to clean up before it is killed."""
SHOWN_LINES = 12

Command = Sequence[str | Path]


class Commands:
    """Commands of one builder, some of them side by side."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._cancelled = False

    def run(self, command: Command, seconds: float, failed: str, env: Mapping[str, str] | None = None) -> None:
        """Run a command; raise ImageError with `failed` and the last lines of its output if it fails."""
        with self._started(command, seconds, failed, stderr=subprocess.STDOUT, env=env) as process:
            said = process.stdout.read()  # type: ignore[union-attr]
        if process.returncode:
            end = "\n".join(said.strip().splitlines()[-SHOWN_LINES:])
            raise ImageError(f"{failed}. Last lines of `{named(command)}`:\n{end}")

    def ask(self, command: Command, seconds: float, failed: str, report: Callable[[str], None]) -> tuple[int, str, str]:
        """Return exit status, stdout (a few lines) and stderr; report each line of stderr at once."""
        said = []
        with self._started(command, seconds, failed, stderr=subprocess.PIPE) as process:
            for line in process.stderr:  # type: ignore[union-attr]
                said.append(line)
                report(line.rstrip())
            found = process.stdout.read()  # type: ignore[union-attr]
        return process.returncode, found, "".join(said)

    def cancel(self) -> None:
        """Stop the running commands, and start no new ones."""
        with self._lock:
            self._cancelled = True
            running = list(self._running)
        for process in running:
            end(process)

    @contextlib.contextmanager
    def _started(self, command: Command, seconds: float, failed: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
        with self._lock:
            if self._cancelled:
                raise ImageError(f"{failed}: cancelled")
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                       errors="replace", start_new_session=True, **how)  # fmt: skip
            self._running.add(process)
        late = threading.Event()

        def cut_off() -> None:
            late.set()
            end(process)

        timer = threading.Timer(seconds, cut_off)
        timer.daemon = True
        timer.start()
        try:
            with process:  # closes the pipes, and waits
                try:
                    yield process
                except BaseException:  # Ctrl-C too
                    end(process)
                    raise
        finally:
            timer.cancel()
            with self._lock:
                self._running.discard(process)
        if late.is_set():
            raise ImageError(f"{failed}: `{named(command)}` took more than {seconds:.0f} s")


def end(process: "subprocess.Popen[str]") -> None:
    """Stop a command and everything that it started."""
    kill_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    kill_group(process.pid, signal.SIGKILL)


def named(command: Command) -> str:
    """The name of a command in messages: `docker build`."""
    return " ".join([Path(command[0]).name, *(str(word) for word in command[1:2])])
