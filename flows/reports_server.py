"""A small web server for the runs' pages, on this machine only: the Prefect UI links to them."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from engine.runs.pages import page_of
from schemas.errors import TorgsyncError
from schemas.settings.shop import Shop


def serve_reports(shops: dict[str, Shop], host: str, port: int) -> ThreadingHTTPServer:
    """Serve ``/SHOP/RUN`` in a thread of its own; ``/SHOP`` is the newest run. Port 0 takes a free one.

    Raises OSError where the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shop, _, run = unquote(self.path.split("?")[0]).strip("/").partition("/")
            try:
                page = page_of(shops[shop], run or "last")
            except KeyError:
                self._send(HTTPStatus.NOT_FOUND, f"no shop {shop!r} here: {', '.join(sorted(shops))}")
            except TorgsyncError as error:
                self._send(HTTPStatus.NOT_FOUND, str(error))
            else:
                self._send(HTTPStatus.OK, page, "text/html")

        def _send(self, status: HTTPStatus, text: str, kind: str = "text/plain") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the terminal belongs to the runs."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="torgsync-reports", daemon=True).start()
    return server
