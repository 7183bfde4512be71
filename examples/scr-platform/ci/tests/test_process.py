"""The API as a container runs it, when its database hangs."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from alembic import command
from alembic.config import Config
from scr_api import database
from sqlalchemy import Engine, create_engine, text
from web_server import free_port

from .conftest import API

LIMIT_SECONDS = 30


def ask(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def until_it_answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while ask(port, "/health") != 200:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "it never answered"
        time.sleep(0.05)


def until_somebody_waits(engine: Engine) -> None:
    """For the lock that a test holds."""
    deadline = time.monotonic() + LIMIT_SECONDS
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while True:
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.05)


def test_a_stop_does_not_wait_for_a_database_that_hangs(alembic: Config, database_url: str) -> None:
    command.upgrade(alembic, "head")
    engine, port = create_engine(database.parse_url(database_url)), free_port()
    environ = os.environ | {"DATABASE_URL": database_url, "PORT": str(port)}
    with (
        subprocess.Popen([sys.executable, "-m", "scr_api"], cwd=API, env=environ) as process,
        engine.connect() as holder,
        ThreadPoolExecutor() as pool,
    ):
        try:
            until_it_answers(port, process)
            holder.execute(text("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE"))
            hanging = pool.submit(ask, port, "/api/projects")
            until_somebody_waits(engine)

            process.send_signal(signal.SIGTERM)

            # The lock is still held: only an end that does not wait for it comes in time.
            assert process.wait(timeout=LIMIT_SECONDS / 3) == 0
            assert not holder.closed
            assert hanging.result(timeout=LIMIT_SECONDS) in (0, 500)
        finally:
            process.kill()
            holder.rollback()
    engine.dispose()
