"""Commands with a time limit: nothing that they started goes on. Needs no Docker."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ferryman_local import commands
from ferryman_local.engines.docker_client import NoDockerError
from ferryman_local.engines.engine import DOCKER, PROCESS
from ferryman_local.images import docker_builder
from ferryman_local.images.builders import Wanted
from ferryman_local.images.docker_builder import DockerBuilder
from ferryman_local.images.docker_command import Commands
from ferryman_local.images.oci import ImageError
from local.clock import alive, until

STUBBORN = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])  # holds the output open, as a plug-in of `docker` does
with open(sys.argv[1], "w") as file:
    file.write(str(child.pid))
print("begun", file=sys.stderr, flush=True)
time.sleep(600)
"""
"""A program that writes its child's id to a file, and goes on for ever."""


@pytest.fixture
def stubborn(tmp_path: Path) -> tuple[list[str], Callable[[], int]]:
    """The command, and its child's id."""
    told = tmp_path / "child"
    read = lambda: int(until(lambda: told.exists() and told.read_text(), "the child's id"))  # noqa: E731
    return [sys.executable, "-c", STUBBORN, str(told)], read


def test_a_command_that_is_cut_off_leaves_no_child(stubborn: tuple[list[str], Callable[[], int]]) -> None:
    command, child = stubborn
    with pytest.raises(ImageError, match=r"it was not built: `.* -c` took more than 3 s"):
        Commands().run(command, 3.0, "it was not built")
    until(lambda: not alive(child()), "its end")


def test_a_question_that_is_cut_off_leaves_no_child(stubborn: tuple[list[str], Callable[[], int]]) -> None:
    command, child = stubborn
    said: list[str] = []
    with pytest.raises(ImageError, match=r"no base images: .* took more than 3 s"):
        Commands().ask(command, 3.0, "no base images", said.append)
    until(lambda: not alive(child()), "its end")
    assert said == ["begun"]


def test_cancelling_ends_what_other_threads_wait_for(stubborn: tuple[list[str], Callable[[], int]]) -> None:
    (command, child), ours, failed = stubborn, Commands(), []

    def wait() -> None:
        try:
            ours.run(command, 600, "it was not built")
        except ImageError as error:
            failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    pid = child()
    ours.cancel()
    thread.join(20)
    assert len(failed) == 1
    until(lambda: not alive(pid), "its end")  # killed, and gone a moment later
    with pytest.raises(ImageError, match="cancelled"):
        ours.run(["true"], 5, "nothing more begins")


def test_an_exception_of_who_waits_ends_it(stubborn: tuple[list[str], Callable[[], int]]) -> None:
    command, child = stubborn

    def interrupted(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Commands().ask(command, 600, "no base images", interrupted)
    until(lambda: not alive(child()), "its end")


def test_what_fails_tells_the_end_of_what_it_said() -> None:
    with pytest.raises(ImageError, match=r"(?s)not built\. Last lines of .*:\nline 9.*line 20$"):
        Commands().run(["bash", "-c", "for n in {1..20}; do echo line $n; done; exit 3"], 20, "not built")


def script(folder: Path, text: str) -> Path:
    file = folder / "docker"
    file.write_text(f"#!/usr/bin/env bash\n{text}\n")
    file.chmod(0o755)
    return file


def builder(monkeypatch: pytest.MonkeyPatch, folder: Path, says: str, docker: str = "") -> DockerBuilder:
    """One whose base images come from a script, and whose `docker` is another."""
    bases = folder / "bases"
    bases.mkdir()
    monkeypatch.setattr(docker_builder, "SCRIPT", script(bases, says))
    script(folder, docker)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return DockerBuilder(1, folder, lambda _line: None)


@pytest.mark.parametrize(
    ("says", "kind", "message"),
    [
        ("echo no registry >&2; exit 1", ImageError, "no registry"),
        ("echo no Docker >&2; exit 3", NoDockerError, "no Docker"),
        ("sleep 600", ImageError, "took more than 0 s"),
    ],
    ids=["fails", "not-here", "too-long"],
)
def test_no_base_images(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, kind: type[Exception], message: str
) -> None:
    monkeypatch.setattr(docker_builder, "BASES_SECONDS", 20.0 if "sleep" not in says else 0.3)
    with pytest.raises(kind, match=message):
        builder(monkeypatch, tmp_path, says).prepare()


def test_who_waits_for_the_start_waits_longer_than_base_images_may_take() -> None:
    assert docker_builder.BASES_SECONDS + commands.UP_SECONDS[PROCESS] <= commands.UP_SECONDS[DOCKER]


def test_an_image_is_built_as_ci_builds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = f'echo "$BUILDX_NO_DEFAULT_ATTESTATIONS $*" >>{tmp_path}/said'
    bases = "for n in PYTHON NODE; do echo ${n}_IMAGE=ferryman-local/$n; done"
    made, app = builder(monkeypatch, tmp_path, bases, docker), tmp_path / "app"
    app.mkdir()
    (app / "Dockerfile").write_text("FROM scratch")
    made.build(Wanted("api", app, "scr-api", "1a2b3c4"))
    said = (tmp_path / "said").read_text()
    assert said.startswith("1 build --force-rm ")
    assert "--build-arg=PYTHON_IMAGE=ferryman-local/PYTHON --build-arg=NODE_IMAGE=ferryman-local/NODE" in said
    assert "--network=host" in said
    assert "-t localhost:1/scr-api:1a2b3c4" in said
