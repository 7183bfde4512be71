"""Child processes that cannot outlive the emulator. Used by the process engine and by the Lambda worker patch.

The kernel's "signal me when my parent dies" watches the *thread* that forked, and the emulator forks from short-lived
threads. So one thread that lives as long as the process does all the forking.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

OWNER_VARIABLE = "FERRYMAN_LOCAL_OWNER"
"""Environment variable that marks every process of one emulator, so that stop() finds also grandchildren."""

_TRAMPOLINE = (
    "import ctypes,os,sys\n"
    "ctypes.CDLL(None).prctl(1,9)\n"
    "if os.getppid()!=int(sys.argv[1]):os._exit(143)\n"
    "os.execvpe(sys.argv[2],sys.argv[2:],os.environ)\n"
)


class Spawner:
    """Runs callables on one thread that never ends."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="ferryman-spawner", daemon=True).start()

    def _serve(self) -> None:
        while True:
            function, answer = self._work.get()
            try:
                answer.put((function(), None))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
                answer.put((None, error))

    def call(self, function: Callable[[], Any]) -> Any:
        """Run it on the spawner thread and return its result or raise its error."""
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._work.put((function, answer))
        result, error = answer.get()
        if error is not None:
            raise error
        return result


_spawner: Spawner | None = None
_guard = threading.Lock()


def spawner() -> Spawner:
    """The process's one spawner, started on first use."""
    global _spawner
    with _guard:
        if _spawner is None:
            _spawner = Spawner()
        return _spawner


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | str,
    stdout: int | IO[Any],
    stderr: int | IO[Any],
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a command in a new session that is killed when the emulator ends, in whatever way."""
    argv = [sys.executable, "-I", "-S", "-c", _TRAMPOLINE, str(os.getpid()), *command]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv, env=dict(env), cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )

    process: subprocess.Popen[bytes] = spawner().call(start)
    return process


def kill_group(pid: int, number: int) -> None:
    """Signal a process group; it is not an error if the group is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def owned_by(owner: str) -> list[int]:
    """Ids of running processes with the owner mark in their environment."""
    mark = f"{OWNER_VARIABLE}={owner}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0") and not _is_zombie(entry):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _is_zombie(entry: Path) -> bool:
    return (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"


def end_all(owner: str, *, grace: float = 2.0) -> list[int]:
    """Terminate every process of this owner, then kill the rest; return those that are still running."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        told: set[int] = set()
        while alive := owned_by(owner):
            for pid in set(alive) - told:  # one that begins meanwhile, too: each process is asked once
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            told.update(alive)
            if time.monotonic() >= deadline:
                break
            time.sleep(0.02)
        else:
            return []
    return owned_by(owner)
