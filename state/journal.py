"""The operation journal of one store in one run: what was begun, what the store confirmed, what it refused."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.plan import Operation
from state.database import State


class StateJournal:
    """Writes each step into the state database at once: a killed run leaves its last one as ``begun``."""

    def __init__(self, state: State, run: str, store: str) -> None:
        self.state, self.run, self.store = state, run, store
        self.open: dict[int, dict[str, object]] = {}

    def begin(self, position: int, operation: Operation) -> None:
        """The operation at this place of the plan is about to be sent."""
        self._write(position, operation.kind, operation.entity, str(operation.key))

    def all_at_once(self, operations: Sequence[Operation]) -> None:
        """All operations are about to be sent in one transaction; ``done(-1)`` after its commit."""
        self._write(-1, "all", "store", str(len(operations)))

    def done(self, position: int) -> None:
        """The store confirmed it."""
        self._close(position, "done", "")

    def failed(self, position: int, message: str) -> None:
        """The store refused it."""
        self._close(position, "failed", message)

    def _write(self, position: int, kind: str, entity: str, key: str) -> None:
        row: dict[str, object] = {"kind": kind, "entity": entity, "key": key, "status": "begun", "message": ""}
        self.open[position] = row
        self.state.journal(self.run, self.store, [{"position": position, **row}])

    def _close(self, position: int, status: str, message: str) -> None:
        row = self.open.pop(position) | {"status": status, "message": message}
        self.state.journal(self.run, self.store, [{"position": position, **row}])
