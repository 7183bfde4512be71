"""What goes into an image: the tree with a fault over it, and the labels that tell its migrations. Needs no Docker."""

import threading
from pathlib import Path

import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.engines.engine import DOCKER
from ferryman_local.images import builders
from ferryman_local.images.builders import ProcessBuilder
from ferryman_local.images.oci import ImageError
from ferryman_local.local_aws import PLATFORM_FILE, LocalAws
from ferryman_local.provisioning.backing import Asked, ProcessBacking
from ferryman_local.provisioning.docker_backing import DockerBacking

PLATFORM = PLATFORM_FILE.parent
LIST, UNSAFE = "dev.ferryman.migrations", "dev.ferryman.migrations.not-rollback-safe"
URLS = {name: f"http://127.0.0.1:4566/_ferryman/at/scr-staging/{name}.example" for name in ("api", "ai-gateway", "web")}


def test_labels_tell_the_migrations_of_the_tree_that_is_built() -> None:
    plain = builders.labels(PLATFORM, PLATFORM / "apps" / "api")
    assert plain[LIST].split(",")[:3] == ["0001", "0002", "0003"]
    one_way = builders.labels(PLATFORM, PLATFORM / "apps" / "api", PLATFORM / "faults" / "one-way-migration")
    assert one_way[LIST] == f"{plain[LIST]},0005"
    assert "0005" in one_way[UNSAFE].split(",")
    assert builders.labels(PLATFORM, PLATFORM / "apps" / "web") == {}


def test_a_tree_that_the_script_cannot_read_is_no_image(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    broken = overlay / "migrations" / "versions" / "0004_project_status.py"
    broken.parent.mkdir(parents=True)
    broken.write_text("this is no Python")
    with pytest.raises(ImageError, match=r"migration_labels\.py failed"):
        builders.labels(PLATFORM, PLATFORM / "apps" / "api", overlay)


def test_an_overlay_lies_over_a_copy(tmp_path: Path) -> None:
    app, overlay = tmp_path / "app", tmp_path / "overlay"
    for file, text in ((app / "site.json", "good"), (app / "kept.txt", "kept"), (overlay / "site.json", "bad")):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (app / "node_modules").mkdir()
    with builders.tree(app, overlay) as folder:
        assert {path.name: path.read_text() for path in folder.iterdir()} == {"site.json": "bad", "kept.txt": "kept"}
    assert not folder.exists()
    assert (app / "site.json").read_text() == "good"


def test_ctrl_c_ends_builds_that_other_threads_wait_for(tmp_path: Path) -> None:
    cancelled, ended = threading.Event(), []
    begun = threading.Barrier(3)  # a build that has not begun never does

    class Slow(ProcessBuilder):
        def build(self, wanted: builders.Wanted) -> None:
            begun.wait(10)
            if wanted.component == "api":
                raise KeyboardInterrupt
            ended.append(cancelled.wait(10))

        def cancel(self) -> None:
            cancelled.set()

    aws = LocalAws(tmp_path)
    aws.builder = Slow(aws.emulator.port, PLATFORM)
    try:
        with pytest.raises(KeyboardInterrupt):
            aws.build("1a2b3c4")
    finally:
        aws.stop()
    assert ended == [True, True]


def test_a_process_is_told_addresses_of_this_machine(tmp_path: Path) -> None:
    told = ProcessBacking(tmp_path).variables(Asked("api", "staging", "scr-staging", 8000, URLS))
    assert told == {
        "PORT": "8000",
        "DATABASE_URL": f"sqlite:///{tmp_path}/scr-staging.db",
        "AI_GATEWAY_URL": URLS["ai-gateway"],
    }


def test_a_container_is_told_names_that_it_can_resolve(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, port=4566, engine=DOCKER)
    backing = DockerBacking(emulator, ["scr-staging", "scr-production"], lambda name: name)
    api = backing.variables(Asked("api", "production", "scr-production", 8000, URLS))
    assert (api["DATABASE_HOST"], api["DATABASE_NAME"], api["REDIS_URL"]) == (
        "postgres",
        "scr_production",
        "redis://redis:6379/1",
    )
    assert api["AI_GATEWAY_URL"] == "http://host.docker.internal:4566/_ferryman/at/scr-staging/ai-gateway.example"
    web = backing.variables(Asked("web", "staging", "scr-staging", 3000, URLS))
    assert web["API_URL"].startswith("http://host.docker.internal:4566/")
    assert web["PUBLIC_API_URL"] == URLS["api"], "a browser is on this machine"
    assert not any("DATABASE" in name for name in web)
