"""The order in which runs began, by count: local times do not sort where summer time ends, and a clock may go back."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; runs from before it stand in the order of the moments at which they began."""
    op.add_column("runs", sa.Column("sequence", sa.BigInteger, nullable=False, server_default="0"))
    runs = sa.table("runs", sa.column("run"), sa.column("started_at"), sa.column("sequence"))
    connection = op.get_bind()
    rows = connection.execute(sa.select(runs.c.run, runs.c.started_at)).all()
    rows = sorted(rows, key=lambda row: (_moment(row.started_at), row.started_at, row.run))
    if rows:
        this = sa.update(runs).where(runs.c.run == sa.bindparam("of")).values(sequence=sa.bindparam("place"))
        connection.execute(this, [{"of": row.run, "place": place} for place, row in enumerate(rows, start=1)])


def _moment(text: str) -> datetime:
    """A moment that sorts; one without an offset, which we never wrote, as UTC, and what is none first."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
