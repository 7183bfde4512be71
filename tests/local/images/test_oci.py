"""Images are built without Docker, the same bytes each time, and the registry takes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.images import oci
from ferryman_local.provisioning import ensure


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


def settings(built: oci.Built) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(built.config("amd64"))["config"]
    return config


def test_the_same_files_give_the_same_bytes(app: Path) -> None:
    one = oci.build(app, "3f9c2ab")
    (app / "main.py").touch()
    assert oci.build(app, "3f9c2ab").manifest("amd64") == one.manifest("amd64")
    assert oci.build(app, "4000000").manifest("amd64") != one.manifest("amd64")


def test_what_image_yaml_says(app: Path) -> None:
    assert settings(oci.build(app, "3f9c2ab", MODE="wild")) == {
        "Cmd": ["python", "main.py"],
        "WorkingDir": "/app",
        "ExposedPorts": {"8000/tcp": {}},
        "Env": ["APP_VERSION=3f9c2ab", "MODE=wild"],
    }


def test_an_overlay_replaces_files(app: Path, tmp_path: Path) -> None:
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "main.py").write_text("raise SystemExit(3)")
    assert oci.build(app, "1", overlay=tmp_path / "overlay").layer != oci.build(app, "1").layer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cmd: [a]", "has no include"),
        ("include: ['*.rs']\ncmd: [a]", "does not match any file"),
    ],
    ids=["no-include", "nothing-matches"],
)
def test_a_bad_image_yaml_is_told(app: Path, text: str, told: str) -> None:
    (app / "image.yaml").write_text(text)
    with pytest.raises(oci.ImageError, match=told):
        oci.build(app, "1")


def test_a_missing_image_yaml_is_told(tmp_path: Path) -> None:
    with pytest.raises(oci.ImageError, match=r"image\.yaml is missing"):
        oci.build(tmp_path, "1")


def test_a_push_has_its_digest_in_ecr(
    emulator: Emulator, aws: Callable[[str], Any], app: Path, repository: str
) -> None:
    digest = oci.push(emulator.port, repository, "3f9c2ab", oci.build(app, "3f9c2ab"))
    assert oci.push(emulator.endpoint, repository, "second", oci.build(app, "3f9c2ab")) == digest
    (found,) = aws("ecr").describe_images(repositoryName=repository)["imageDetails"]
    assert (found["imageDigest"], sorted(found["imageTags"])) == (digest, ["3f9c2ab", "second"])


def test_an_index_is_tagged_and_its_children_are_not(
    emulator: Emulator, aws: Callable[[str], Any], app: Path, repository: str
) -> None:
    index = oci.push_index(emulator.port, repository, "3f9c2ab", oci.build(app, "3f9c2ab"))
    found = {
        d["imageDigest"]: d.get("imageTags", [])
        for d in aws("ecr").describe_images(repositoryName=repository)["imageDetails"]
    }
    assert found.pop(index) == ["3f9c2ab"]
    assert list(found.values()) == [[], []]


def test_an_unknown_repository_is_told(emulator: Emulator, app: Path) -> None:
    with pytest.raises(oci.ImageError, match="rejected the push to nothing-here"):
        oci.push(emulator.port, "nothing-here", "1", oci.build(app, "1"))
