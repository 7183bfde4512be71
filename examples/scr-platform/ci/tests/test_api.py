"""The API on a real PostgreSQL, each test in a database of its own."""

import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient
from scr_api import database
from scr_api.app import create_app
from scr_api.settings import ConfigurationError, Settings

from .conftest import API, NOBODY


def test_health_tells_version_and_revision(alembic: Config, client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": "3f9c2ab", "revision": None}

    command.upgrade(alembic, "head")

    head = client.get("/api/health").json()["revision"]
    assert head == sorted(path.name.split("_")[0] for path in (API / "migrations" / "versions").glob("*.py"))[-1]


def test_health_without_a_database() -> None:
    settings = Settings(version="3f9c2ab", database_url=f"postgresql://scr@{NOBODY}/scr")
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
