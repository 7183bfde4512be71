"""The one way to the database, for the API and for its migrations."""

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from scr_api.settings import ConfigurationError

LOCK_WAIT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 3


def parse_url(database_url: str) -> URL:
    """Accepts sqlite:// and postgres(ql)://, as Secrets Manager and most tools write it. Raises ConfigurationError."""
    try:
        url = make_url(database_url)
    except ArgumentError:
        # The value is not repeated: it may hold a password.
        raise ConfigurationError("DATABASE_URL is not a URL: expected sqlite:///file or postgresql://…") from None
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise ConfigurationError(f"DATABASE_URL has the scheme {url.drivername!r}: expected sqlite or postgresql")
    return url


def connect(database_url: str, *, migrating: bool = False) -> Engine:
    """An engine; nothing is opened yet. Raises ConfigurationError."""
    url = parse_url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url)
        _tame_sqlite(engine, migrating=migrating)
        return engine
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS})


def current_revision(connection: Connection) -> str | None:
    """The alembic revision of the database; None when it was never migrated."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _tame_sqlite(engine: Engine, *, migrating: bool) -> None:
    """Make SQLite behave like the server database it stands in for.

    The driver opens no transaction before DDL; with a BEGIN of our own, a migration that fails in the middle leaves
    nothing behind. WAL lets a migration commit while the API reads. A migration takes the write lock at once
    (IMMEDIATE): two migrations, or one and a write of the API, wait for each other instead of failing halfway.
    """

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself, see below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_SECONDS * 1000}")
        if migrating:
            # Kept in the file, so the API finds it set. Foreign keys stay off: batch migrations rebuild tables.
            cursor.execute("PRAGMA journal_mode = WAL")
        else:
            cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if migrating else "BEGIN")
