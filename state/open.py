"""Opens the state of a shop, in one way for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.settings.shop import Shop
from state.database import State
from state.url import state_url


@contextmanager
def open_state(shop: Shop) -> Iterator[State]:
    """The state of a shop, brought to the newest schema; closed at the end. Raises SettingsError as ``State`` does."""
    state = State(state_url(shop), shop.name)
    try:
        yield state
    finally:
        state.close()
