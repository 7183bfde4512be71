"""Project owners."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("projects", sa.Column("owner_email", sa.String(200)))
    op.execute("UPDATE projects SET stage = 'review' WHERE stage = 'draft'")
    # The fault: no migration ever made this table.
    op.execute("INSERT INTO project_owners (project_id, email) SELECT id, owner_email FROM projects")


def downgrade() -> None:
    op.drop_column("projects", "owner_email")
