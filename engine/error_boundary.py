"""What goes wrong unexpectedly in one store stays that store's failure, so that the others are brought up to date."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from engine.secrets import scrubbed
from schemas.catalogue import Catalogue
from schemas.contents import Contents
from schemas.errors import StoreError, TorgsyncError
from schemas.report import StoreResult
from schemas.settings.shop import Shop
from stores.protocol import Begun, Replan, StoreAdapter, Wanted

_log = logging.getLogger("torgsync.stores")  # without a handler of its own: an error goes to standard error


@contextmanager
def contained(shop: Shop, store: str) -> Iterator[None]:
    """Make an error that nobody expected a StoreError; its traceback goes to the log, without the shop's secrets."""
    try:
        yield
    except (TorgsyncError, SQLAlchemyError):
        raise  # stores tell their database's errors themselves: one that comes here is the state's, and ends the run
    except Exception as error:
        trace = "".join(traceback.format_exception(error))
        _log.error("torgsync: store %s: an unexpected error\n%s", store, scrubbed(shop, trace))
        text = (str(error).strip().splitlines() or [""])[0]
        raise StoreError(
            scrubbed(shop, f"store {store}: {type(error).__name__}: {text}"), "run again; report it with the log"
        ) from None


class Contained:
    """A store whose unexpected errors are failures of its own."""

    def __init__(self, target: StoreAdapter, shop: Shop) -> None:
        self._target, self._shop = target, shop
        self.name, self.kind, self.capabilities = target.name, target.kind, target.capabilities

    def want(self, catalogue: Catalogue, contents: Contents) -> Wanted:
        """As the store does it."""
        with contained(self._shop, self.name):
            return self._target.want(catalogue, contents)

    def read(self) -> Contents:
        """As the store does it."""
        with contained(self._shop, self.name):
            return self._target.read()

    def apply(self, wanted: Wanted, replan: Replan, begun: Begun) -> StoreResult:
        """As the store does it."""
        with contained(self._shop, self.name):
            return self._target.apply(wanted, replan, begun)
