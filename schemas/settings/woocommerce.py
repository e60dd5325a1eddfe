"""Settings of a WooCommerce store (docs/woocommerce.md)."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from schemas.settings.base import Settings
from schemas.settings.names import Name

EditorsField = Literal["category_name", "name", "price", "stock"]


def _safe_url(value: str) -> str:
    """Check the address of the shop. The keys must be encrypted on the way, so http is only for this machine."""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("the shop's address, as https://shop.example")
    if parts.username or parts.password:
        raise ValueError("no user or password in the address: the keys belong in key_env and secret_env")
    if parts.query or parts.fragment:
        raise ValueError("the shop's address only, without ? and #")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise ValueError("https: with http everybody on the way could read the keys")
    return value.rstrip("/").removesuffix("/wp-json/wc/v3").removesuffix("/wp-json")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class WooCommerceStore(Settings):
    """A WooCommerce shop, written through its REST API v3."""

    name: Name
    kind: Literal["woocommerce"]
    url: Annotated[str, AfterValidator(_safe_url)] = Field(description="the shop's address; https")
    key_env: str = Field(min_length=1, description="environment variable that holds the consumer key (ck_…)")
    secret_env: str = Field(min_length=1, description="environment variable that holds the consumer secret (cs_…)")
    timeout_seconds: float = Field(120, gt=0, le=900, description="seconds to wait for one answer")
    tries: int = Field(5, ge=1, le=10, description="how often a request is tried before the store counts as failed")
    batch: int = Field(50, ge=1, le=100, description="rows per request; fewer where the host answers too slowly")
    sku_prefix: str = Field(
        "torgsync-", pattern=r"^[A-Za-z0-9_.-]+$", description="a product's SKU: this and the GoodID"
    )
    root_category: int = Field(0, ge=0, description="id of the category above ours; 0: none")
    adopt: bool = Field(True, description="take over a category of the same name under the same parent")
    hidden: Literal["draft", "catalog"] = Field("draft", description="what a hidden product becomes")
    stock: Literal["quantity", "status", "none"] = Field("quantity", description="what is sent about the stock")
    discounts: bool = Field(True, description="RetailPriceWithDiscount as sale price")
    only_on_create: tuple[EditorsField, ...] = Field((), description="sent once, then the editor's")
    category_base: str = Field(
        "product-category", pattern=r"^[\w/.-]+$", description="category base of WordPress's permalinks"
    )
