"""Adds a counter of runs: local times do not sort at the end of summer time, and a clock may be set back."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; older runs are ordered by their start."""
    op.add_column("runs", sa.Column("sequence", sa.BigInteger, nullable=False, server_default="0"))
    runs = sa.table("runs", sa.column("run"), sa.column("started_at"), sa.column("sequence"))
    connection = op.get_bind()
    rows = connection.execute(sa.select(runs.c.run, runs.c.started_at)).all()
    rows = sorted(rows, key=lambda row: (_moment(row.started_at), row.started_at, row.run))
    if rows:
        this = sa.update(runs).where(runs.c.run == sa.bindparam("of")).values(sequence=sa.bindparam("place"))
        connection.execute(this, [{"of": row.run, "place": place} for place, row in enumerate(rows, start=1)])


def _moment(text: str) -> datetime:
    """Parse a moment for sorting. Without an offset, which we never wrote, it is UTC; invalid texts come first."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
