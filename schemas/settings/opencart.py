"""Settings of an OpenCart store (docs/opencart.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.settings.base import Settings
from schemas.settings.names import Name

EditorsField = Literal["category_name", "category_status", "name", "status", "price", "quantity", "articul", "barcode"]


MAP_NAMES = {"nginx": "redirects.nginx.map", "apache": "redirects.htaccess"}
"""The redirect maps in the folder ``redirects``, by web server."""


class OpenCartStore(Settings):
    """An OpenCart 3.0, 4.0 or 4.1 or ocStore shop, written through its MariaDB or MySQL database."""

    name: Name
    kind: Literal["opencart"]
    url: str | None = Field(None, description="SQLAlchemy URL without a password: mysql+pymysql://user@host/database")
    url_env: str | None = Field(None, description="environment variable that holds the whole URL, for a password")
    prefix: str = Field("oc_", pattern=r"^[A-Za-z0-9_]{0,20}$", description="what OpenCart's tables begin with")
    store_ids: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0,), min_length=1, description="OpenCart's stores that show our categories and goods"
    )
    languages: tuple[str, ...] | None = Field(
        None, min_length=1, description="codes of languages whose names follow Torgsoft; the main one first"
    )
    adopt: bool = Field(False, description="take over a category of the same number and the same name")
    only_on_create: tuple[EditorsField, ...] = Field((), description="written once, then the editor's")
    new_categories: Literal["shown", "hidden"] = Field(
        "shown", description="hidden: a new category waits for an editor to show it; its status is the editor's then"
    )
    in_menu: bool = Field(True, description="a new root category is in the top menu (3.0 and 4.0)")
    menu_columns: int = Field(1, ge=1, le=12, description="menu columns of a new root category (3.0 and 4.0)")
    model: Literal["articul", "good_id"] = Field("articul", description="what a good's model is; GoodID without one")
    without_price: Literal["hide", "show"] = Field("hide", description="what becomes of goods without a price")
    stock_status: int | None = Field(
        None, ge=1, description="stock_status_id of new goods at quantity 0; default: the shop's own"
    )
    slugs: bool = Field(True, description="give new categories a slug")
    slug_length: int = Field(64, ge=16, le=64, description="greatest length of a slug")
    redirects: str | None = Field(None, description="the folder for the web server's redirect maps; none: no redirects")

    @model_validator(mode="after")
    def _one_url(self) -> OpenCartStore:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("give either url or url_env")
        if self.url is not None and not self.url.startswith(("mysql", "mariadb")):
            raise ValueError("a database of MariaDB or MySQL: mysql+pymysql://user@host/database")
        return self

    def editors(self, field: EditorsField) -> bool:
        """Tell whether a field belongs to the editor after it was written once."""
        return field in self.only_on_create or (field == "category_status" and self.new_categories == "hidden")
