"""Section numbers, runs, quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "section_numbers",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parent_number", sa.BigInteger),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("first_run", sa.String(40), nullable=False),
        sa.Column("last_run", sa.String(40), nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("run", sa.String(40), primary_key=True),
        sa.Column("started_at", sa.String(40), nullable=False),
        sa.Column("finished_at", sa.String(40)),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("report", sa.JSON),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(40), sa.ForeignKey("runs.run"), nullable=False, index=True),
        sa.Column("table", sa.String(40), nullable=False),
        sa.Column("row_number", sa.BigInteger, nullable=False),
        sa.Column("row_key", sa.Text, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("row", sa.Text, nullable=False),
    )
