"""Which Prefect flow run a run was: a retry of it in the UI goes on with that run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; runs from before it have none."""
    op.add_column("runs", sa.Column("flow_run", sa.String(40)))
