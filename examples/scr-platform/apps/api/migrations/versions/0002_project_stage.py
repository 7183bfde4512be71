"""Project stages."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # With a default, so that the version before this one can go on writing while it is replaced.
    op.add_column("projects", sa.Column("stage", sa.String(20), server_default="draft", nullable=False))
    op.create_index("ix_projects_stage", "projects", ["stage"])


def downgrade() -> None:
    op.drop_index("ix_projects_stage", "projects")
    op.drop_column("projects", "stage")
