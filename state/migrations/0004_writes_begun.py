"""Keeps the stores that a run began to write to, and deletes the row per operation, which nothing read.

It also deletes unused columns: first and last run of a section number, and the first night of a tombstone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Keep the stores of every run that has operations; drop the operations."""
    begun = op.create_table(
        "writes_begun",
        sa.Column("run", sa.String(40), primary_key=True),
        sa.Column("store", sa.String(100), primary_key=True),
    )
    operations = sa.table("operations", sa.column("run"), sa.column("store"))
    pairs = sa.select(operations.c.run, operations.c.store).distinct()
    op.execute(sa.insert(begun).from_select(["run", "store"], pairs))
    op.drop_table("operations")
    op.drop_column("section_numbers", "first_run")
    op.drop_column("section_numbers", "last_run")
    op.drop_column("tombstones", "since")
