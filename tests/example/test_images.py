"""What the image builder reads is there and complete."""

import re

import pytest

from .images import FOLDERS, PLATFORM, faults, read


@pytest.mark.parametrize(("component", "port"), [("api", 8000), ("ai-gateway", 8100), ("web", 3000)])
def test_image_file(component: str, port: int) -> None:
    folder = PLATFORM / FOLDERS[component]
    image = read(folder / "image.yaml")

    assert set(image) - {"labels"} == {"cmd", "workdir", "port", "env", "include"}
    assert (image["workdir"], image["port"]) == ("/app", port)
    for pattern in image["include"]:
        assert list(folder.glob(pattern)), f"{pattern} matches nothing"


def test_every_module_of_an_app_is_in_its_image() -> None:
    for folder in (PLATFORM / path for path in FOLDERS.values()):
        included = {file for pattern in read(folder / "image.yaml")["include"] for file in folder.glob(pattern)}
        assert set(folder.rglob("*.py")) <= included


def test_faults_name_components_and_overlays_that_exist() -> None:
    explained = (PLATFORM / "faults" / "README.md").read_text(encoding="utf-8")
    for name, fault in faults().items():
        assert set(fault) == {"component", "overlay", "env"}, name
        assert fault["component"] in FOLDERS
        assert fault["overlay"] is None or (PLATFORM / "faults" / fault["overlay"]).is_dir()
        assert fault["overlay"] or fault["env"], f"{name} changes nothing"
        assert f"`{name}`" in explained


def test_no_fault_is_known_to_an_app() -> None:
    words = re.compile("|".join(faults()) + "|fault", re.IGNORECASE)
    for folder in FOLDERS.values():
        for file in (PLATFORM / folder).rglob("*.py"):
            assert not words.search(file.read_text(encoding="utf-8").replace("default", "")), file


def test_the_label_of_the_api_names_its_migrations() -> None:
    folder = PLATFORM / FOLDERS["api"]
    files = sorted((folder / "migrations" / "versions").glob("*.py"))
    revisions = [file.name.partition("_")[0] for file in files]
    assert read(folder / "image.yaml")["labels"]["dev.ferryman.migrations"] == ",".join(revisions)
