"""Each row says which shop it is of; those of before it belong to the shop that writes next."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; on MariaDB a night that was broken off may have added it to some of the tables."""
    there = sa.inspect(op.get_bind())
    for table in ("categories", "offers", "redirects"):
        if "shop" not in {column["name"] for column in there.get_columns(table)}:
            op.add_column(table, sa.Column("shop", sa.String(100)))
