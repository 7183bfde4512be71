"""What the image builder reads is there and complete."""

import re
import subprocess
import sys
from difflib import unified_diff

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
        there = {file for file in folder.rglob("*.py") if "node_modules" not in file.parts}
        assert there <= included


def test_faults_name_components_and_overlays_that_exist() -> None:
    explained = (PLATFORM / "faults" / "README.md").read_text(encoding="utf-8")
    for name, fault in faults().items():
        assert set(fault) == {"component", "overlay", "env"}, name
        assert fault["component"] in FOLDERS
        assert fault["overlay"] is None or (PLATFORM / "faults" / fault["overlay"]).is_dir()
        assert fault["overlay"] or fault["env"], f"{name} changes nothing"
        assert f"`{name}`" in explained


def test_the_one_way_release_is_the_app_and_a_little_more() -> None:
    """Its copies of the app's files must not fall behind them."""
    app = PLATFORM / FOLDERS["api"]
    gone = []
    for copy in (PLATFORM / "faults" / "one-way-migration" / "scr_api").glob("*.py"):
        both = (app / "scr_api" / copy.name, copy)
        original, kept = (file.read_text(encoding="utf-8").splitlines() for file in both)
        gone += [line.strip() for line in unified_diff(original, kept, n=0) if re.match("-(?!--)", line)]
    assert [line[1:].split("(")[0].strip() for line in gone] == ["project = Project"]


def test_no_fault_is_known_to_an_app() -> None:
    words = re.compile("|".join(faults()) + "|fault", re.IGNORECASE)
    for folder in FOLDERS.values():
        for file in (PLATFORM / folder).rglob("*.py"):
            if "node_modules" in file.parts:
                continue
            assert not words.search(file.read_text(encoding="utf-8").replace("default", "")), file


def test_the_label_of_the_api_names_its_migrations() -> None:
    folder = PLATFORM / FOLDERS["api"]
    script = [sys.executable, str(PLATFORM / "ci" / "migration_labels.py"), str(folder)]
    printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [f"{name}={value}" for name, value in read(folder / "image.yaml")["labels"].items()] == printed
