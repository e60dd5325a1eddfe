"""Where a shop's state database is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from database.url import database_url, in_folder, url_text
from schemas.settings.shop import Shop

if TYPE_CHECKING:
    from sqlalchemy import URL


def state_url(shop: Shop) -> URL:
    """SQLAlchemy URL of the state database. Raises SettingsError when its variable is not set, or holds no such URL.

    Never pass it on as text: SQLAlchemy does not write a path with a ? so that it could read it again.
    """
    default = "sqlite:///state.db" if shop.state.url_env is None else None
    url = database_url(*url_text(shop.state.url or default, shop.state.url_env, "the state database"))
    return url if shop.state.url_env is not None else in_folder(url, shop.folder)
