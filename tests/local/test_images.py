"""Images are built without Docker, the same bytes each time, and the registry takes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ferryman_local import ensure, images
from ferryman_local.emulator import Emulator


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("print('hello')")
    (tmp_path / "app" / "secret.txt").write_text("not included")
    (tmp_path / "app" / "image.yaml").write_text(
        "cmd: [python, main.py]\nworkdir: /app\nport: 8000\nenv: {APP_VERSION: '{version}', MODE: calm}\n"
        "include: ['*.py']\n"
    )
    return tmp_path / "app"


@pytest.fixture
def repository(emulator: Emulator) -> str:
    name = f"repo-{uuid4().hex[:8]}"
    ensure.repository(emulator.session(), name)
    return name


def settings(built: images.Built) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(built.config("amd64"))["config"]
    return config


def test_the_same_files_give_the_same_bytes(app: Path) -> None:
    one = images.build(app, "3f9c2ab")
    (app / "main.py").touch()
    assert images.build(app, "3f9c2ab").manifest("amd64") == one.manifest("amd64")
    assert images.build(app, "4000000").manifest("amd64") != one.manifest("amd64")


def test_what_image_yaml_says(app: Path) -> None:
    assert settings(images.build(app, "3f9c2ab", MODE="wild")) == {
        "Cmd": ["python", "main.py"],
        "WorkingDir": "/app",
        "ExposedPorts": {"8000/tcp": {}},
        "Env": ["APP_VERSION=3f9c2ab", "MODE=wild"],
    }


def test_an_overlay_replaces_files(app: Path, tmp_path: Path) -> None:
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "main.py").write_text("raise SystemExit(3)")
    assert images.build(app, "1", overlay=tmp_path / "overlay").layer != images.build(app, "1").layer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cmd: [a]", "lacks include"),
        ("include: ['*.rs']\ncmd: [a]", "matches no file"),
    ],
    ids=["no-include", "nothing-matches"],
)
def test_a_bad_image_yaml_is_told(app: Path, text: str, told: str) -> None:
    (app / "image.yaml").write_text(text)
    with pytest.raises(images.ImageError, match=told):
        images.build(app, "1")


def test_a_missing_image_yaml_is_told(tmp_path: Path) -> None:
    with pytest.raises(images.ImageError, match=r"image\.yaml is missing"):
        images.build(tmp_path, "1")


def test_a_push_has_its_digest_in_ecr(
    emulator: Emulator, aws: Callable[[str], Any], app: Path, repository: str
) -> None:
    digest = images.push(emulator.port, repository, "3f9c2ab", images.build(app, "3f9c2ab"))
    assert images.push(emulator.endpoint, repository, "second", images.build(app, "3f9c2ab")) == digest
    (found,) = aws("ecr").describe_images(repositoryName=repository)["imageDetails"]
    assert (found["imageDigest"], sorted(found["imageTags"])) == (digest, ["3f9c2ab", "second"])


def test_an_index_is_tagged_and_its_children_are_not(
    emulator: Emulator, aws: Callable[[str], Any], app: Path, repository: str
) -> None:
    index = images.push_index(emulator.port, repository, "3f9c2ab", images.build(app, "3f9c2ab"))
    found = {
        d["imageDigest"]: d.get("imageTags", [])
        for d in aws("ecr").describe_images(repositoryName=repository)["imageDetails"]
    }
    assert found.pop(index) == ["3f9c2ab"]
    assert list(found.values()) == [[], []]


def test_an_unknown_repository_is_told(emulator: Emulator, app: Path) -> None:
    with pytest.raises(images.ImageError, match="refused the push to nothing-here"):
        images.push(emulator.port, "nothing-here", "1", images.build(app, "1"))
