"""The first state schema: numbers, runs, what was loaded, journal, tombstones, redirects, quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "section_numbers",
        sa.Column("shop", sa.String(100), primary_key=True),
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
        sa.Column("shop", sa.String(100), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("continues", sa.String(40)),
        sa.Column("started_at", sa.String(40), nullable=False),
        sa.Column("finished_at", sa.String(40)),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("exit_code", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("catalogue", sa.String(64)),
        sa.Column("extract", sa.String(64)),
        sa.Column("allowed", sa.JSON),
        sa.Column("report", sa.JSON),
    )
    op.create_index("ix_runs_shop", "runs", ["shop"])
    op.create_table(
        "loaded",
        sa.Column("shop", sa.String(100), primary_key=True),
        sa.Column("run", sa.String(40), nullable=False),
        sa.Column("catalogue", sa.String(64), nullable=False),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("last_successful", sa.String(40)),
    )
    op.create_table(
        "confirmed",
        sa.Column("shop", sa.String(100), primary_key=True),
        sa.Column("store", sa.String(100), primary_key=True),
        sa.Column("run", sa.String(40), nullable=False),
        sa.Column("catalogue", sa.String(64), nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
    )
    op.create_table(
        "bindings",
        sa.Column("shop", sa.String(100), primary_key=True),
        sa.Column("store", sa.String(100), primary_key=True),
        sa.Column("entity", sa.String(16), primary_key=True),
        sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("store_key", sa.String(100), nullable=False),
        sa.Column("slug", sa.Text),
    )
    op.create_table(
        "operations",
        sa.Column("run", sa.String(40), primary_key=True),
        sa.Column("store", sa.String(100), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("entity", sa.String(16), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_index("operations_by_status", "operations", ["run", "status"])
    op.create_table(
        "tombstones",
        sa.Column("shop", sa.String(100), primary_key=True),
        sa.Column("entity", sa.String(16), primary_key=True),
        sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.Column("last_night", sa.String(10), nullable=False),
        sa.Column("nights", sa.Integer, nullable=False),
        sa.Column("path", sa.JSON),
        sa.Column("parent_number", sa.BigInteger),
    )
    op.create_table(
        "remembered_redirects",
        sa.Column("shop", sa.String(100), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("old_number", sa.BigInteger, nullable=False),
        sa.Column("old_path", sa.JSON, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(40), nullable=False),
        sa.Column("table", sa.String(40), nullable=False),
        sa.Column("row_number", sa.BigInteger, nullable=False),
        sa.Column("row_key", sa.Text, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("row", sa.Text, nullable=False),
    )
    op.create_index("ix_quarantine_run", "quarantine", ["run"])
    op.create_table(
        "accepted",
        sa.Column("shop", sa.String(100), primary_key=True),
        sa.Column("table", sa.String(40), primary_key=True),
        sa.Column("row_key", sa.String(100), primary_key=True),
        sa.Column("reason", sa.String(40), primary_key=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("accepted_at", sa.String(40), nullable=False),
    )
