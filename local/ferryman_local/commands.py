"""The implementation of `ferryman local up|push|down|status|env`. Only `ferryman_cli.local` calls it."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import yaml  # type: ignore[import-untyped, unused-ignore]

from ferryman.platform import parse
from ferryman.platform.tag_report import report
from ferryman_cli.exits import Exit, Stop
from ferryman_local import instance, supervisor
from ferryman_local.engines.engine import DOCKER, PROCESS, EngineName
from ferryman_local.errors import EmulatorError
from ferryman_local.images.oci import ImageError
from ferryman_local.instance import Instance
from ferryman_local.local_aws import LocalAws
from ferryman_local.provisioning.infrastructure import InfrastructureError

UP_SECONDS = {PROCESS: 300.0, DOCKER: 1200.0}
"""Docker may have to pull or build base images first."""
DOWN_SECONDS = 45.0
NOT_UP = "no local AWS is running; start one with `ferryman local up`"


def up(*, platform: str, port: int = 0, engine: EngineName = PROCESS) -> None:
    """Start the local AWS unless it is running, apply the platform, and print how to reach it."""
    file = Path(platform).resolve()
    if not file.is_file():
        raise Stop(Exit.BAD_INPUT, f"{platform}: no such file; pass the platform document with --filename")
    if missing := lacks(engine):
        raise Stop(Exit.BAD_INPUT, missing)
    _validate(file)
    instance.FOLDER.mkdir(exist_ok=True)
    with _alone():
        standing = instance.find()
        if standing is None:
            if (killed := instance.last()) is not None and (problem := killed.remove_left()):
                print(f"previous local AWS: {problem}")  # its record is about to be overwritten
            standing = _start(file, port, engine)
        elif not standing.ready:
            raise Stop(
                Exit.REFUSED,
                f"`{standing.by}` (process {standing.pid}) is starting a local AWS; wait until it is ready",
            )
        elif Path(standing.platform_file) != file:
            raise Stop(
                Exit.REFUSED,
                f"a local AWS for {standing.platform_file} is running (process {standing.pid}); stop it with "
                "`ferryman local down` first",
            )
        elif standing.engine != engine:
            raise Stop(
                Exit.REFUSED,
                f"a local AWS with the engine `{standing.engine}` is running (process {standing.pid}); stop it with "
                "`ferryman local down` first",
            )
        else:
            print(f"already running, started by `{standing.by}` (process {standing.pid})")
    _apply(standing)
    _tell(standing)


def push(*, version: str, components: list[str], fault: str | None = None) -> None:
    """Build images of the example and push them."""
    standing = _standing()
    aws = LocalAws(
        Path(standing.home),
        platform_file=Path(standing.platform_file),
        port=standing.port,
        engine=standing.engine,
        report=lambda line: print(f"{line}\n", end="", flush=True),  # in one piece, because builds run in parallel
    )
    known = list(aws.document["spec"]["components"])
    if unknown := [name for name in components if name not in known]:
        raise Stop(Exit.BAD_INPUT, f"unknown component {', '.join(unknown)}; known components: {', '.join(known)}")
    if fault is not None:
        _check_fault(aws, fault, components or known)
    try:
        aws.build(version, components or known, fault=fault)
        for component in components or known:
            digest = aws.push(version, [component], fault=fault)[component]
            repository = aws.document["spec"]["components"][component]["repository"]
            print(f"pushed {repository}:{version}  {digest[:19]}")
    except (InfrastructureError, EmulatorError, ImageError) as error:
        raise Stop(Exit.FAILED, str(error)) from None
    found = report(version, parse(aws.document))
    if found.kind != "Release":
        print(f"under {standing.platform_file}, {found.message}. {found.next_step}".strip())
        return
    for environment, spec in aws.document["spec"]["environments"].items():
        if "push" not in spec.get("triggers", ()):
            continue
        print(f"follow the deployment with `ferryman watch {environment} --release {found.version}`")


def status() -> None:
    """Print whether the local AWS is running and how to reach it; exit with 1 if it is not."""
    standing = instance.find()
    if standing is None:
        raise Stop(Exit.FAILED, NOT_UP)
    if not standing.ready:
        print(f"starting, by `{standing.by}` (process {standing.pid}); log: {supervisor.LOG}")
        return
    _tell(standing)


def env(*, role: str | None = None) -> None:
    """Print the environment variables for the local AWS, for `eval`; with a role, those of a user who has just it."""
    standing = _standing()
    if role is not None and role not in standing.people:
        raise Stop(Exit.BAD_INPUT, f"no local user has the role {role!r}; there are {', '.join(standing.people)}")
    print("\n".join(instance.shell_lines(standing.exports | (standing.people[role] if role else {}))))


def down() -> None:
    """Stop what was started; it is not an error if nothing is running."""
    with _alone():
        standing, known = instance.find(), instance.last()
        if standing is not None:
            print(f"stopping the local AWS of `{standing.by}` (process {standing.pid})")
            _end(standing)
        # A killed supervisor normally leaves nothing behind; if it does, the owner mark finds it.
        if known is not None:
            if problem := known.remove_left():
                raise Stop(Exit.FAILED, f"{problem}; then run `ferryman local down` again")
            known.forget()
    print("stopped" if standing is not None else "no local AWS was running")


def _standing() -> Instance:
    standing = instance.find()
    if standing is None or not standing.ready:
        raise Stop(
            Exit.UNREACHABLE, NOT_UP if standing is None else "the local AWS is still starting; wait until it is ready"
        )
    return standing


def lacks(engine: str) -> str:
    """A message about what this machine lacks for an engine; empty if it lacks nothing."""
    if engine != DOCKER:
        return ""
    from ferryman_local.engines import docker_client

    try:
        docker_client.need_command()
        docker_client.connect().close()
    except docker_client.NoDockerError as error:
        return str(error)
    return ""


def _start(file: Path, port: int, engine: EngineName) -> Instance:
    """Start the supervisor, print its log, and return when it is ready; Ctrl-C stops it."""
    with supervisor.LOG.open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                supervisor.__name__,
                "--platform-file",
                str(file),
                "--port",
                str(port),
                "--engine",
                engine,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _await_ready(process, UP_SECONDS[engine])
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(DOWN_SECONDS)
        raise


def _await_ready(process: subprocess.Popen[bytes], seconds: float) -> Instance:
    deadline = time.monotonic() + seconds
    with supervisor.LOG.open() as log:
        while time.monotonic() < deadline:
            for line in log:
                if "CREATE_COMPLETE" not in line:
                    print(line.rstrip(), flush=True)
            if process.poll() is not None:
                raise Stop(Exit.FAILED, f"the local AWS did not start; see the log {supervisor.LOG}")
            standing = instance.find()
            if standing is not None and standing.ready:
                return standing
            time.sleep(0.2)
    raise Stop(Exit.FAILED, f"the local AWS was not ready after {seconds:.0f} s; see the log {supervisor.LOG}")


def _end(standing: Instance) -> None:
    for number, patience in ((signal.SIGTERM, DOWN_SECONDS), (signal.SIGKILL, 10.0)):
        if not standing.lives():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(standing.pid, number)
        deadline = time.monotonic() + patience
        while standing.lives() and time.monotonic() < deadline:
            time.sleep(0.1)
    if standing.lives():
        raise Stop(Exit.FAILED, f"process {standing.pid} could not be stopped; stop it by hand")


def _validate(file: Path) -> None:
    """Say what is wrong with a document before a minute is spent on its AWS."""
    asked = [sys.executable, "-m", "ferryman_cli", "validate", "-f", str(file)]
    done = subprocess.run(asked, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise Stop(Exit(done.returncode), "nothing was started")


def _apply(standing: Instance) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ferryman_cli", "apply", "-f", standing.platform_file],
        env={**os.environ, **standing.exports},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise Stop(Exit(done.returncode), "the local AWS is running, but the platform was not applied")


def _tell(standing: Instance) -> None:
    print(
        f"\nThe local AWS is running on http://127.0.0.1:{standing.port} (process {standing.pid}, `{standing.by}`, "
        f"engine {standing.engine})."
    )
    for environment, urls in standing.services.items():
        for component, url in urls.items():
            print(f"  {environment} {component:12} {url}/")
    print(f"  inbox                http://127.0.0.1:{standing.port}/_ministack/ses/messages")
    print(f"  logs                 {standing.home}")
    print("\n" + what_to_try(Path(standing.platform_file)))


def what_to_try(platform_file: Path) -> str:
    """Commands to try with a running local AWS, with the names of its platform document."""
    environments = yaml.safe_load(platform_file.read_text())["spec"]["environments"]
    first = next((name for name, spec in environments.items() if "push" in spec.get("triggers", ())), None)
    last = next((name for name, spec in environments.items() if spec.get("approval")), None)
    faults = platform_file.parent / "faults" / "faults.yaml"
    fault = next(reversed(yaml.safe_load(faults.read_text())["faults"]), None) if faults.exists() else None
    tried = ["ferryman local push 4a1b2c3" + (f" && ferryman watch {first} --release 4a1b2c3" if first else "")]
    if first and fault:
        tried.append(f"ferryman local push 5d6e7f8 --fault {fault} && ferryman watch {first} --release 5d6e7f8")
    any_one = first or next(iter(environments))
    tried.append(f"ferryman status; ferryman history {any_one}; ferryman explain {any_one}")
    if last:
        tried.append(
            f"ferryman deploy {last} --release 4a1b2c3 --confirm DEPLOY   # then open the link in the inbox and approve"
        )
    tried.append(
        f'ferryman auth whoami; eval "$(ferryman local env --as viewer)"; ferryman auth can-i deploy {any_one}'
    )
    lines = "\n".join(f"  {line}" for line in tried)
    return f"""To use it from this shell:
  eval "$(ferryman local env)"
Try next:
{lines}
To stop it:
  ferryman local down"""


def _check_fault(aws: LocalAws, fault: str, components: list[str]) -> None:
    faults = aws.faults() if (aws.examples / "faults" / "faults.yaml").exists() else {}
    if fault not in faults:
        raise Stop(Exit.BAD_INPUT, f"unknown fault {fault!r}; known faults: {', '.join(faults) or 'none'}")
    if faults[fault]["component"] not in components:
        raise Stop(
            Exit.BAD_INPUT, f"fault {fault} belongs to component {faults[fault]['component']}, which is not pushed"
        )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Prevent two of these commands from starting and stopping at the same time."""
    instance.FOLDER.mkdir(exist_ok=True)
    with (instance.FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(
                Exit.REFUSED, "another `ferryman local up` or `down` is running; wait until it is done"
            ) from None
        yield
