"""The images as processes: they start, answer, stop, and fail as ECS would see it."""

import json
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from .images import Image

BuildImage = Callable[..., Image]
START_LIMIT_SECONDS = 20
STOP_LIMIT_SECONDS = 5.0
"""A second on a quiet machine; what must not happen is waiting for a client, which would take until ECS kills it."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def get(url: str, process: subprocess.Popen[str]) -> tuple[int, str]:
    """Status and body, once the process listens."""
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while True:
        try:
            with urlopen(url, timeout=START_LIMIT_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "never listened"
            time.sleep(0.02)


def open_file(database_url: str) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), autocommit=True))


def dump(database_url: str) -> list[str]:
    with open_file(database_url) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize(("component", "path"), [("api", "/health"), ("ai-gateway", "/health"), ("web", "/")])
def test_a_container_starts_answers_and_stops(
    component: str, path: str, build_image: BuildImage, container_env: dict[str, str], database_url: str
) -> None:
    port = free_port()
    env = container_env | {"PORT": str(port), "BIND_ADDRESS": "127.0.0.1", "DATABASE_URL": database_url}

    with build_image(component).started(env) as process:
        status, body = get(f"http://127.0.0.1:{port}{path}", process)
        # A client that keeps its connection open must not hold up the stop. It was answered, so the server knows of it.
        with closing(HTTPConnection("127.0.0.1", port, timeout=START_LIMIT_SECONDS)) as client:
            client.request("GET", path)
            client.getresponse().read()
            asked = time.monotonic()
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=10)
            took = time.monotonic() - asked

    assert (status, "3f9c2ab" in body) == (200, True)
    assert process.returncode == 0
    assert took <= STOP_LIMIT_SECONDS
    assert len(output.splitlines()) == 1
    assert f"version 3f9c2ab, starting on http://127.0.0.1:{port}" in output


def test_a_page_of_another_origin_asks_the_api(
    build_image: BuildImage, container_env: dict[str, str], database_url: str
) -> None:
    """As a browser does before it sends the page's form to PUBLIC_API_URL."""
    port, page = free_port(), "http://127.0.0.1:3000"
    env = container_env | {"PORT": str(port), "DATABASE_URL": database_url, "ALLOWED_ORIGINS": page}
    asks = {"Origin": page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

    with build_image("api").started(env) as process:
        get(f"http://127.0.0.1:{port}/health", process)
        preflight = Request(f"http://127.0.0.1:{port}/api/projects", headers=asks, method="OPTIONS")
        with urlopen(preflight, timeout=5) as answer:
            assert answer.status == 200
            assert answer.headers["Access-Control-Allow-Origin"] == page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"PORT": "http"}, "PORT is 'http'"), ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS has '*'")],
    ids=["PORT", "ALLOWED_ORIGINS"],
)
def test_a_wrong_setting_stops_the_api_before_it_listens(
    build_image: BuildImage, container_env: dict[str, str], wrong: dict[str, str], said: str
) -> None:
    ended = build_image("api").run(env=container_env | wrong)

    assert ended.returncode == 3
    assert f"configuration error: {said}" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_broken_migration(build_image: BuildImage, container_env: dict[str, str], database_url: str) -> None:
    env = container_env | {"DATABASE_URL": database_url}
    good = build_image("api").run("alembic", "upgrade", "head", env=env)
    assert good.returncode == 0, good.stdout
    with open_file(database_url) as connection:
        connection.execute("INSERT INTO projects (name, slug, created_at) VALUES ('a', 'a', '2026-01-01 00:00:00')")
    before = dump(database_url)

    broken = build_image("api", fault="broken-migration").run("alembic", "upgrade", "head", env=env)

    assert broken.returncode == 1
    assert "Running upgrade 0004 -> 0005, Project owners." in broken.stdout
    assert "Traceback" in broken.stdout
    assert "no such table: project_owners" in "\n".join(broken.stdout.splitlines()[-3:])
    assert dump(database_url) == before


def test_broken_migration_on_a_new_database_leaves_nothing(
    build_image: BuildImage, container_env: dict[str, str], database_url: str
) -> None:
    broken = build_image("api", fault="broken-migration").run(
        "alembic", "upgrade", "head", env=container_env | {"DATABASE_URL": database_url}
    )

    assert broken.returncode == 1
    assert [line for line in dump(database_url) if "TABLE" in line] == []


def test_the_one_way_release(build_image: BuildImage, container_env: dict[str, str], database_url: str) -> None:
    """It migrates and runs; the one before can still show what there is, and can't make anything new."""
    port = free_port()
    env = container_env | {"DATABASE_URL": database_url, "PORT": str(port)}
    good = build_image("api")
    assert good.run("alembic", "upgrade", "head", env=env).returncode == 0
    with open_file(database_url) as connection:
        connection.execute("INSERT INTO projects (name, slug, created_at) VALUES ('a', 'a', '2026-01-01 00:00:00')")

    one_way = build_image("api", fault="one-way-migration")
    migrated = one_way.run("alembic", "upgrade", "head", env=env)
    assert migrated.returncode == 0, migrated.stdout
    with one_way.started(env) as process:
        assert json.loads(get(f"http://127.0.0.1:{port}/health", process)[1])["revision"] == "0005"
        (project,) = json.loads(get(f"http://127.0.0.1:{port}/api/projects", process)[1])
    assert (project["name"], project["owner_email"]) == ("a", "nobody@scr-platform.example")
    with good.started(env) as process:
        assert get(f"http://127.0.0.1:{port}/api/projects", process)[0] == 200
    with open_file(database_url) as connection, pytest.raises(sqlite3.IntegrityError, match="owner_email"):
        connection.execute("INSERT INTO projects (name, slug, created_at) VALUES ('b', 'b', '2026-01-01 00:00:00')")

    back = one_way.run("alembic", "downgrade", "-1", env=env)
    assert back.returncode == 0, back.stdout
    with open_file(database_url) as connection:
        assert connection.execute("SELECT name, status FROM projects").fetchall() == [("a", "draft")]


def test_web_crash(build_image: BuildImage, container_env: dict[str, str]) -> None:
    crashed = build_image("web", fault="web-crash").run(env=container_env)

    assert crashed.returncode == 3
    assert len(crashed.stdout.splitlines()) == 1
    assert crashed.stdout.rstrip().endswith("configuration error: site.json: required setting 'title' is missing")


def test_stale_version(build_image: BuildImage, container_env: dict[str, str], database_url: str) -> None:
    port = free_port()
    env = container_env | {"PORT": str(port), "DATABASE_URL": database_url}

    with build_image("api", version="9e8d7c6", fault="stale-version").started(env) as process:
        status, body = get(f"http://127.0.0.1:{port}/health", process)

    assert status == 200
    assert json.loads(body)["version"] == "0000000"
