"""Alembic's entry: all pending migrations in one transaction, or none of them."""

import os
from logging.config import fileConfig

from alembic import context
from scr_api import database
from scr_api.models import Base
from scr_api.settings import Settings
from sqlalchemy import Connection, text

# Any constant will do, as long as it stays the same: one migration of this database at a time.
ADVISORY_LOCK = 5_021_913


def wait_for_turn(connection: Connection) -> None:
    """On PostgreSQL; SQLite's BEGIN IMMEDIATE does it there."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        # An ALTER TABLE that waits for a long reader makes everybody else wait behind it: rather fail and try again.
        connection.execute(text(f"SET LOCAL lock_timeout = '{database.LOCK_WAIT_SECONDS}s'"))


def run_offline(database_url: str) -> None:
    """`alembic upgrade head --sql`: print instead of do."""
    context.configure(
        url=database.parse_url(database_url),
        target_metadata=Base.metadata,
        literal_binds=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online(database_url: str) -> None:
    engine = database.connect(database_url, migrating=True)
    try:
        with engine.connect() as connection:
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                render_as_batch=True,
                transactional_ddl=True,
                transaction_per_migration=False,
            )
            with context.begin_transaction():
                wait_for_turn(connection)
                context.run_migrations()
    finally:
        engine.dispose()


if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
settings = Settings.from_env(os.environ)
if context.is_offline_mode():
    run_offline(settings.database_url)
else:
    run_online(settings.database_url)
