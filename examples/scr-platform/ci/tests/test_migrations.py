"""The migrations on a real PostgreSQL, forth and back, with projects in the tables."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient
from scr_api import database
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import ProgrammingError

from .conftest import API

OVERLAY = API.parents[1] / "faults" / "one-way-migration"


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


def values(database_url: str, statement: str) -> list[object]:
    engine = create_engine(database.parse_url(database_url))
    try:
        with engine.begin() as connection:
            found = connection.execute(text(statement))
            return [row[0] for row in found] if found.returns_rows else []
    finally:
        engine.dispose()


def test_0004_keeps_each_stage_under_its_new_name_and_back(alembic: Config, database_url: str) -> None:
    command.upgrade(alembic, "0003")
    insert = "INSERT INTO projects (name, slug, created_at, stage) VALUES ('{0}', '{0}', now(), '{1}')"
    for name, stage in (("a", "funded"), ("b", "review")):
        values(database_url, insert.format(name, stage))

    command.upgrade(alembic, "0004")
    assert values(database_url, "SELECT status FROM projects ORDER BY name") == ["funded", "review"]
    # What an older version does can't be done any more: that is why the file says rollback_safe = False.
    with pytest.raises(ProgrammingError, match="stage"):
        values(database_url, "SELECT stage FROM projects")

    command.downgrade(alembic, "0003")
    assert values(database_url, "SELECT stage FROM projects ORDER BY name") == ["funded", "review"]
    values(database_url, "INSERT INTO projects (name, slug, created_at) VALUES ('c', 'c', now())")
    assert values(database_url, "SELECT stage FROM projects WHERE name = 'c'") == ["draft"]
    command.upgrade(alembic, "head")
    command.check(alembic)


@pytest.fixture
def one_way(tmp_path: Path) -> Path:
    """The API as the release `one-way-migration` has it."""
    tree = tmp_path / "api"
    shutil.copytree(API, tree, ignore=shutil.ignore_patterns("__pycache__", "*.db"))
    shutil.copytree(OVERLAY, tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


def run(tree: Path, database_url: str, *command: str) -> str:
    environ = os.environ | {"DATABASE_URL": database_url}
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


CREATE = """
from fastapi.testclient import TestClient
from scr_api.app import create_app
from scr_api.settings import Settings
import os
with TestClient(create_app(Settings.from_env(os.environ))) as client:
    client.post("/api/projects", json={"name": "New", "owner_email": "ada@scr-platform.example"})
    print([(item["name"], item["owner_email"]) for item in client.get("/api/projects").json()])
"""


def test_the_one_way_release(alembic: Config, database_url: str, client: TestClient, one_way: Path) -> None:
    command.upgrade(alembic, "head")
    client.post("/api/projects", json={"name": "Old", "stage": "funded"})

    run(one_way, database_url, "-m", "alembic", "upgrade", "head")
    run(one_way, database_url, "-m", "alembic", "check")

    # The release before goes on showing what there is, and can make nothing new: so nobody may go back to it.
    assert [project["name"] for project in client.get("/api/projects").json()] == ["Old"]
    assert client.post("/api/projects", json={"name": "Lost"}).status_code == 409
    told = run(one_way, database_url, "-W", "ignore", "-c", CREATE)
    assert told.strip() == "[('New', 'ada@scr-platform.example'), ('Old', 'nobody@scr-platform.example')]"

    run(one_way, database_url, "-m", "alembic", "downgrade", "-1")
    assert values(database_url, "SELECT name FROM projects ORDER BY id") == ["Old", "New"]
    command.check(alembic)
    assert client.post("/api/projects", json={"name": "Lost"}).status_code == 201
