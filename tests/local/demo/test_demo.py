"""`make demo` and `ferryman local`: what must hold whatever becomes of a run. The story itself is checked by itself."""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import yaml

from ferryman.platform import parse
from ferryman_local import instance
from ferryman_local.demo.checks import Check, Checks
from ferryman_local.demo.outcome import Result
from ferryman_local.demo.screen import Screen, told
from ferryman_local.instance import Instance, birth
from ferryman_local.local_aws import PLATFORM_FILE, LocalAws
from local.clock import until


def left_of(mark: str, pid: int) -> list[str]:
    """Command lines of processes that a demo with this mark in its environment, or with this id, has started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment, folder = (entry / "environ").read_bytes(), str((entry / "cwd").readlink())
            zombie = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if not zombie and (mark.encode() in environment or f"-{pid}/" in folder or f"-{pid}/".encode() in environment):
            found.append(command)
    return found


def handles(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(caught and int(caught[1], 16) & 1 << (number - 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "number"),
    [
        pytest.param(0.1, signal.SIGINT, id="while-importing"),
        pytest.param(2.5, signal.SIGINT, id="while-starting"),
        pytest.param(9.0, signal.SIGINT, id="a-little-later"),
        pytest.param(6.0, signal.SIGTERM, id="terminated"),
    ],
)
def test_an_interrupted_demo_leaves_no_process_behind(seconds: float, number: int) -> None:
    mark = uuid.uuid4().hex
    demo = subprocess.Popen(
        [sys.executable, "-m", "ferryman_local.demo"],
        env={**os.environ, "FERRYMAN_TEST_MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    if seconds >= 1:
        until(lambda: handles(demo.pid, signal.SIGTERM), "it handles signals")
    time.sleep(seconds)
    assert left_of(mark, demo.pid), "it ran"
    os.killpg(demo.pid, number)  # as a terminal does: to the whole group
    try:
        said, _ = demo.communicate(timeout=60)
    finally:
        demo.kill()
    until(lambda: not left_of(mark, demo.pid), f"nothing is left\n{said}")  # killed, and gone a moment later
    # At the very start Python itself is interrupted, and dies of the signal.
    assert demo.returncode in {130 if number == signal.SIGINT else 143, *([-number] if seconds < 1 else [])}, said


SWALLOWED = """
import os, signal, time
from ferryman_local import interruption
interruption.AGAIN_SECONDS = 0.3
told = interruption.Interruption()
class Client:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
try:
    client = Client()
    del client
    print("went on", flush=True)
    time.sleep(30)
except KeyboardInterrupt:
    told.obeyed()
    time.sleep(0.7)
    print("ended", flush=True)
"""


def test_a_signal_that_a_finalizer_swallows_comes_again() -> None:
    done = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.split("\n")[:2] == ["went on", "ended"]
    assert "Exception ignored in" in done.stderr


def test_a_process_is_known_by_more_than_its_id() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        written = Instance(process.pid, birth(process.pid) or "", "a test", "home", "platform.yaml")
        assert written.lives()
        assert not Instance(process.pid, "another boot:1", "a test", "home", "platform.yaml").lives()
    assert not written.lives()


def test_one_forgets_only_what_one_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "FOLDER", tmp_path)
    monkeypatch.setattr(instance, "FILE", tmp_path / "aws.json")
    assert instance.find() is None
    ours = Instance(os.getpid(), birth(os.getpid()) or "", "a test", "home", "platform.yaml")
    ours.write()
    assert instance.find() == ours
    Instance(1, "another", "a test", "home", "platform.yaml").forget()
    assert instance.find() == ours
    ours.forget()
    assert instance.find() is None
    instance.FILE.write_text('{"of": "another version"}')
    assert instance.find() is None


def test_a_shell_gets_only_what_it_needs() -> None:
    found = instance.exports({"AWS_REGION": "eu-west-1", "FERRYMAN_API_URL": "https://x/?a=b c", "HOME": "/home/jo"})
    assert instance.shell_lines(found)[1:] == [
        "export AWS_REGION=eu-west-1",
        "export FERRYMAN_API_URL='https://x/?a=b c'",
    ]


def test_a_scene_without_a_check_or_with_a_failed_one_is_no_success() -> None:
    checks = Checks(Screen())
    result = Result("A scene")
    assert result.word == "not run"
    result.run, result.checks = True, checks.made
    assert (result.word, checks.ok) == ("FAILED", False)
    checks.equal("API", "two and two", 4, 4)
    assert (result.word, checks.ok) == ("ok", True)
    result.error = "TimeoutError"
    assert result.word == "FAILED"
    result.error = ""
    checks.eventually("API", "never", lambda: 1, 2, seconds=0)
    assert (result.word, checks.ok, checks.summary) == ("FAILED", False, "API 2")
    assert checks.made[-1] == Check("API", "never", ok=False, found="still 1 after 0 s, expected 2")


def test_progress_is_told_in_words() -> None:
    step = {"desired": None, "running": None, "failed": None, "exitCode": None, "checks": [], "reason": ""}
    view = {
        "platform": "scr",
        "environment": "staging",
        "version": "3f9c2ab",
        "phase": "Running",
        "ended": False,
        "steps": [
            {**step, "key": "begin", "kind": "begin", "service": None, "status": "Succeeded"},
            {**step, "key": "r", "kind": "rollout", "service": "web", "status": "Running", "running": 1, "desired": 2},
            {**step, "key": "s", "kind": "smokeTest", "service": None, "status": "Pending"},
        ],
    }
    assert told(view) == [
        ("scr/staging", "Running", "3f9c2ab"),
        ("plan", "ready", ""),
        ("web", "rolling out", "1/2 running"),
    ]
    assert told({**view, "phase": "Succeeded", "ended": True})[-1] == ("scr/staging", "Succeeded", "3f9c2ab")


def test_each_of_several_migrations_is_told_by_its_name() -> None:
    step = {"desired": None, "running": None, "failed": None, "exitCode": None, "checks": [], "reason": ""}
    step |= {"kind": "migration", "service": None, "status": "Succeeded"}
    steps = [{**step, "key": f"migration/{name}", "migration": name} for name in ("orders", "stock")]
    view = {"platform": "scr", "environment": "staging", "version": "x", "phase": "Pending", "ended": False}
    assert [line[:2] for line in told({**view, "steps": steps})] == [
        ("migration orders", "migrated"), ("migration stock", "migrated")
    ]  # fmt: skip


def test_progress_of_production_is_told_in_words_too() -> None:
    step = {"desired": None, "running": None, "failed": None, "exitCode": None, "checks": [], "reason": ""}
    steps = [
        {**step, "key": "approval", "kind": "approval", "service": None, "status": "Running"},
        {**step, "key": "promotion", "kind": "promotion", "service": None, "status": "Running"},
    ]
    place = {"platform": "scr", "environment": "production", "version": "3f9c2ab"}
    assert told({**place, "phase": "AwaitingApproval", "ended": False, "steps": steps}) == [("approval", "waiting", "")]
    steps = [{**item, "status": "Succeeded"} for item in steps]
    assert told({**place, "phase": "Running", "ended": False, "steps": steps})[1:] == [
        ("approval", "approved", ""),
        ("images", "re-tagged", ""),
    ]


def test_the_demos_document_is_the_example_with_the_stand_in_for_github(tmp_path: Path) -> None:
    aws = LocalAws(tmp_path, github=True)
    try:
        assert (
            yaml.safe_load(PLATFORM_FILE.read_text())["spec"] | {"github": aws.document["spec"]["github"]}
            == (aws.document["spec"])
        )
        document = parse(aws.document)
        assert document.spec.github is not None
        assert document.spec.github.api_url == aws.github.url
        assert aws.platform_file.parent == tmp_path
        assert aws.source == PLATFORM_FILE
    finally:
        aws.stop()
