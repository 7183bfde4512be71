"""The API on a real PostgreSQL, each test in a database of its own."""

import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient
from httpx import Response
from scr_api import database
from scr_api.app import create_app
from scr_api.settings import ConfigurationError, Settings

from .conftest import API, NOBODY, MakeClient


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
    [
        ({"PORT": "http"}, "PORT"),
        ({"DATABASE_HOST": "db", "DATABASE_NAME": "scr"}, "DATABASE_USER, DATABASE_PASSWORD"),
        ({"ALLOWED_ORIGINS": "*"}, r"ALLOWED_ORIGINS has '\*'"),
        ({"ALLOWED_ORIGINS": "https://web.example,https://*.example"}, r"ALLOWED_ORIGINS has 'https://\*\.example'"),
        ({"ALLOWED_ORIGINS": "null"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "web.example"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "ftp://web.example"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "https://web.example/"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "https://Web.example"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "https://me@web.example"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "https://web.example:443"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "http://web.example:70000"}, "ALLOWED_ORIGINS"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Settings.from_env(environ)


@pytest.mark.parametrize("url", ["nonsense", "mysql://scr@db/scr"])
def test_a_database_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        database.connect(url)


WEB = "https://web.example"
ALLOW_ORIGIN = "access-control-allow-origin"


def preflight(client: TestClient, path: str, origin: str = WEB, method: str = "POST") -> Response:
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
    }
    answer: Response = client.options(path, headers=asks)
    return answer


def test_origins_that_are_allowed() -> None:
    environ = {"ALLOWED_ORIGINS": f"{WEB}, http://127.0.0.1:3000,http://[::1]:3000,"}

    assert Settings.from_env(environ).allowed_origins == (WEB, "http://127.0.0.1:3000", "http://[::1]:3000")
    assert Settings.from_env({"ALLOWED_ORIGINS": ""}).allowed_origins == ()


def test_a_page_of_an_allowed_origin_may_ask(alembic: Config, make_client: MakeClient) -> None:
    command.upgrade(alembic, "head")
    client = make_client(allowed_origins=(WEB,))

    asked = preflight(client, "/api/projects")
    created = client.post("/api/projects", json={"name": "Wind farm"}, headers={"Origin": WEB})
    again = client.post("/api/projects", json={"name": "Wind farm"}, headers={"Origin": WEB})

    assert (asked.status_code, asked.headers[ALLOW_ORIGIN]) == (200, WEB)
    assert asked.headers["access-control-allow-methods"] == "GET, POST"
    assert "content-type" in asked.headers["access-control-allow-headers"].lower()
    # The page shows a refusal's reason, too.
    assert [(answer.status_code, answer.headers[ALLOW_ORIGIN]) for answer in (created, again)] == [
        (201, WEB),
        (409, WEB),
    ]
    assert all("access-control-allow-credentials" not in answer.headers for answer in (asked, created))


def test_other_origins_methods_and_paths_are_not_open(make_client: MakeClient) -> None:
    client = make_client(allowed_origins=(WEB,))

    other = preflight(client, "/api/projects", origin="https://web.example.attacker.example")
    assert (other.status_code, ALLOW_ORIGIN in other.headers) == (400, False)
    assert preflight(client, "/api/projects", method="DELETE").status_code == 400
    for path in ("/admin/system-health", "/health"):
        assert ALLOW_ORIGIN not in preflight(client, path).headers
        assert ALLOW_ORIGIN not in client.get(path, headers={"Origin": WEB}).headers


def test_nobody_elsewhere_may_ask_unless_told(client: TestClient) -> None:
    asked = preflight(client, "/api/projects")

    assert (asked.status_code, ALLOW_ORIGIN in asked.headers) == (405, False)
    assert ALLOW_ORIGIN not in client.get("/api/health", headers={"Origin": WEB}).headers
