"""A TCP proxy before a server that falls silent: it keeps the connection open and passes no answer on any more."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class SilentProxy:
    """Passes TCP on to a server, and after so many bytes of answers nothing more, without closing the connection.

    ``silent`` is set when the first answer was kept back. ``well_after``: connections from that one on are passed on
    whole; None for none.
    """

    def __init__(self, host: str, port: int, after: int, well_after: int | None = None) -> None:
        self._server, self._after, self._well_after = (host, port), after, well_after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.silent = threading.Event()
        self.connections = 0
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.create_connection(self._server)
                self._lines += [client, upstream]
                well = self._well_after is not None and self.connections >= self._well_after
                self.connections += 1
                threading.Thread(target=self._forth, args=(client, upstream), daemon=True).start()
                threading.Thread(target=self._back, args=(client, upstream, well), daemon=True).start()

    def _forth(self, client: socket.socket, upstream: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                upstream.sendall(data)

    def _back(self, client: socket.socket, upstream: socket.socket, well: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := upstream.recv(1024):
                if not well and passed >= self._after:
                    self.silent.set()
                    continue
                passed += len(data)
                client.sendall(data)

    def __enter__(self) -> SilentProxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for line in (self._listener, *self._lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
