"""What the example's workflow `images.yml` runs, run here: build-image, push-image, tag-images against a registry.

Docker builds, the `aws` command asks ECR of the local AWS, and the version is that of the commit that is checked out.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.engines import docker_client
from ferryman_local.images import oci
from ferryman_local.images.docker_builder import DockerBuilder
from ferryman_local.local_aws import CHECKOUT, PLATFORM_FILE
from ferryman_local.provisioning import ensure

EXAMPLE = PLATFORM_FILE.parent
COMPONENTS = ("api", "ai-gateway", "web")
NAME = "v1.2.3"
SECONDS = 900.0
MIGRATIONS, UNSAFE = "dev.ferryman.migrations", "dev.ferryman.migrations.not-rollback-safe"

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("images")) as started:
        for component in COMPONENTS:
            ensure.repository(started.session(), f"scr-{component}")
        yield started


@pytest.fixture(scope="module")
def version() -> str:
    """The commit, as the images are named."""
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return said.stdout[:7]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with contextlib.closing(docker_client.connect()) as client:
        yield client


@pytest.fixture(scope="module")
def make(client: Any, emulator: Emulator, version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Run one target of the example's Makefile, as the workflow does; what it made in Docker goes at the end."""
    builder = DockerBuilder(emulator.port, EXAMPLE, print)
    builder.prepare()
    settings = {
        **emulator.env(),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DOCKER_CONFIG": str(tmp_path_factory.mktemp("docker-config")),
        "PYTHON_IMAGE": builder.image("PYTHON_IMAGE"),
        "NODE_IMAGE": builder.image("NODE_IMAGE"),
        "BUILD_NETWORK": "host",
        "IMAGE_PLATFORM": f"linux/{client.version()['Arch']}",
    }

    def run(target: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "-C", str(EXAMPLE), "--no-print-directory", target]
        return subprocess.run(
            command, env=settings | more, capture_output=True, text=True, timeout=SECONDS, check=False
        )  # fmt: skip

    yield run
    for component in COMPONENTS:
        for name in (f"scr-{component}:{version}", f"{emulator.registry}/scr-{component}:{version}"):
            if client.images.list(name):
                client.images.remove(name, noprune=True)


def ecr(emulator: Emulator, component: str, tag: str) -> Any:
    """What ECR has under a tag; None when nothing does."""
    client, name = emulator.session().client("ecr"), f"scr-{component}"
    found = client.describe_images(repositoryName=name)["imageDetails"]
    return next((image for image in found if tag in image.get("imageTags", [])), None)


def test_images_are_built_once_and_named(make: Make, emulator: Emulator, version: str) -> None:
    """The workflow's two jobs in their order, each run again as a person does with a job that failed."""
    early = make("tag-images", GITHUB_REF_NAME=NAME)
    assert early.returncode != 0
    assert f"scr-api:{version}" in early.stderr
    assert "wait until the run for this commit" in early.stderr

    for component in COMPONENTS:
        for target in ("build-image", "push-image"):
            done = make(target, COMPONENT=component)
            assert done.returncode == 0, done.stdout + done.stderr
    again = make("push-image", COMPONENT="api")
    assert (again.returncode, "is already in ECR" in again.stdout) == (0, True), again.stderr

    digests = {component: ecr(emulator, component, version)["imageDigest"] for component in COMPONENTS}
    assert ecr(emulator, "api", NAME) is None
    for what in ("tagged", "already tagged"):
        done = make("tag-images", GITHUB_REF_NAME=NAME)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(f", {what}\n") == len(COMPONENTS)
    assert {component: ecr(emulator, component, NAME)["imageDigest"] for component in COMPONENTS} == digests


def test_the_api_s_image_tells_its_migrations(make: Make, client: Any, version: str) -> None:
    assert make("build-image", COMPONENT="api").returncode == 0
    labels = client.images.get(f"scr-api:{version}").labels
    assert labels[MIGRATIONS] == "0001,0002,0003,0004"
    assert labels[UNSAFE] == "0004"


def test_a_name_that_is_taken_stays(make: Make, emulator: Emulator) -> None:
    other = oci.Built(oci.layer_of({"app/x": Path(__file__)}), ("true",), {}, "/app")
    oci.push(emulator.port, "scr-web", "v9.9.9", other)
    refused = make("tag-images", GITHUB_REF_NAME="v9.9.9")
    assert refused.returncode != 0
    assert "A semver tag never changes" in refused.stderr
    assert ecr(emulator, "api", "v9.9.9") is None


@pytest.mark.parametrize(
    ("target", "more", "said"),
    [
        ("build-image", {"COMPONENT": "worker"}, "set COMPONENT=api, COMPONENT=ai-gateway or COMPONENT=web"),
        ("tag-images", {"GITHUB_REF_NAME": "main"}, "'main' is not a semver tag"),
    ],
)
def test_bad_input_is_one_line(make: Make, target: str, more: dict[str, str], said: str) -> None:
    done = make(target, **more)
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(told) == 1, done.stderr
    assert said in told[0]
