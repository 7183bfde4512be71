"""Project slugs, also for the projects that exist."""

import re

import sqlalchemy as sa
from alembic import context, op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("projects", sa.Column("slug", sa.String(120)))
    if context.is_offline_mode():
        op.execute("UPDATE projects SET slug = 'project-' || id")
    else:
        fill_slugs()
    with op.batch_alter_table("projects") as projects:
        projects.alter_column("slug", existing_type=sa.String(120), nullable=False)
        projects.create_unique_constraint("uq_projects_slug", ["slug"])


def fill_slugs() -> None:
    # A migration says what was true when it was written: it must not import today's models or slug_of().
    projects = sa.table("projects", sa.column("id", sa.Integer), sa.column("name", sa.String), sa.column("slug"))
    connection = op.get_bind()
    taken: set[str] = set()
    for row in connection.execute(sa.select(projects.c.id, projects.c.name).order_by(projects.c.id)).all():
        slug = re.sub(r"[\W_]+", "-", row.name.casefold()).strip("-")[:100]
        if not slug or slug in taken:
            slug = f"{slug or 'project'}-{row.id}"
        taken.add(slug)
        connection.execute(sa.update(projects).where(projects.c.id == row.id).values(slug=slug))


def downgrade() -> None:
    with op.batch_alter_table("projects") as projects:
        projects.drop_constraint("uq_projects_slug", type_="unique")
        projects.drop_column("slug")
