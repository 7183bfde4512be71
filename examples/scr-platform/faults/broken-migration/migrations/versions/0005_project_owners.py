"""Project owners."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("projects", sa.Column("owner_email", sa.String(200)))
    op.execute("UPDATE projects SET status = 'review' WHERE status = 'draft'")
    # The fault: no migration ever made this table.
    op.execute("INSERT INTO project_owners (project_id, email) SELECT id, owner_email FROM projects")


def downgrade() -> None:
    op.drop_column("projects", "owner_email")
