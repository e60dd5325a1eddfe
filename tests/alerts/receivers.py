"""Receivers of alerts as real loopback servers: HTTP with faults by path, and a small SMTP."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.patience import PATIENCE


@dataclass
class Receiver:
    """What arrived: (method, path, body). A path with ``slow`` drips its answer for 30 s, ``refuse`` answers 403."""

    port: int
    got: list[tuple[str, str, str]] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "hook", scheme: str = "json") -> str:
        return f"{scheme}://user:geheim@127.0.0.1:{self.port}/{path}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The bodies of JSON messages."""
        return [json.loads(body) for _, path, body in self.got if body.startswith("{")]

    def subjects(self) -> list[str]:
        return [message["title"] for message in self.messages]

    def wait(self, number: int, seconds: float = PATIENCE) -> None:
        """Wait until so many requests have come."""
        end = time.monotonic() + seconds
        while len(self.got) < number and time.monotonic() < end:
            time.sleep(0.05)


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """A webhook and heartbeat receiver on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            receiver.got.append((self.command, self.path, body))
            if "refuse" in self.path:
                self.send_error(403)
                return
            self.send_response(200)
            self.end_headers()
            if "slow" in self.path:
                with suppress(OSError):  # whoever asked has gone
                    while not receiver.open.wait(0.1):
                        self.wfile.write(b".")
                        self.wfile.flush()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver = Receiver(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.open.set()
            server.shutdown()


@contextmanager
def smtp_receiver() -> Iterator[tuple[int, list[str]]]:
    """A mail server that takes everything: its port and the mails it got."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            while line := self.rfile.readline():
                word = line.strip().upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    text = b""
                    while (line := self.rfile.readline()) != b".\r\n":
                        text += line
                    mails.append(text.decode())
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1], mails
        finally:
            server.shutdown()
