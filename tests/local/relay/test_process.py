"""The relay as a process."""

import os
import signal
import subprocess
import sys

from ferryman_local.emulator import Emulator
from local.clock import alive, until
from local.relay_stage import Stage

pytest_plugins = ["local.relay_stage"]


def relay_process(emulator: Emulator, *before: str) -> list[str]:
    relay = ["-m", "ferryman_local.relay", "--endpoint", emulator.endpoint, "--region", emulator.region]
    return [sys.executable, *before, *relay]


def python_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_as_a_process_it_delivers_and_ends_on_sigterm(stage: Stage) -> None:
    stage.rule(stage.pushes())
    with subprocess.Popen(
        relay_process(stage.emulator), stdout=subprocess.PIPE, text=True, env=python_path()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "relay ready\n"
        stage.push("v1")
        assert until(stage.received)[0]["detail"]["image-tag"] == "v1"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_as_a_process_it_ends_with_its_parent(stage: Stage) -> None:
    parent = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); print(p.pid, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", parent, *relay_process(stage.emulator)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=python_path()
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert process.stdout.readline() == "relay ready\n"
        process.kill()

    until(lambda: not alive(child))
