"""The URL of a shop's state database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from database.url import database_url, in_folder, url_text
from schemas.settings.shop import Shop

if TYPE_CHECKING:
    from sqlalchemy import URL


def state_url(shop: Shop) -> URL:
    """Return the SQLAlchemy URL of the state database. Raises SettingsError when its variable is missing or invalid.

    Never convert it to text: SQLAlchemy cannot read back a path with a ? in it.
    """
    default = "sqlite:///state.db" if shop.state.url_env is None else None
    url = database_url(*url_text(shop.state.url or default, shop.state.url_env, "the state database"))
    return url if shop.state.url_env is not None else in_folder(url, shop.folder)
