"""The stage of a project is called its status."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
# What runs before this one reads and writes a column that is gone. While the new version takes over, the old one fails:
# where that matters, rename in three releases (add, write both, drop).
rollback_safe = False


def upgrade() -> None:
    rename("stage", "status")


def downgrade() -> None:
    rename("status", "stage")


def rename(old: str, new: str) -> None:
    op.drop_index(f"ix_projects_{old}", "projects")
    # In place on PostgreSQL and SQLite, without a copy of the table: values, default and NOT NULL stay.
    op.alter_column("projects", old, new_column_name=new, existing_type=sa.String(20), existing_nullable=False)
    op.create_index(f"ix_projects_{new}", "projects", [new])
