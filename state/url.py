"""Where a shop's state database is."""

from __future__ import annotations

from database.url import database_url, url_text
from schemas.settings.shop import Shop


def state_url(shop: Shop) -> str:
    """SQLAlchemy URL of the state database. Raises SettingsError when its variable is not set, or holds no such URL."""
    url = shop.state.url or ("sqlite:///state.db" if shop.state.url_env is None else None)
    if url is not None and url.startswith("sqlite:///"):
        return f"sqlite:///{shop.path(url.removeprefix('sqlite:///'))}"
    text, where = url_text(url, shop.state.url_env, "the state database")
    database_url(text, where)
    return text
