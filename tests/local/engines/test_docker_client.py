"""What is removed from Docker, and what is told when it can't be, against a Docker that a test makes up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker.errors
import pytest
import requests

from ferryman_cli.exits import Exit, Stop
from ferryman_local import commands, instance
from ferryman_local.emulator import Emulator
from ferryman_local.engines import docker_client, engine
from ferryman_local.engines.engine import DOCKER
from ferryman_local.errors import EmulatorError
from ferryman_local.instance import Instance

OWNER = "0123abcd"


class FakeDocker:
    """docker-py's low-level client. What it removes is listed for some looks more, as Docker's own is."""

    def __init__(self, looks: int = 0, error: Exception | None = None) -> None:
        self.api, self.looks, self.error = self, looks, error
        self.kept = {"container": ["c1", "c2"], "network": ["n1"]}
        self.going: dict[str, int] = {}
        self.names, self.closed = ["localhost:4566/scr-api:1", "python:3.13"], False

    def _listed(self, kind: str) -> list[str]:
        for name in [n for n in self.kept[kind] if n in self.going]:
            self.going[name] -= 1
            if self.going[name] < 0:
                self.kept[kind].remove(name)
        return list(self.kept[kind])

    def containers(self, **_asked: Any) -> list[dict[str, Any]]:
        return [{"Id": name, "Names": [f"/{name}"]} for name in self._listed("container")]

    def networks(self, **_asked: Any) -> list[dict[str, Any]]:
        return [{"Id": name, "Name": name} for name in self._listed("network")]

    def images(self) -> list[dict[str, Any]]:
        return [{"RepoTags": self.names, "RepoDigests": None}]

    def remove_container(self, name: str, **_how: Any) -> None:
        if name in self.going:
            raise docker.errors.APIError("removal is already in progress")
        self.going[name] = self.looks
        if self.error:
            raise self.error

    def remove_network(self, name: str) -> None:
        if self.kept["container"]:
            raise docker.errors.APIError("network has active endpoints")
        self.going.setdefault(name, self.looks)

    def remove_image(self, name: str, **_how: Any) -> None:
        self.names.remove(name)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_client, "LOOK_EVERY", 0.0)


def test_what_is_only_still_being_removed_is_waited_for() -> None:
    client = FakeDocker(looks=9)
    assert docker_client.remove_all(client, OWNER, "localhost:4566") == []
    assert client.names == ["python:3.13"]


def test_what_stays_is_told_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_client, "REMOVE_SECONDS", 0.05)
    left = docker_client.remove_all(FakeDocker(looks=1_000_000), OWNER)
    assert left == ["container c1", "container c2", "network n1"]


def test_a_call_that_takes_too_long_does_not_end_the_cleaning_up() -> None:
    client = FakeDocker(error=requests.exceptions.ReadTimeout("read timed out"))
    assert docker_client.remove_all(client, OWNER) == []


def refuse(_address: str | None = None) -> Any:
    raise docker_client.NoDockerError("no engine answers")


def breaks(_address: str | None = None) -> Any:
    client = FakeDocker()

    def no_answer(**_asked: Any) -> Any:
        raise requests.exceptions.ConnectionError("connection refused")

    client.containers = no_answer  # type: ignore[method-assign]
    return client


@pytest.mark.parametrize("connect", [refuse, breaks], ids=["not-there", "breaks"])
def test_without_docker_nobody_knows_what_is_left(
    monkeypatch: pytest.MonkeyPatch, connect: Callable[[str | None], Any]
) -> None:
    monkeypatch.setattr(docker_client, "connect", connect)
    (said,) = engine.remove_containers(OWNER)
    assert f"FERRYMAN_LOCAL_OWNER={OWNER}" in said
    assert "no engine responds" in said


def test_down_without_docker_fails_and_keeps_the_mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(instance, "FOLDER", tmp_path)
    monkeypatch.setattr(instance, "FILE", tmp_path / "aws.json")
    Instance(1, "long ago", "a test", "home", "file", True, 4566, OWNER, DOCKER).write()
    monkeypatch.setattr(docker_client, "connect", refuse)
    with pytest.raises(Stop) as stopped:
        commands.down()
    assert stopped.value.code == Exit.FAILED
    assert OWNER in str(stopped.value)
    assert instance.last() is not None

    client = FakeDocker()
    monkeypatch.setattr(docker_client, "connect", lambda: client)
    commands.down()
    assert client.kept == {"container": [], "network": []}
    assert client.closed
    assert instance.last() is None


def test_containers_are_removed_also_when_processes_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    emulator, asked = Emulator(tmp_path, engine=DOCKER), []

    def remove(owner: str, registry: str) -> list[str]:
        asked.append((owner, registry))
        return ["container c1"] if len(asked) == 1 else []

    monkeypatch.setattr(engine, "end_all", lambda _owner: [4711] if not asked else [])
    monkeypatch.setattr(engine, "remove_containers", remove)
    emulator.stop()
    assert asked == [], "it was never started"
    emulator._leaves = True
    with pytest.raises(EmulatorError, match=r"4711.*container c1"):
        emulator.stop()
    emulator.stop()
    emulator.stop()
    assert asked == [(emulator.owner, emulator.registry)] * 2, "tried again until nothing is left, and no more"


def test_the_docker_engine_needs_the_command_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_client, "connect", FakeDocker)
    monkeypatch.setattr(docker_client.shutil, "which", lambda _name: None)
    said = commands.lacks(DOCKER)
    assert "the `docker` command is not on the PATH" in said
    monkeypatch.setattr(docker_client.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert commands.lacks(DOCKER) == ""
