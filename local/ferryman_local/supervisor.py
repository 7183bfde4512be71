"""The process that holds a local AWS in the background. `ferryman local up` starts it: `python -m …supervisor`.

It ends with SIGTERM (`ferryman local down`), with everything it started, and when the emulator dies.
"""

import argparse
import contextlib
import shutil
import threading
import time
from pathlib import Path

from ferryman_local.engines.engine import DOCKER, PROCESS
from ferryman_local.errors import EmulatorError
from ferryman_local.instance import FOLDER, Instance
from ferryman_local.interruption import Interruption
from ferryman_local.local_aws import LocalAws

LOG = FOLDER / "supervisor.log"
HOME = FOLDER / "aws"
FAILED = "failed: "
"""Prefix of the log line that says why it did not start."""


def hold(aws: LocalAws, stop: threading.Event) -> None:
    """Wait until `stop` is set; raise EmulatorError if the emulator stops."""
    while not stop.wait(0.5):
        if not aws.emulator.running:
            raise EmulatorError(
                f"the local AWS stopped unexpectedly. Last lines of its log:\n{aws.emulator.log_tail()}"
            )


def main() -> None:
    """Start the local AWS, record how to reach it, and keep it running."""
    parser = argparse.ArgumentParser(prog="python -m ferryman_local.supervisor")
    parser.add_argument("--platform-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--engine", choices=(PROCESS, DOCKER), default=PROCESS)
    options = parser.parse_args()
    interruption = Interruption()

    began = time.monotonic()

    def report(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f}s  {line}", flush=True)

    shutil.rmtree(HOME, ignore_errors=True)
    aws = LocalAws(
        HOME, platform_file=options.platform_file, port=options.port or None, engine=options.engine, report=report
    )
    instance = Instance.of_this_process("ferryman local up", aws)
    instance.write()
    try:
        aws.start()
        instance.standing(aws).write()
        hold(aws, threading.Event())
    except Exception as error:
        print(f"{FAILED}{error}", flush=True)
        raise SystemExit(1) from error
    finally:
        interruption.obeyed()
        aws.stop()
        with contextlib.suppress(OSError):
            shutil.rmtree(aws.home / "state", ignore_errors=True)
        instance.forget()


if __name__ == "__main__":
    main()
