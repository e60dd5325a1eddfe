"""A PostgreSQL connection that gives up a server which has fallen silent. libpq alone would wait for ever.

The machine that answers need not be dead: a frozen server, or a proxy before a dead one, keeps the connection open.
MariaDB's drivers have time limits of their own.
"""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


class PatientConnection(psycopg.Connection[Any]):
    """Waits for ``answer_seconds`` without a byte, then closes itself and raises OperationalError."""

    answer_seconds: float = 300.0

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        """Run one exchange with the server, as psycopg does it."""
        return super().wait(self._limited(gen), *args, **kwargs)

    def _limited(self, exchange: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """The exchange, which is asked every tenth of a second whether the server is ready."""
        try:
            wanted = next(exchange)
            last = monotonic()
            while True:
                ready = yield wanted
                if ready:
                    last = monotonic()
                elif monotonic() - last > self.answer_seconds:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"the server did not answer for {self.answer_seconds:g} seconds")
                wanted = exchange.send(ready)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
