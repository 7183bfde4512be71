"""Every project has an owner."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
# The version before this one can still read, but no longer create a project: it names no owner, and there is no default
# that would be right. It goes on serving its page while this one takes over; going back to it would break it for good.
rollback_safe = False

NOBODY = "nobody@scr-platform.example"


def upgrade() -> None:
    op.add_column("projects", sa.Column("owner_email", sa.String(200)))
    projects = sa.table("projects", sa.column("owner_email", sa.String))
    op.execute(projects.update().values(owner_email=NOBODY))
    with op.batch_alter_table("projects") as table:
        table.alter_column("owner_email", existing_type=sa.String(200), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("projects") as table:
        table.drop_column("owner_email")
