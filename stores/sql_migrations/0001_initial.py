"""Categories, offers, redirects."""

import sqlalchemy as sa
from alembic import op

from database.columns import ExactDecimal

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables; on MariaDB a night that was broken off may have made some of them."""
    op.create_table(
        "categories",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parent_number", sa.BigInteger),
        sa.Column("path", sa.JSON, nullable=False),
        sa.Column("depth", sa.BigInteger, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()),
        if_not_exists=True,
    )
    op.create_table(
        "offers",
        sa.Column("good_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("category_number", sa.BigInteger),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("country", sa.Text),
        sa.Column("articul", sa.Text),
        sa.Column("retail_price", ExactDecimal),
        sa.Column("wholesale_price", ExactDecimal),
        sa.Column("retail_price_with_discount", ExactDecimal),
        sa.Column("min_quantity_for_order", sa.BigInteger),
        sa.Column("warehouse_quantity", ExactDecimal),
        sa.Column("display", sa.BigInteger),
        sa.Column("the_size", sa.Text),
        sa.Column("color", sa.Text),
        sa.Column("material", sa.Text),
        sa.Column("fashion_name", sa.Text),
        sa.Column("sex", sa.BigInteger),
        sa.Column("short_name", sa.Text),
        sa.Column("producer_collection_full", sa.Text),
        sa.Column("season", sa.Text),
        sa.Column("barcode", sa.Text),
        sa.Column("pack", sa.Text),
        sa.Column("pack_size", sa.Text),
        sa.Column("power_supply", sa.Text),
        sa.Column("count_units_per_box", sa.Text),
        sa.Column("age", sa.Text),
        sa.Column("measure", ExactDecimal),
        sa.Column("measure_unit", sa.Text),
        sa.Column("closeout", sa.BigInteger),
        sa.Column("retail_price_per_unit", ExactDecimal),
        sa.Column("wholesale_price_per_unit", ExactDecimal),
        sa.Column("equal_sale_price", ExactDecimal),
        sa.Column("equal_wholesale_price", ExactDecimal),
        sa.Column("equal_currency_name", sa.Text),
        sa.Column("prime_cost", ExactDecimal),
        sa.Column("supplier_code", sa.Text),
        sa.Column("analogs", sa.Text),
        sa.Column("wholesale_count", ExactDecimal),
        sa.Column("mes_unit", sa.Text),
        sa.Column("price_discount_percent", ExactDecimal),
        sa.Column("pc_name", sa.Text),
        sa.Column("model_good_id", sa.BigInteger),
        sa.Column("guarantee_period", sa.Text),
        sa.Column("guarantee_mes_unit", sa.BigInteger),
        sa.Column("min_warehouse_quantity", ExactDecimal),
        sa.Column("warehouse_quantity_for_partner", sa.Text),
        sa.Column("height", ExactDecimal),
        sa.Column("width", ExactDecimal),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()),
        if_not_exists=True,
    )
    op.create_table(
        "redirects",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("old_number", sa.BigInteger, nullable=False),
        sa.Column("old_path", sa.JSON, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()),
        if_not_exists=True,
    )
