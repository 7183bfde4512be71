"""The API, in process, on a SQLite file that alembic migrated."""

import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from scr_api import database
from scr_api.app import create_app
from scr_api.models import slug_of
from scr_api.settings import ConfigurationError, Settings
from sqlalchemy import text

from .clients import AppClient
from .images import PLATFORM

VERSIONS = PLATFORM / "apps" / "api" / "migrations" / "versions"
HEAD = max(file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py"))


@pytest.fixture
def alembic(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("DATABASE_URL", database_url)
    config = Config()  # without the file: it would set up logging for the whole test run
    config.set_main_option("script_location", str(PLATFORM / "apps" / "api" / "migrations"))
    return config


@pytest.fixture
def client(database_url: str) -> Iterator[AppClient]:
    with AppClient(create_app(Settings(version="3f9c2ab", database_url=database_url))) as client:
        yield client


def open_file(database_url: str) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), autocommit=True))


def tables(database_url: str) -> set[str]:
    with open_file(database_url) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_health_tells_version_and_revision(alembic: Config, client: AppClient) -> None:
    command.upgrade(alembic, "head")

    for path in ("/health", "/api/health"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "version": "3f9c2ab", "revision": HEAD}


def test_health_of_a_database_that_was_never_migrated(client: AppClient) -> None:
    assert client.get("/health").json()["revision"] is None


def test_health_without_a_database(tmp_path: Path) -> None:
    settings = Settings(version="3f9c2ab", database_url=f"sqlite:///{tmp_path / 'missing' / 'scr.db'}")
    with AppClient(create_app(settings)) as client:
        answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "version": "3f9c2ab",
        "reason": "database: unable to open database file",
    }


def test_starting_migrates_nothing(client: AppClient, database_url: str) -> None:
    client.get("/health")
    client.get("/api/projects")

    assert tables(database_url) == set()


def test_projects_are_stored(alembic: Config, client: AppClient, database_url: str) -> None:
    command.upgrade(alembic, "head")
    assert client.get("/api/projects").json() == []

    created = client.post("/api/projects", json={"name": "  Solar Park Évora ", "stage": "review"})
    client.post("/api/projects", json={"name": "Wind Farm"})

    assert created.status_code == 201
    assert created.json() | {"created_at": ""} == {
        "id": 1,
        "name": "Solar Park Évora",
        "slug": "solar-park-évora",
        "stage": "review",
        "created_at": "",
    }
    assert created.json()["created_at"].endswith("Z")
    # Another process sees them, too.
    with AppClient(create_app(Settings(database_url=database_url))) as other:
        listed = other.get("/api/projects").json()
        assert [(project["name"], project["stage"]) for project in listed] == [
            ("Wind Farm", "draft"),
            ("Solar Park Évora", "review"),
        ]
        assert listed[1] == created.json()
        assert len(other.get("/api/projects?limit=1").json()) == 1


@pytest.mark.parametrize(
    "body", [{}, {"name": " "}, {"name": "--"}, {"name": "x", "stage": "?"}, {"name": "x", "a": 1}]
)
def test_a_project_that_is_none_is_refused(alembic: Config, client: AppClient, body: dict[str, str]) -> None:
    command.upgrade(alembic, "head")

    assert client.post("/api/projects", json=body).status_code == 422
    assert client.get("/api/projects").json() == []


def test_a_name_is_taken_once(alembic: Config, client: AppClient) -> None:
    command.upgrade(alembic, "head")
    client.post("/api/projects", json={"name": "Wind Farm"})

    again = client.post("/api/projects", json={"name": "wind-farm"})

    assert again.status_code == 409
    assert "already exists" in again.json()["detail"]


def test_projects_before_the_first_migration(client: AppClient) -> None:
    answer = client.get("/api/projects")

    assert answer.status_code == 503
    assert answer.json() == {"detail": "database: no such table: projects"}


def test_migrations_go_up_and_down(alembic: Config, database_url: str) -> None:
    command.upgrade(alembic, "head")
    assert tables(database_url) == {"alembic_version", "projects"}
    command.check(alembic)  # raises when the models want something that no migration makes

    command.downgrade(alembic, "base")
    assert tables(database_url) == {"alembic_version"}
    command.upgrade(alembic, "head")
    assert tables(database_url) == {"alembic_version", "projects"}


def test_slugs_of_projects_that_exist_already(alembic: Config, database_url: str) -> None:
    command.upgrade(alembic, "0002")
    with open_file(database_url) as connection:
        names = [("Wind Farm",), ("wind farm!",), ("?",), ("Solar",)]
        connection.executemany("INSERT INTO projects (name, created_at) VALUES (?, '2026-01-01 00:00:00')", names)

    command.upgrade(alembic, "head")

    with open_file(database_url) as connection:
        slugs = [slug for (slug,) in connection.execute("SELECT slug FROM projects ORDER BY id")]
    assert slugs == ["wind-farm", "wind-farm-2", "project-3", "solar"]


def test_0004_keeps_each_stage_under_its_new_name_and_back(alembic: Config, database_url: str) -> None:
    command.upgrade(alembic, "0003")
    with open_file(database_url) as connection:
        connection.execute(
            "INSERT INTO projects (name, slug, created_at, stage) VALUES ('a', 'a', '2026-01-01', 'funded')"
        )

    command.upgrade(alembic, "0004")
    with open_file(database_url) as connection:
        assert connection.execute("SELECT status FROM projects").fetchall() == [("funded",)]
        with pytest.raises(sqlite3.OperationalError, match="no such column: stage"):
            connection.execute("SELECT stage FROM projects")

    command.downgrade(alembic, "0003")
    with open_file(database_url) as connection:
        assert connection.execute("SELECT stage FROM projects").fetchall() == [("funded",)]


def test_postgresql_gets_the_same_migrations(
    alembic: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://scr:secret@db.internal/scr")

    command.upgrade(alembic, "head", sql=True)

    printed = capsys.readouterr().out
    assert "TIMESTAMP WITH TIME ZONE" in printed
    assert "ALTER TABLE projects ALTER COLUMN slug SET NOT NULL" in printed
    assert "ALTER TABLE projects RENAME stage TO status" in printed
    assert (printed.startswith("BEGIN;"), printed.rstrip().endswith("COMMIT;")) == (True, True)


def test_a_migration_does_not_wait_for_readers(alembic: Config, client: AppClient, database_url: str) -> None:
    command.upgrade(alembic, "0002")
    reader = database.connect(database_url)

    with reader.connect() as connection:
        assert database.current_revision(connection) == "0002"  # a read transaction that stays open
        command.upgrade(alembic, "head")
        assert client.get("/health").json()["revision"] == HEAD

    reader.dispose()


def test_a_migration_waits_for_a_writer(alembic: Config, database_url: str) -> None:
    """Another migration, or the API: started while it writes, the migration sees what it wrote."""
    command.upgrade(alembic, "0002")
    writer = database.connect(database_url)

    with writer.connect() as connection, ThreadPoolExecutor() as pool:
        connection.execute(text("INSERT INTO projects (name, created_at) VALUES ('late', '2026-01-01 00:00:00')"))
        migration = pool.submit(command.upgrade, alembic, "head")
        with pytest.raises(TimeoutError):
            migration.result(timeout=1)
        connection.commit()
        migration.result(timeout=10)

        assert connection.scalar(text("SELECT slug FROM projects")) == "late"
    writer.dispose()


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        pytest.param({"PORT": "http"}, "PORT is 'http'", id="port-no-number"),
        pytest.param({"PORT": "70000"}, "PORT is '70000'", id="port-too-large"),
        pytest.param({"DATABASE_URL": "s3cret"}, "DATABASE_URL is not a URL", id="database-no-url"),
        pytest.param({"DATABASE_URL": "mysql://h/d"}, "scheme 'mysql'", id="database-of-another-kind"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        create_app(Settings.from_env(environ))
    assert "s3cret" not in str(error.value)


def test_admin_is_closed_until_it_has_a_token(database_url: str) -> None:
    with AppClient(create_app(Settings(database_url=database_url))) as client:
        assert client.get("/admin/system-health").status_code == 403
    with AppClient(create_app(Settings(database_url=database_url, admin_token="t0ken"))) as client:
        assert client.get("/admin/system-health").status_code == 401
        told = client.get("/admin/system-health", {"Authorization": "Bearer t0ken"}).json()

    assert (told["status"], told["dependencies"]["database"]["status"]) == ("ok", "ok")
    assert told["dependencies"]["redis"] == told["dependencies"]["ai_gateway"] == {"status": "not configured"}


def test_redis_where_its_package_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported before REDIS_URL is set: the tests here run without the package."""
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(ConfigurationError, match="the package redis is not installed") as error:
        create_app(Settings.from_env({"REDIS_URL": "redis://:s3cret@redis/0"}))
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(("name", "slug"), [("Wind Farm", "wind-farm"), ("_a__b-", "a-b"), ("!", "")])
def test_slug(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_the_database_in_parts_as_ecs_injects_them() -> None:
    parts = {
        "DATABASE_HOST": "db.internal",
        "DATABASE_NAME": "scr",
        "DATABASE_USER": "scr",
        "DATABASE_PASSWORD": "a:/@b c",
    }
    url = database.parse_url(Settings.from_env(parts).database_url)
    assert (url.host, url.port, url.database, url.username, url.password) == (
        "db.internal", 5432, "scr", "scr", "a:/@b c"
    )  # fmt: skip


def test_half_a_database_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_USER, DATABASE_PASSWORD is not"):
        Settings.from_env({"DATABASE_HOST": "db.internal", "DATABASE_NAME": "scr"})
