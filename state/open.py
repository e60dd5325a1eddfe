"""The one function that opens the state of a shop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.settings.shop import Shop
from state.database import State
from state.url import state_url


@contextmanager
def open_state(shop: Shop) -> Iterator[State]:
    """Open the state of a shop, migrate it to the newest schema, and close it at the end.

    Raises SettingsError as ``State`` does.
    """
    state = State(state_url(shop), shop.name)
    try:
        yield state
    finally:
        state.close()
