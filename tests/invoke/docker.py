"""Docker, Lambda's runtime image and `sam local start-lambda`, for the tests that run functions in a container."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import boto3
from botocore import UNSIGNED
from botocore.config import Config

import needed
from ferryman_local.emulator import free_port

ROOT = Path(__file__).parents[2]
UNAVAILABLE = 3
OURS = "label=sam.cli.container.type=lambda"
READY_SECONDS = 240.0
SLOW = ("--timeout", "110")
"""A machine that is busy with other things needs more than a function's own timeout to import it for the first time."""


def require() -> None:
    """Skip where there is no Docker; fail where there is and it does not do."""
    for script in ("docker-engine status", "docker-runtime-image"):
        name, *arguments = script.split()
        done = subprocess.run(
            [ROOT / "scripts" / name, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHON": sys.executable},
            check=False,
        )
        if done.returncode == UNAVAILABLE:
            needed.missing(f"Lambda's container can't run here: {done.stderr.strip().splitlines()[0]}")
        assert done.returncode == 0, f"scripts/{script}: {done.stderr}"


def containers() -> set[str]:
    """SAM's containers that exist now."""
    listed = subprocess.run(["docker", "ps", "-aq", "--filter", OURS], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


class Lambdas:
    """All functions, each in a warm container, behind Lambda's API: `scripts/sam-invoke --serve`."""

    def __init__(self, aws: Mapping[str, str], variables: Mapping[str, str], log: Path) -> None:
        self._aws, self._variables, self._log = aws, variables, log
        self._port = free_port()
        self._before: set[str] = set()
        self.left: set[str] = set()
        """Containers that SAM should have removed and did not."""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._before = containers()
        changes = [f"--variable={name}={value}" for name, value in self._variables.items()]
        self._log.parent.mkdir(exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, ROOT / "scripts" / "sam-invoke", "--serve", str(self._port), *SLOW, *changes],
                env=dict(self._aws),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._await()
        except BaseException:
            self.__exit__()
            raise
        self._given = json.loads((ROOT / ".aws-sam" / "env.local.json").read_text())
        settings = Config(signature_version=UNSIGNED, read_timeout=120, retries={"total_max_attempts": 1})
        self._client: Any = boto3.client(
            "lambda", endpoint_url=f"http://127.0.0.1:{self._port}", region_name="eu-west-1", config=settings
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.left = left = containers() - self._before
        if left:
            subprocess.run(["docker", "rm", "-f", *left], capture_output=True, check=False)

    def _await(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.2)
        raise AssertionError(f"`sam local start-lambda` is not there:\n{self.log()}")

    def log(self, lines: int = 30) -> str:
        """The end of what SAM and the functions said."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def variables_of(self, function: str) -> dict[str, str]:
        """The environment that the container of a function gets."""
        return dict(self._given[function])

    def call(self, function: str, event: Any) -> Any:
        """The function's answer."""
        answer = self._client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())
