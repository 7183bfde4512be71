"""Deploys the real template to the local AWS with the real `sam`.

Used by the demo, the flow tests and `ferryman local up`.
"""

import contextlib
import hashlib
import os
import platform
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ferryman_local.emulator import Emulator

STACK = "ferryman"
SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "statemachines")
IGNORED = {"__pycache__", ".aws-sam", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
PROGRESS = re.compile(r"Build Succeeded|Building (codeuri|layer)|Changeset created|CREATE_COMPLETE|Successfully", re.I)
Report = Callable[[str], None]

_LOST = re.compile(r"""\\(?:[\s"']|\Z)""")


class OperatorError(Exception):
    """`sam` failed; the message has the last lines of its output."""


def deploy_operator(
    emulator: Emulator,
    template_dir: Path,
    parameters: Mapping[str, str],
    *,
    report: Report = lambda _line: None,
    stack: str = STACK,
    timeout: float = 300,
    options: Iterable[str] = (),
) -> dict[str, str]:
    """Build (if anything changed) and deploy the stack; return its outputs. `Architecture` defaults to the host's.

    `options` are further ones of `sam deploy`.
    """
    build = build_operator(template_dir, report=report, timeout=timeout)
    wanted = {"Architecture": host_architecture(), **parameters} if takes(template_dir, "Architecture") else parameters
    started = time.monotonic()
    run_sam(
        [
            "deploy",
            "--template-file",
            str(build / "template.yaml"),
            "--stack-name",
            stack,
            "--s3-bucket",
            artifacts_bucket(emulator),
            "--s3-prefix",
            stack,
            "--capabilities",
            "CAPABILITY_IAM",
            "CAPABILITY_AUTO_EXPAND",
            "CAPABILITY_NAMED_IAM",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--region",
            emulator.region,
            "--config-file",
            str(no_settings(template_dir)),
            *options,
            *parameter_overrides(wanted),
        ],
        template_dir,
        emulator.env(),
        report,
        timeout,
    )
    report(f"deployed in {time.monotonic() - started:.1f} s")
    return stack_outputs(emulator, stack)


def parameter_overrides(parameters: Mapping[str, str]) -> list[str]:
    """The option of `sam` that sets a template's parameters, with the quotes that it needs even in a single argument.

    Without quotes, a value ends at its first space. Raise OperatorError for a value that `sam` cannot handle.
    """
    given = []
    for name, value in parameters.items():
        if _LOST.search(value):
            raise OperatorError(
                f"the parameter {name} cannot be {value!r}: `sam` drops a backslash before a space, before a quote and "
                "at the end"
            )
        escaped = value.replace('"', '\\"')
        given.append(f'ParameterKey={name},ParameterValue="{escaped}"')
    return ["--parameter-overrides", *given] if given else []


def artifacts_bucket(emulator: Emulator) -> str:
    """A bucket for the uploads of `sam`, because its `--resolve-s3` would first create a stack."""
    name = f"ferryman-artifacts-{emulator.account}"
    s3: Any = emulator.session().client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": emulator.region})
    return name


def stack_outputs(emulator: Emulator, stack: str = STACK) -> dict[str, str]:
    """The stack's outputs by key."""
    found = emulator.session().client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    if not found["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in found["StackStatus"]:
        raise OperatorError(
            f"stack {stack} is {found['StackStatus']}: {found.get('StackStatusReason', 'the stack has no reason')}"
            f"\n{emulator.log_tail()}"
        )
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def build_operator(
    template_dir: Path,
    *,
    report: Report = lambda _line: None,
    timeout: float = 300,
    cancelled: threading.Event | None = None,
) -> Path:
    """Run `sam build` if the sources changed since the last build; return the folder with the built template.

    Test workers that start at the same time build once: the first one holds a lock. If another thread sets `cancelled`,
    it ends with OperatorError.
    """
    home = template_dir / ".aws-sam"
    target, stamp = home / "build", home / "ferryman-sources"
    wanted = fingerprint(template_dir)
    home.mkdir(exist_ok=True)
    with _only_one(home / "ferryman-lock", cancelled):
        if stamp.exists() and stamp.read_text() == wanted and (target / "template.yaml").exists():
            report("sources unchanged: using the last build")
            return target
        started = time.monotonic()
        stamp.unlink(missing_ok=True)
        arguments = ["build", "--build-dir", str(target), "--config-file", str(no_settings(template_dir))]
        if takes(template_dir, "Architecture"):
            arguments += parameter_overrides({"Architecture": host_architecture()})
        run_sam(arguments, template_dir, dict(os.environ), report, timeout, cancelled)
        stamp.write_text(wanted)
        report(f"built in {time.monotonic() - started:.1f} s")
    return target


def no_settings(template_dir: Path) -> Path:
    """An empty samconfig, because the project's samconfig is for AWS."""
    file = template_dir / ".aws-sam" / "ferryman-local.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("version = 0.1\n")
    return file


def fingerprint(template_dir: Path) -> str:
    """A hash over everything the build depends on."""
    total = hashlib.sha256(f"{sys.version} {host_architecture()}".encode())
    for source in SOURCES:
        root = template_dir / source
        files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
        for file in files:
            relative = file.relative_to(template_dir)
            if not IGNORED & set(relative.parts):
                total.update(f"{relative}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def takes(template_dir: Path, parameter: str) -> bool:
    """Whether the template has a parameter of this name."""
    return re.search(rf"^  {parameter}:$", (template_dir / "template.yaml").read_text(), re.MULTILINE) is not None


def host_architecture() -> str:
    """The host's architecture, as Lambda names it."""
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def run_sam(
    arguments: list[str],
    folder: Path,
    env: Mapping[str, str],
    report: Report,
    timeout: float,
    cancelled: threading.Event | None = None,
) -> None:
    """Run the `sam` of this Python; its progress goes to `report`, its last lines into the error."""
    beside = Path(sys.executable).parent / "sam"
    program = str(beside) if beside.exists() else shutil.which("sam")
    if program is None:
        raise OperatorError(
            "`sam` is neither next to this Python nor on the PATH; install aws-sam-cli (`make test` does)"
        )
    full = {
        **env,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_CONTAINER_CONNECTION_TIMEOUT": "1",
        "PYTHONUNBUFFERED": "1",
        "SAM_CLI_POLL_DELAY": "0.3",  # its default of 5 s is for AWS
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")]),
    }
    process = subprocess.Popen(
        [program, *arguments],
        cwd=folder,
        env=full,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    tail: deque[str] = deque(maxlen=40)
    deadline = time.monotonic() + timeout
    printed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(process.stdout, printed), daemon=True, name="sam-output").start()
    try:
        while (line := _next_line(printed)) is not None:
            if line:
                tail.append(line)
            if PROGRESS.search(line):
                report(line.strip())
            if time.monotonic() > deadline:
                raise OperatorError(
                    f"`sam {arguments[0]}` was still running after {timeout:.0f} s:\n" + "\n".join(tail)
                )
            if cancelled is not None and cancelled.is_set():
                raise OperatorError(f"`sam {arguments[0]}` was cancelled")
        if status := process.wait():
            raise OperatorError(f"`sam {arguments[0]}` in {folder} exited with status {status}:\n" + "\n".join(tail))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read_lines(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    with stream:
        for line in stream:
            lines.put(line.rstrip())
    lines.put(None)


def _next_line(lines: queue.SimpleQueue[str | None]) -> str | None:
    """The next line, "" if there was none for a moment, None at the end."""
    try:
        return lines.get(timeout=0.2)
    except queue.Empty:
        return ""


@contextlib.contextmanager
def _only_one(lock: Path, cancelled: threading.Event | None) -> Iterator[None]:
    import fcntl

    with lock.open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if cancelled is not None and cancelled.is_set():
                    raise OperatorError("the wait for another build was cancelled") from None
                time.sleep(0.1)
        yield
