"""Starts and stops the local AWS, whose process is emulator_process.py."""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3

from ferryman_local.engines.engine import DOCKER, PROCESS, EngineName, docker_host, remove_left
from ferryman_local.errors import EmulatorError
from ferryman_local.processes import OWNER_VARIABLE

READY_SECONDS = 60.0
END_SECONDS = {PROCESS: 5.0, DOCKER: 30.0}
"""Seconds that the emulator may take to stop everything it started before it is killed."""


def free_port() -> int:
    """A free TCP port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Emulator:
    """One local AWS: a process that listens on loopback, with its own state folder."""

    region = "eu-west-1"
    spare_worker_seconds = 60
    """Seconds for which further idle workers of a Lambda stay warm; the first one always does. Set it before start."""

    def __init__(
        self,
        state_dir: Path,
        *,
        auth: bool = True,
        port: int | None = None,
        account: str = "000000000000",
        wait_scale: float = 1.0,
        token_timeout_scale: float = 1.0,
        lambda_endpoint: str | None = None,
        log: Path | None = None,
        engine: EngineName = PROCESS,
    ) -> None:
        self.state_dir = state_dir
        self.engine: EngineName = engine
        self.account = account
        self.port = port or free_port()
        self.log = log or state_dir / "emulator.log"
        self._auth, self._wait_scale, self._token_scale = auth, wait_scale, token_timeout_scale
        self._lambda_endpoint = lambda_endpoint
        self._owner = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None
        self._leaves = False
        """Whether processes or containers of it may still exist."""
        self._session_lock = threading.Lock()
        self._root_session: boto3.Session | None = None

    @property
    def endpoint(self) -> str:
        """The URL of all AWS APIs."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def registry(self) -> str:
        """Prefix of image references, as in `localhost:4566/scr-api:tag`."""
        return f"localhost:{self.port}"

    @property
    def pid(self) -> int | None:
        """Id of the emulator's process; None if it is not started."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the emulator's process is running."""
        return self._process is not None and self._process.poll() is None

    @property
    def owner(self) -> str:
        """The mark in the environment of every process of this emulator (`processes.OWNER_VARIABLE`)."""
        return self._owner

    def env(self) -> dict[str, str]:
        """Environment variables with which any AWS client (boto3, aws, sam) uses this emulator."""
        return {
            # A developer's profile or session token would win over, or contradict, what follows.
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def session(self, access_key: str = "test", secret_key: str = "test", token: str | None = None) -> boto3.Session:  # noqa: S107
        """A boto3 session whose clients use this emulator; by default that of the account's root, always the same one.

        Each session loads botocore's data anew: some 10 MB. It isn't thread-safe, so clients are made one at a time.
        """
        if (access_key, token) != ("test", None):
            return self._new_session(access_key, secret_key, token)
        with self._session_lock:
            if self._root_session is None:
                self._root_session = self._new_session(access_key, secret_key, token)
            return self._root_session

    def _new_session(self, access_key: str, secret_key: str, token: str | None) -> boto3.Session:
        session = boto3.Session(
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            region_name=self.region,
        )
        make, one_at_a_time = session.client, threading.Lock()

        def client(service: str, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("endpoint_url", self.endpoint)
            with one_at_a_time:
                return make(service, *args, **kwargs)  # type: ignore[call-overload]

        session.client = client  # type: ignore[method-assign,assignment]
        return session

    def start(self) -> Self:
        """Start and wait until it responds; raise EmulatorError with the last lines of its log."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ferryman_local.emulator_process"],
                env=self._process_environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._leaves = True
        atexit.register(self.stop)
        try:
            self._await_ready()
        except BaseException as error:
            try:
                self.stop()
            except EmulatorError as left:  # why it did not start is what has to be seen
                error.add_note(str(left))
            raise
        return self

    def _process_environment(self) -> dict[str, str]:
        data = self.state_dir.resolve() / "data"
        for name in ("tmp", "s3"):
            (data / name).mkdir(parents=True, exist_ok=True)
        package = str(Path(__file__).resolve().parents[1])
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": self.region,
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_HOST": "localhost",
            "HOSTNAME": f"ferryman-{self.port}",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AUTH": "true" if self._auth else "false",
            "SFN_WAIT_SCALE": str(self._wait_scale),
            "LOG_LEVEL": os.environ.get("FERRYMAN_LOCAL_LOG_LEVEL", "INFO"),
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_WARM_TTL_SECONDS": str(self.spare_worker_seconds),
            "MALLOC_ARENA_MAX": "2",
            "MALLOC_TRIM_THRESHOLD_": "65536",
            "TMPDIR": str(data / "tmp"),
            "S3_DATA_DIR": str(data / "s3"),
            "DOCKER_HOST": "unix:///nonexistent/ferryman-uses-no-docker.sock",
            "FERRYMAN_LOCAL_ENGINE": self.engine,
            "FERRYMAN_LOCAL_DOCKER_HOST": docker_host() if self.engine == DOCKER else "",
            "FERRYMAN_LOCAL_STATE": str(data),
            "FERRYMAN_LOCAL_TOKEN_TIMEOUT_SCALE": str(self._token_scale),
            "FERRYMAN_LOCAL_LAMBDA_ENDPOINT": self._lambda_endpoint or "",
            OWNER_VARIABLE: self._owner,
            "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")])),
            "PYTHONUNBUFFERED": "1",
        }
        return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "COV_"))} | settings

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise EmulatorError(self._explain(f"exited with status {self._process.returncode}"))
            with contextlib.suppress(OSError, ValueError):
                if self._get("/_ferryman/owner").get("owner") == self._owner and self._get("/_ministack/ready"):
                    return
            time.sleep(0.05)
        raise EmulatorError(self._explain(f"did not respond on {self.endpoint} within {READY_SECONDS:.0f} s"))

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.endpoint + path, timeout=2) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def _explain(self, what: str) -> str:
        return f"the local AWS {what}. Last lines of its log ({self.log}):\n{self.log_tail()}"

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of the emulator's log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Stop it and everything that it started. A second call retries what could not be removed."""
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is not None:
            if process.stdin:
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=END_SECONDS[self.engine])
            if process.poll() is None:
                process.kill()
                process.wait()
        if self._leaves:
            if problem := remove_left(self._owner, self.engine, self.registry):
                raise EmulatorError(problem)
            self._leaves = False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
