"""Settings of the feeds other than the sync file: YML with its profiles, Google Merchant, CSV and JSON (docs/feeds.md).

The table of a store in ``shop.toml`` adds name and target of the file to one of these models.
"""

from __future__ import annotations

from datetime import datetime
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.errors import SettingsError, closest
from schemas.settings.base import Settings
from schemas.trs import OFFER_FIELDS

PRIVATE = ("prime_cost",)
"""The purchase price: never in a public feed (YML, Google)."""

COMPUTED: dict[str, str] = {
    "price": "the price to pay: with the discount where there is one",
    "old_price": "the price before the discount; empty where there is none",
    "available": "in stock and not hidden",
    "category_name": "the category's name",
    "category_path": "names from the root to the category: joined in CSV, a list in JSON",
}
"""Columns of a CSV or JSON feed that are not columns of the catalogue's offers."""

TABLE_COLUMNS = (
    "good_id", "name", "category_number", "category_path", "price", "old_price", "available", "warehouse_quantity",
    "articul", "barcode", "pc_name", "model_good_id", "the_size", "color", "description",
)  # fmt: skip
"""The default columns of a CSV or JSON feed. By default they have no purchase price and no wholesale prices."""


def _good_field(value: str) -> str:
    known = [name for name in OFFER_FIELDS if name not in (*PRIVATE, "hidden")]
    if value and value not in known:
        raise ValueError(f'no field "{value}": {closest(value, known)}')
    return value


def _table_field(value: str) -> str:
    known = [*OFFER_FIELDS, *COMPUTED]
    if value not in known:
        raise ValueError(f'no field "{value}": {closest(value, known)}')
    return value


def _web(value: str) -> str:
    if not value.startswith(("https://", "http://")) or any(character.isspace() for character in value):
        raise ValueError("a web address that starts with https:// or http://, without blanks")
    return value


def _template(value: str) -> str:
    try:
        places = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
        value.format(good_id=1)
    except (ValueError, KeyError, IndexError, AttributeError):
        places = []
    if not places or set(places) != {"good_id"}:
        raise ValueError("an address with {good_id} in it, and no other {…}")
    return _web(value)


GoodField = Annotated[str, AfterValidator(_good_field)]
TableField = Annotated[str, AfterValidator(_table_field)]
Web = Annotated[str, AfterValidator(_web)]
Template = Annotated[str, AfterValidator(_template)]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Ids = dict[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
Currency = Literal["UAH", "USD", "EUR", "PLN"]


class FeedSettings(Settings):
    """Base of the settings of feeds."""


class YmlProfile(FeedSettings):
    """The differences between readers of YML."""

    hidden: Literal["omit", "unavailable"] = "omit"
    name_length: int | None = None
    quantity: Literal["none", "stock_quantity", "quantity_in_stock", "quantity"] = "none"
    old_price: Literal["oldprice", "price_old"] = "oldprice"
    varieties: bool = False


YML_PROFILES: dict[str, YmlProfile] = {
    "generic": YmlProfile(),
    # goods that are missing in the file stay on sale at Prom (mark_missing_product_as = none): so hidden ones are in it
    "prom": YmlProfile(hidden="unavailable", name_length=100, varieties=True),
    "rozetka": YmlProfile(name_length=255, quantity="stock_quantity", old_price="price_old"),
}
"""Named dialects of YML (docs/feeds.md says where each fact comes from)."""


class YmlFeed(FeedSettings):
    """A YML file. ``profile`` names a dialect; the last five keys override it."""

    profile: Literal["generic", "prom", "rozetka"] = "generic"
    shop_name: Text = Field(description="the shop's short name")
    company: Text | None = Field(None, description="the company's name; default: the shop's")
    shop_url: Web = Field(description="address of the shop's main page")
    currency: Currency = Field("UAH", description="currency of all prices")
    url: Template | None = Field(None, description="address of a good's page, with {good_id}")
    picture: Template | None = Field(None, description="address of a good's photo, with {good_id}")
    vendor: GoodField = Field("pc_name", description="the field that holds the brand; empty: none")
    vendor_code: GoodField = Field("articul", description="the field that holds the articul; empty: none")
    params: dict[Text, GoodField] = Field(
        default_factory=lambda: {
            "Розмір": "the_size",
            "Колір": "color",
            "Матеріал": "material",
            "Сезон": "season",
        },
        description="name of a param → the field that it shows",
    )
    discounts: bool = Field(True, description="price with the discount, and the old price beside it")
    portal_id: Ids = Field(default_factory=dict, description="our category's number → Prom's category")
    rz_id: Ids = Field(default_factory=dict, description="our category's number → Rozetka's category")
    hidden: Literal["omit", "unavailable"] | None = Field(None, description="what becomes of hidden goods")
    name_length: Annotated[int, Field(ge=20)] | None = Field(None, description="longer names of goods are cut")
    quantity: Literal["none", "stock_quantity", "quantity_in_stock", "quantity"] | None = Field(
        None, description="the element that tells the stock"
    )
    old_price: Literal["oldprice", "price_old"] | None = Field(None, description="the element of the old price")
    varieties: bool | None = Field(None, description="group_id for goods of one model")


class GoogleFeed(FeedSettings):
    """A product feed for Google Merchant Center: RSS 2.0 with the namespace g."""

    shop_name: Text = Field(description="the shop's name, title of the feed")
    shop_url: Web = Field(description="address of the shop's main page")
    url: Template = Field(description="address of a good's page, with {good_id}; Google refuses goods without one")
    picture: Template | None = Field(None, description="address of a good's photo, with {good_id}")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field("UAH", description="currency of all prices")
    brand: GoodField = Field("pc_name", description="the field that holds the brand; empty: none")
    gtin: GoodField = Field("barcode", description="the field that holds the barcode; empty: none")
    mpn: GoodField = Field("articul", description="the maker's own number, where there is no valid barcode; or empty")
    discounts: bool = Field(True, description="sale_price where there is a discount")
    condition: Literal["new", "refurbished", "used"] = "new"


class TableFeed(FeedSettings):
    """Settings of both CSV and JSON."""

    columns: tuple[TableField, ...] | dict[Text, TableField] = Field(
        TABLE_COLUMNS, description="fields in order, or the names in the file with the field of each", min_length=1
    )
    hidden: Literal["omit", "include"] = Field("omit", description="what becomes of hidden goods")
    discounts: bool = Field(True, description="price with the discount, and old_price beside it")

    @property
    def named_columns(self) -> dict[str, str]:
        """Return the column names of the file, in order, with the field of each."""
        return dict(self.columns) if isinstance(self.columns, dict) else {field: field for field in self.columns}


class CsvFeed(TableFeed):
    """A table of goods, one line each."""

    separator: Literal[",", ";", "\t", "|"] = ","
    encoding: Literal["utf-8", "utf-8-sig", "cp1251"] = "utf-8"
    header: bool = True
    decimal: Literal[".", ","] = Field(".", description="the decimal sign")
    path_separator: Annotated[str, Field(min_length=1)] = Field(" / ", description="between the levels of a path")


class JsonFeed(TableFeed):
    """One JSON document with categories and goods."""


def yml_profile(feed: YmlFeed) -> YmlProfile:
    """Return the profile of a YML feed, overridden by the keys of the feed."""
    own = {key: getattr(feed, key) for key in YmlProfile.model_fields if getattr(feed, key) is not None}
    return YML_PROFILES[feed.profile].model_copy(update=own)


def yml_date(value: datetime) -> str:
    """Return ``2026-11-24 02:30``: the time of the last change in a YML file."""
    if not 1970 <= value.year <= 9999:
        raise SettingsError(f"{value}: not a date for a YML file", "give the time of the last change of the catalogue")
    return value.strftime("%Y-%m-%d %H:%M")
