"""A database of its own for each test, Redis with keys of its own, and the two apps."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from alembic.config import Config
from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis
from scr_ai_gateway.app import create_app as create_gateway
from scr_ai_gateway.ledger import RedisLedger
from scr_ai_gateway.settings import Settings as GatewaySettings
from scr_api import database
from scr_api.app import create_app
from scr_api.settings import Settings
from sqlalchemy import create_engine, text

API = Path(__file__).parents[2] / "apps" / "api"
# Nobody listens on port 9.
NOBODY = "127.0.0.1:9"
TOKEN = "a-token-for-tests"  # noqa: S105

MakeClient = Callable[..., TestClient]


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
def make_client(database_url: str) -> Iterator[MakeClient]:
    """The API with other settings than none."""
    opened: list[TestClient] = []

    def make(**settings: str | tuple[str, ...] | None) -> TestClient:
        made = replace(Settings(version="3f9c2ab", database_url=database_url), **settings)  # type: ignore[arg-type]
        client = TestClient(create_app(made))
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__()


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()


@pytest.fixture
def redis_url() -> str:
    return os.environ["REDIS_URL"]


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def prefix(redis: Redis) -> Iterator[str]:
    """Of keys that nobody else uses, and that are gone afterwards."""
    made = f"test-{uuid.uuid4().hex[:12]}"
    yield made
    for key in redis.scan_iter(f"{made}*"):
        redis.delete(key)


@pytest.fixture
def gateway_url(redis: Redis, prefix: str) -> Iterator[str]:
    """The AI gateway on a port of its own, with Redis."""
    app = create_gateway(GatewaySettings(version="3f9c2ab"), kept=RedisLedger(redis, prefix))
    with served(app) as url:
        yield url


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "it does not start"
        thread.join(timeout=0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
