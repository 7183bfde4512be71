"""The Python apps' Dockerfiles: what builds, Terraform and the local AWS rely on. They are built by other tests."""

import re

import pytest

from .dockerfiles import TERRAFORM, instructions
from .images import FOLDERS, PLATFORM, read

PORTS = {"api": 8000, "ai-gateway": 8100}

each_app = pytest.mark.parametrize("component", PORTS)


@each_app
def test_a_new_version_changes_the_last_layer_only(component: str) -> None:
    lines = instructions(component)

    assert lines[-2:] == ["ARG APP_VERSION=dev", "ENV APP_VERSION=$APP_VERSION"]
    assert not [line for line in lines[:-2] if "APP_VERSION" in line]
    # What a release changes comes after all that is installed.
    assert lines[-3].startswith("COPY scr_")
    assert max(number for number, line in enumerate(lines) if line.startswith("RUN")) < lines.index(lines[-3])


@each_app
def test_the_base_is_an_argument(component: str) -> None:
    lines = instructions(component)

    assert lines[0] == "ARG PYTHON_IMAGE=python:3.13-slim-bookworm"
    assert {line.split()[1] for line in lines if line.startswith("FROM")} == {"${PYTHON_IMAGE}"}


@each_app
def test_nobody_runs_as_root(component: str) -> None:
    assert [line for line in instructions(component) if line.startswith("USER")] == ["USER 10001:10001"]


@each_app
def test_dependencies_come_by_hash(component: str) -> None:
    (install,) = [line for line in instructions(component) if " install " in line]
    assert "--require-hashes" in install
    locked = (PLATFORM / FOLDERS[component] / "requirements.txt").read_text(encoding="utf-8")
    assert "--hash=sha256:" in locked
    assert not re.search(r"https?:|^--", locked, re.MULTILINE)


@each_app
def test_docker_and_ecs_ask_for_health_alike(component: str) -> None:
    (check,) = [line for line in instructions(component) if line.startswith("HEALTHCHECK")]
    (python,) = re.findall(r'"(import os, .*)"\]', check)

    assert f'"{python}"' in TERRAFORM.read_text(encoding="utf-8")


@each_app
def test_both_engines_run_the_same(component: str) -> None:
    image, lines = read(PLATFORM / FOLDERS[component] / "image.yaml"), instructions(component)

    words = ", ".join(f'"{word}"' for word in image["cmd"])
    assert f"CMD [{words}]" in lines
    assert f"EXPOSE {PORTS[component]}" in lines
    assert f"WORKDIR {image['workdir']}" in lines
    copied = {line.split()[1] for line in lines if re.match(r"COPY \w", line)}
    assert {pattern.partition("/")[0] for pattern in image["include"]} | {"requirements.txt"} == copied
    context = (PLATFORM / FOLDERS[component] / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in context if line.startswith("!")} == copied
