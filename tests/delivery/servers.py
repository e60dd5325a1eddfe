"""Real file servers on free loopback ports: FTP and FTPS (pyftpdlib), SFTP (asyncssh), S3 (moto)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import asyncssh
from moto.server import ThreadedMotoServer
from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from tests.patience import PATIENCE

USER, PASSWORD = "feed", "open sesame"


@contextmanager
def ftp_server(folder: Path, handler: type[FTPHandler] = FTPHandler, perm: str = "elradfmwMT") -> Iterator[int]:
    """An FTP server with an event loop of its own; several in one loop hang each other."""
    own: Any = type("Handler", (handler,), {"authorizer": DummyAuthorizer(), "auth_failed_timeout": 0})
    own.authorizer.add_user(USER, PASSWORD, str(folder), perm=perm)
    loop = IOLoop()
    server = FTPServer(("127.0.0.1", 0), own, ioloop=loop)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            loop.loop(timeout=0.02, blocking=False)
        server.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        stop.set()
        thread.join(10)


def tls_handler(certificate: Path, base: type[FTPHandler] = TLS_FTPHandler, **attributes: object) -> type[FTPHandler]:
    """A handler that demands TLS on both connections, and that the second resumes the session of the first."""

    class Resumed(TLS_DTPHandler):
        resumed: ClassVar[list[bool]] = []

        def handle_ssl_established(self) -> None:
            Resumed.resumed.append(bool(SSL._lib.SSL_session_reused(self.socket._ssl)))  # type: ignore[attr-defined]
            super().handle_ssl_established()

    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(certificate))
    context.set_session_id(b"torgsync")
    own = {"ssl_context": context, "tls_control_required": True, "tls_data_required": True, "dtp_handler": Resumed}
    return type("TlsHandler", (base,), {**own, **attributes})


class NoOverwriteHandler(FTPHandler):
    """Does not rename over a file, as IIS."""

    def ftp_RNTO(self, path: str) -> str | None:
        if Path(path).exists():
            self.respond("550 Cannot create a file when that file already exists.")
            return None
        return super().ftp_RNTO(path)


class DyingData(DTPHandler):
    """Cuts both connections in the middle of a file."""

    def handle_read(self) -> None:
        super().handle_read()
        if self.receive and self.tot_bytes_received > 50_000:
            self.cmd_channel.close()

    handle_read_event = handle_read


def full_disk_handler(reply: str) -> type[FTPHandler]:
    """A server whose disk is full after some bytes; it says so in these words."""

    class FullData(DTPHandler):
        def handle_read(self) -> None:
            super().handle_read()
            if self.receive and self.tot_bytes_received > 50_000:
                self._resp = (reply, lambda _: None)
                self.close()

        handle_read_event = handle_read

    return type("FullHandler", (FTPHandler,), {"dtp_handler": FullData})


class PlainSftp(asyncssh.SFTPServer):
    """SFTP version 3 without OpenSSH's extensions: no rename over a file, no links."""

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("posix-rename is not supported")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("hardlink is not supported")


class FullSftp(asyncssh.SFTPServer):
    """Refuses one block in the middle of a file, then takes the others: its size is right and its content wrong."""

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        if offset == 32768:
            raise asyncssh.SFTPFailure("No space left on device")
        return super().write(file_obj, offset, data)


class ReadOnlySftp(asyncssh.SFTPServer):
    """The login may look and not write."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & asyncssh.FXF_WRITE:
            raise asyncssh.SFTPPermissionDenied("read only")
        return super().open(path, pflags, attrs)


class DyingSftp(asyncssh.SFTPServer):
    """Cuts the connection in the middle of a file."""

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        if offset >= 32768:
            self.connection.abort()
        return super().write(file_obj, offset, data)


class _Logins(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@contextmanager
def sftp_server(
    folder: Path,
    host_key: asyncssh.SSHKey,
    server: type[asyncssh.SFTPServer] | None = asyncssh.SFTPServer,
    clients: Path | None = None,
) -> Iterator[int]:
    """An SFTP server in a thread with an event loop of its own; ``server`` None: SSH without SFTP.

    ``clients``: file of keys that may log in.
    """
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    ports: list[int] = []

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_Logins,
            server_host_keys=[host_key],
            authorized_client_keys=str(clients) if clients else None,
            sftp_factory=server and (lambda chan: server(chan, chroot=str(folder).encode())),
            gss_host=None,
        )

    def serve() -> None:
        asyncio.set_event_loop(loop)
        acceptor = loop.run_until_complete(listen())
        ports.append(acceptor.get_port())
        ready.set()
        loop.run_forever()
        acceptor.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def s3_server() -> Iterator[str]:
    """An S3 server; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
