"""The columns of ``TSGoods.trs``, the sync file (domain.md section 4, seen in real exports).

One declaration per column: its name in the file, our field name, its kind and its width. The reader, the writer, the
stand-in base and the pandera model of goods are all derived from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "decimal", "flag"]
Owner = Literal["good", "type", "section"]

DECIMAL_PRECISION = 18
"""Digits of a decimal field in total; the stand-in base and every frame use DECIMAL(18, 8)."""
DECIMAL_SCALE = 8
"""Digits after the decimal sign: the longest seen is ``31,03448276``."""


@dataclass(frozen=True)
class TrsColumn:
    """One column of the sync file.

    ``name`` is the file's spelling, ``field`` ours; ``kind`` decides quoting and number format; ``width`` is the
    greatest number of characters of a text (None: not stated); ``owner`` says whether the value belongs to the good
    itself or is derived from its product type or section.
    """

    name: str
    field: str
    kind: Kind
    width: int | None = None
    owner: Owner = "good"


def _text(name: str, field: str, width: int | None = None, owner: Owner = "good") -> TrsColumn:
    return TrsColumn(name, field, "text", width, owner)


def _number(name: str, field: str, kind: Kind, owner: Owner = "good") -> TrsColumn:
    return TrsColumn(name, field, kind, None, owner)


_HEAD = (
    _number("GoodID", "good_id", "integer"),
    _text("GoodName", "good_name", 500),
    _text("Description", "description", 255),
    _text("Country", "country", 100),
    _text("Articul", "articul", 30),
    _number("RetailPrice", "retail_price", "decimal"),
    _number("WholesalePrice", "wholesale_price", "decimal"),
    _number("RetailPriceWithDiscount", "retail_price_with_discount", "decimal"),
    _number("MinQuantityForOrder", "min_quantity_for_order", "integer"),
)
_SIZE = (_number("Height", "height", "decimal"), _number("Width", "width", "decimal"))
_MIDDLE = (
    _number("Category", "category", "integer", "section"),
    _number("WarehouseQuantity", "warehouse_quantity", "decimal"),
    _number("Display", "display", "flag"),
    _text("TheSize", "the_size", 20),
    _text("Color", "color", 50),
    _text("Material", "material", 200),
    _text("FashionName", "fashion_name", 500),
    _number("Sex", "sex", "integer"),
    _text("ShortName", "short_name", 255),
    _text("GoodTypeFull", "good_type_full", None, "type"),
    _text("ProducerCollectionFull", "producer_collection_full"),
    _text("Season", "season"),
    _text("Barcode", "barcode"),
    _text("Pack", "pack"),
    _text("PackSize", "pack_size"),
    _text("PowerSupply", "power_supply"),
    _text("CountUnitsPerBox", "count_units_per_box"),
    _text("Age", "age"),
    _number("Measure", "measure", "decimal"),
    _text("MeasureUnit", "measure_unit"),
    _number("Closeout", "closeout", "flag"),
    _number("RetailPricePerUnit", "retail_price_per_unit", "decimal"),
    _number("WholesalePricePerUnit", "wholesale_price_per_unit", "decimal"),
    _number("EqualSalePrice", "equal_sale_price", "decimal"),
    _number("EqualWholesalePrice", "equal_wholesale_price", "decimal"),
    _text("EqualCurrencyName", "equal_currency_name"),
    _number("PrimeCost", "prime_cost", "decimal"),
)
_TAIL_48 = (
    _number("WholesaleCount", "wholesale_count", "decimal"),
    _text("MesUnit", "mes_unit"),
    _number("PriceDiscountPercent", "price_discount_percent", "decimal"),
    _text("PCName", "pc_name"),
    _number("ModelGoodID", "model_good_id", "integer"),
    _text("GoodTypeName", "good_type_name", None, "type"),
    _text("SynchronizationSection", "synchronization_section", None, "section"),
    _text("GuaranteePeriod", "guarantee_period"),
    _number("GuaranteeMesUnit", "guarantee_mes_unit", "integer"),
    _text("SynchronizationSectionFull", "synchronization_section_full", None, "section"),
)
_TAIL_50 = (
    _number("MinWarehouseQuantity", "min_warehouse_quantity", "decimal"),
    _text("WarehouseQuantityForPartner", "warehouse_quantity_for_partner"),
)
_ANALOGS = _text("Analogs", "analogs")

LAYOUT_48 = (*_HEAD, *_MIDDLE, _text("SuppLierCode", "supplier_code"), _ANALOGS, *_TAIL_48)
LAYOUT_50 = (*LAYOUT_48, *_TAIL_50)
LAYOUT_40 = (*_HEAD, *_SIZE, *_MIDDLE, _text("SupplierCode", "supplier_code"), _ANALOGS)
LAYOUTS: dict[int, tuple[TrsColumn, ...]] = {50: LAYOUT_50, 48: LAYOUT_48, 40: LAYOUT_40}

ALL_COLUMNS: dict[str, TrsColumn] = {column.name: column for column in (*LAYOUT_50, *LAYOUT_40)}
"""Every column known, by its name in the file (both spellings of the supplier's code)."""

GOOD_COLUMNS: tuple[TrsColumn, ...] = tuple(column for column in (*LAYOUT_50, *_SIZE) if column.owner == "good")
"""The columns of the good itself, each once: those of the goods table of the base, without ``type_id``."""

OFFER_COLUMNS: tuple[TrsColumn, ...] = tuple(c for c in GOOD_COLUMNS if c.field not in ("good_id", "good_name"))
"""The columns of a good that an offer has under the same name."""

OFFER_FIELDS = ("good_id", "category_number", "name", *(column.field for column in OFFER_COLUMNS), "hidden")
"""Names of the columns of ``schemas.tables.OFFERS``, for settings that name one; needs no pandas."""
