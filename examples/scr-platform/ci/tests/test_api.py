"""The API and its migrations on a real PostgreSQL, each test in a database of its own."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient
from scr_api import database
from scr_api.app import create_app
from scr_api.settings import ConfigurationError, Settings
from sqlalchemy import create_engine, inspect, text

API = Path(__file__).parents[2] / "apps" / "api"


@pytest.fixture
def database_url() -> Iterator[str]:
    server = database.parse_url(os.environ["DATABASE_URL"])
    if server.get_backend_name() != "postgresql":
        pytest.fail("DATABASE_URL is not PostgreSQL's: these tests are about it")
    name = f"scr_test_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def alembic(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("DATABASE_URL", database_url)
    config = Config()  # without the file: it would set up logging for the whole test run
    config.set_main_option("script_location", str(API / "migrations"))
    return config


@pytest.fixture
def client(database_url: str) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(version="3f9c2ab", database_url=database_url))) as client:
        yield client


def test_migrations_make_the_tables_that_the_code_wants(alembic: Config) -> None:
    command.upgrade(alembic, "head")

    command.check(alembic)  # raises when the models differ


def test_migrations_go_back_and_forth(alembic: Config, database_url: str) -> None:
    command.upgrade(alembic, "head")
    command.downgrade(alembic, "base")
    engine = create_engine(database.parse_url(database_url))
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    engine.dispose()

    command.upgrade(alembic, "head")
    command.check(alembic)


def test_a_migration_keeps_the_projects_that_exist(alembic: Config, database_url: str, client: TestClient) -> None:
    command.upgrade(alembic, "0001")
    engine = create_engine(database.parse_url(database_url))
    with engine.begin() as connection:
        for name in ("Wind farm", "wind farm!"):
            connection.execute(text("INSERT INTO projects (name, created_at) VALUES (:name, now())"), {"name": name})
    engine.dispose()

    command.upgrade(alembic, "head")

    slugs = [project["slug"] for project in client.get("/api/projects").json()]
    assert sorted(slugs) == ["wind-farm", "wind-farm-2"]


def test_two_migrations_at_once_wait_for_each_other(database_url: str) -> None:
    upgrade = [sys.executable, "-m", "alembic", "upgrade", "head"]
    both = [
        subprocess.Popen(upgrade, cwd=API, env=os.environ | {"DATABASE_URL": database_url}, stderr=subprocess.PIPE)
        for _ in range(2)
    ]

    outputs = [process.communicate(timeout=60)[1].decode() for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs


def test_health_tells_version_and_revision(alembic: Config, client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": "3f9c2ab", "revision": None}

    command.upgrade(alembic, "head")

    head = client.get("/api/health").json()["revision"]
    assert head == sorted(path.name.split("_")[0] for path in (API / "migrations" / "versions").glob("*.py"))[-1]


def test_health_without_a_database() -> None:
    settings = Settings(version="3f9c2ab", database_url="postgresql://scr@127.0.0.1:9/scr")
    with TestClient(create_app(settings)) as client:
        answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["reason"].startswith("database: ")


def test_projects(alembic: Config, client: TestClient) -> None:
    command.upgrade(alembic, "head")

    created = client.post("/api/projects", json={"name": "Wind farm", "stage": "review"})
    again = client.post("/api/projects", json={"name": "Wind farm"})
    wrong = client.post("/api/projects", json={"name": "!", "stage": "unknown"})
    client.post("/api/projects", json={"name": "Solar roof"})

    assert (created.status_code, again.status_code, wrong.status_code) == (201, 409, 422)
    assert [project["name"] for project in client.get("/api/projects?limit=5").json()] == ["Solar roof", "Wind farm"]


def test_projects_before_the_first_migration(client: TestClient) -> None:
    with pytest.raises(Exception, match="projects"):
        client.get("/api/projects")


def test_the_database_in_parts_with_any_password() -> None:
    parts = {"DATABASE_HOST": "db", "DATABASE_NAME": "scr", "DATABASE_USER": "u", "DATABASE_PASSWORD": "p@:/#"}

    url = database.parse_url(Settings.from_env(parts).database_url)

    assert (url.host, url.port, url.database, url.username, url.password) == ("db", 5432, "scr", "u", "p@:/#")


@pytest.mark.parametrize(
    ("environ", "named"),
    [({"PORT": "http"}, "PORT"), ({"DATABASE_HOST": "db", "DATABASE_NAME": "scr"}, "DATABASE_USER, DATABASE_PASSWORD")],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Settings.from_env(environ)


@pytest.mark.parametrize("url", ["nonsense", "mysql://scr@db/scr"])
def test_a_database_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        database.connect(url)
