"""Adds the Prefect flow run of a run, so that a retry in the UI continues that run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; older runs have no value."""
    op.add_column("runs", sa.Column("flow_run", sa.String(40)))
