"""Settings of stores: the tables ``[[stores]]`` of ``shop.toml``, one model per kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from schemas.errors import SettingsError, closest
from schemas.settings.base import Settings
from schemas.settings.delivery import DeliverySettings
from schemas.settings.feeds import CsvFeed, GoogleFeed, JsonFeed, YmlFeed
from schemas.settings.names import Name
from schemas.settings.opencart import OpenCartStore
from schemas.settings.woocommerce import WooCommerceStore
from schemas.trs import ALL_COLUMNS

Encoding = Literal["utf-8", "utf-8-sig", "cp1251"]


class SqlStore(Settings):
    """A store that reads the tables ``categories`` and ``offers`` of an SQL database."""

    name: Name
    kind: Literal["sql"]
    url: str | None = Field(None, description="SQLAlchemy URL without a password; relative SQLite paths are the shop's")
    url_env: str | None = Field(None, description="environment variable that holds the whole URL, for a password")
    connect_timeout_seconds: int = Field(10, ge=1, description="how long the server may take to let us in")
    lock_timeout_seconds: int = Field(30, ge=1, description="how long a lock of somebody else is waited for")
    timeout_seconds: int = Field(300, ge=1, description="how long a server may take to answer one statement")

    @model_validator(mode="after")
    def _one_url(self) -> SqlStore:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("give either url or url_env")
        return self


class FileStore(DeliverySettings):
    """Settings of every store that reads a file: the target and the name of the file."""

    name: Name
    filename: str

    @field_validator("filename")
    @classmethod
    def _plain_filename(cls, value: str) -> str:
        if Path(value).name != value:
            raise ValueError("a file name, without folders")
        return value


class TrsStore(FileStore):
    """A store that reads ``TSGoods.trs``. ``profile`` names a dialect; the other keys override it."""

    kind: Literal["trs"]
    filename: str = "TSGoods.trs"
    profile: str = Field("torgsoft", description="a named dialect: see docs/trs.md")
    layout: Literal[50, 48, 40] | list[str] | None = Field(None, description="50 | 48 | 40 | a list of columns")
    header: bool | None = None
    encoding: Encoding | None = None
    chain_separator: Literal[";", "|"] | None = None

    @field_validator("layout")
    @classmethod
    def _known_columns(cls, value: int | list[str] | None) -> int | list[str] | None:
        for column in value if isinstance(value, list) else ():
            if column not in ALL_COLUMNS:
                raise ValueError(f'no column "{column}": {closest(column, list(ALL_COLUMNS))}')
        return value


class YmlStore(FileStore, YmlFeed):
    """A marketplace that reads YML."""

    kind: Literal["yml"]
    filename: str = "feed.yml"


class GoogleStore(FileStore, GoogleFeed):
    """Google Merchant Center."""

    kind: Literal["google"]
    filename: str = "google.xml"


class CsvStore(FileStore, CsvFeed):
    """A reader of a table of goods."""

    kind: Literal["csv"]
    filename: str = "goods.csv"


class JsonStore(FileStore, JsonFeed):
    """A reader of one JSON document."""

    kind: Literal["json"]
    filename: str = "catalogue.json"


class TrsDialect(Settings):
    """The dialect of a sync file: columns in order, header, encoding (``utf-8-sig`` = with BOM), separator."""

    layout: Literal[50, 48, 40] | list[str] = 50
    header: bool = False
    encoding: Encoding = "cp1251"
    chain_separator: Literal[";", "|"] = "|"


TRS_PROFILES: dict[str, TrsDialect] = {
    "torgsoft": TrsDialect(),
    "torgsoft-2025": TrsDialect(layout=48, chain_separator=";"),
    "torgsoft-40": TrsDialect(layout=40),
    "utf8": TrsDialect(encoding="utf-8", header=True),
    "utf8-bom": TrsDialect(encoding="utf-8-sig", header=True),
}
"""Named dialects of the sync file, all seen in real exports (domain.md section 4)."""


def trs_dialect(store: TrsStore) -> TrsDialect:
    """Return the dialect of a TRS store: its profile, overridden by the keys of the store."""
    if store.profile not in TRS_PROFILES:
        raise SettingsError(
            f'no TRS profile "{store.profile}": {closest(store.profile, list(TRS_PROFILES))}', "edit profile"
        )
    own = {key: getattr(store, key) for key in TrsDialect.model_fields if getattr(store, key) is not None}
    return TRS_PROFILES[store.profile].model_copy(update=own)


StoreSettings = Annotated[
    SqlStore | TrsStore | YmlStore | GoogleStore | CsvStore | JsonStore | WooCommerceStore | OpenCartStore,
    Field(discriminator="kind"),
]
KINDS: dict[str, type[BaseModel]] = {
    "sql": SqlStore,
    "trs": TrsStore,
    "yml": YmlStore,
    "google": GoogleStore,
    "csv": CsvStore,
    "json": JsonStore,
    "woocommerce": WooCommerceStore,
    "opencart": OpenCartStore,
}
"""The settings of each kind of store."""
