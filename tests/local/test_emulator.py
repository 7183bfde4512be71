"""Starting and ending the local AWS: nothing is left running, however it ends."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.errors import EmulatorError
from ferryman_local.patches import private_attributes
from ferryman_local.processes import owned_by
from local.clock import until

LAUNCHER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts programs in the background without
from pathlib import Path
from ferryman_local.emulator import Emulator
from ferryman_local.images import oci
from ferryman_local.provisioning import ensure
emulator = Emulator(Path(sys.argv[1])).start()
session = emulator.session()
ensure.repository(session, "sleeper")
(Path(sys.argv[1]) / "app").mkdir()
(Path(sys.argv[1]) / "app" / "main.py").write_text(
    "import subprocess, time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
    "subprocess.Popen(['sleep', '600']); print('up', flush=True); time.sleep(600)")
oci.push_image(emulator.port, "sleeper", "1", Path(sys.argv[1]) / "app", cmd=["python", "main.py"])
ecs = session.client("ecs")
ensure.cluster(session, "c")
definition = ecs.register_task_definition(family="sleeper", containerDefinitions=[
    {"name": "app", "image": emulator.registry + "/sleeper:1", "memory": 64}])["taskDefinition"]["taskDefinitionArn"]
task = ecs.run_task(cluster="c", taskDefinition=definition)["tasks"][0]["taskArn"]
while ecs.describe_tasks(cluster="c", tasks=[task])["tasks"][0]["lastStatus"] != "RUNNING":
    time.sleep(0.02)
print(emulator._owner, flush=True)
END
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    """Start a program that starts an emulator with a stubborn container in it; program and the processes' mark."""
    programs = []

    def run(end: str) -> tuple[subprocess.Popen[str], str]:
        local = Path(private_attributes.__file__).parents[2]
        program = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER.replace("END", textwrap.dedent(end)), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(local)},
        )
        programs.append(program)
        assert program.stdout is not None
        return program, program.stdout.readline().strip()

    yield run
    for program in programs:
        program.kill()
        program.wait()
        if program.stdout:
            program.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_nothing_outlives_the_one_who_started_it(start: object, number: signal.Signals) -> None:
    program, owner = start("time.sleep(600)")  # type: ignore[operator]
    until(lambda: len(owned_by(owner)) >= 3, "emulator, container, and the container's own child")
    program.send_signal(number)
    program.wait(timeout=20)
    until(lambda: not owned_by(owner), "no process left", 10)


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "1 / 0"], ids=["end", "exit", "exception"])
def test_nothing_outlives_a_program_that_forgets_to_stop_it(start: object, end: str) -> None:
    program, owner = start(end)  # type: ignore[operator]
    program.wait(timeout=20)
    assert owned_by(owner) == []


def test_nothing_outlives_a_killed_emulator(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path).start()
    assert emulator.pid is not None
    os.kill(emulator.pid, signal.SIGKILL)
    emulator.stop()
    assert owned_by(emulator._owner) == []


def test_two_side_by_side(tmp_path: Path) -> None:
    with Emulator(tmp_path / "a") as one, Emulator(tmp_path / "b") as other:
        one.session().client("sqs").create_queue(QueueName="only-here")
        assert one.port != other.port
        assert not other.session().client("sqs").list_queues().get("QueueUrls")


def test_a_taken_port_is_told_with_the_log(emulator: Emulator, tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="already in use"):
        Emulator(tmp_path, port=emulator.port).start()


def test_it_listens_on_loopback_only(emulator: Emulator) -> None:
    listening = Path(f"/proc/{emulator.pid}/net/tcp").read_text().splitlines()
    port = f"{emulator.port:04X}"
    mine = {line.split()[1] for line in listening if line.split()[1].endswith(f":{port}") and line.split()[3] == "0A"}
    assert mine == {f"0100007F:{port}"}


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_attributes, "version", lambda _name: "1.6.0")
    with pytest.raises(private_attributes.IncompatibleEmulatorError, match=r"1\.6\.0.*Install ministack==1\.5\.33"):
        private_attributes.check_version()


def test_a_missing_attribute_is_refused() -> None:
    with pytest.raises(private_attributes.IncompatibleEmulatorError, match="_not_there"):
        private_attributes.replace(private_attributes, "_not_there", lambda original: original)


def test_credentials_are_checked(emulator: Emulator) -> None:
    stranger = emulator.session("AKIAIOSFODNN7EXAMPLE", "wrong")
    with pytest.raises(Exception, match=r"InvalidClientTokenId|UnrecognizedClient|not authorized|security token"):
        stranger.client("sqs").list_queues()
