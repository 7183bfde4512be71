"""The tables, as this version of the code wants them; `migrations/` brings the database there."""

import re
from datetime import UTC, datetime
from typing import override

from sqlalchemy import DateTime, Dialect, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A time zone aware datetime, also on SQLite, which forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    # Named constraints: without names a migration could not drop them again.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )


class Project(Base):
    """A project that looks for funding."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    # The column is named as the rest of the company calls it since 0004; our clients go on to read `stage`.
    stage: Mapped[str] = mapped_column("status", String(20), server_default="draft", index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=lambda: datetime.now(UTC))


def slug_of(name: str) -> str:
    """The name as it stands in an address; empty when it has no letter or digit."""
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")
