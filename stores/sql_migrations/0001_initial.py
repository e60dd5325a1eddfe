"""Categories, offers, redirects."""

import sqlalchemy as sa
from alembic import op

from database.columns import LONG_TEXT, MARIADB_TABLE, ExactDecimal

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables; on MariaDB a night that was broken off may have made some of them."""
    op.create_table(
        "categories",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", LONG_TEXT, nullable=False),
        sa.Column("parent_number", sa.BigInteger),
        sa.Column("path", sa.JSON, nullable=False),
        sa.Column("depth", sa.BigInteger, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()),
        if_not_exists=True,
        **MARIADB_TABLE,
    )
    op.create_table(
        "offers",
        sa.Column("good_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("category_number", sa.BigInteger),
        sa.Column("name", LONG_TEXT, nullable=False),
        sa.Column("description", LONG_TEXT),
        sa.Column("country", LONG_TEXT),
        sa.Column("articul", LONG_TEXT),
        sa.Column("retail_price", ExactDecimal),
        sa.Column("wholesale_price", ExactDecimal),
        sa.Column("retail_price_with_discount", ExactDecimal),
        sa.Column("min_quantity_for_order", sa.BigInteger),
        sa.Column("warehouse_quantity", ExactDecimal),
        sa.Column("display", sa.BigInteger),
        sa.Column("the_size", LONG_TEXT),
        sa.Column("color", LONG_TEXT),
        sa.Column("material", LONG_TEXT),
        sa.Column("fashion_name", LONG_TEXT),
        sa.Column("sex", sa.BigInteger),
        sa.Column("short_name", LONG_TEXT),
        sa.Column("producer_collection_full", LONG_TEXT),
        sa.Column("season", LONG_TEXT),
        sa.Column("barcode", LONG_TEXT),
        sa.Column("pack", LONG_TEXT),
        sa.Column("pack_size", LONG_TEXT),
        sa.Column("power_supply", LONG_TEXT),
        sa.Column("count_units_per_box", LONG_TEXT),
        sa.Column("age", LONG_TEXT),
        sa.Column("measure", ExactDecimal),
        sa.Column("measure_unit", LONG_TEXT),
        sa.Column("closeout", sa.BigInteger),
        sa.Column("retail_price_per_unit", ExactDecimal),
        sa.Column("wholesale_price_per_unit", ExactDecimal),
        sa.Column("equal_sale_price", ExactDecimal),
        sa.Column("equal_wholesale_price", ExactDecimal),
        sa.Column("equal_currency_name", LONG_TEXT),
        sa.Column("prime_cost", ExactDecimal),
        sa.Column("supplier_code", LONG_TEXT),
        sa.Column("analogs", LONG_TEXT),
        sa.Column("wholesale_count", ExactDecimal),
        sa.Column("mes_unit", LONG_TEXT),
        sa.Column("price_discount_percent", ExactDecimal),
        sa.Column("pc_name", LONG_TEXT),
        sa.Column("model_good_id", sa.BigInteger),
        sa.Column("guarantee_period", LONG_TEXT),
        sa.Column("guarantee_mes_unit", sa.BigInteger),
        sa.Column("min_warehouse_quantity", ExactDecimal),
        sa.Column("warehouse_quantity_for_partner", LONG_TEXT),
        sa.Column("height", ExactDecimal),
        sa.Column("width", ExactDecimal),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()),
        if_not_exists=True,
        **MARIADB_TABLE,
    )
    op.create_table(
        "redirects",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("old_number", sa.BigInteger, nullable=False),
        sa.Column("old_path", sa.JSON, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()),
        if_not_exists=True,
        **MARIADB_TABLE,
    )
