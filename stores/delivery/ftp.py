"""FTP, plain or secured by explicit TLS with a verified certificate, through the standard library."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from schemas.errors import StoreError
from stores.delivery.destination import Destination
from stores.delivery.session import CHUNK, ConnectionFailed, missing_folder, network_explained, one_line, trusted

FULL = ("452", "552")
"""Replies of a server whose disk or quota is full."""
BROKEN = ("421", "425", "426")
"""Replies of a server that closes the connection, or cannot open or keep the one for data."""


class SecureFTP(ftplib.FTP_TLS):
    """FTPS whose data connections resume the TLS session of the control connection.

    vsftpd and FileZilla refuse others by default: the session proves that the same client opens both connections.
    """

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a data connection within the session of the control connection."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            secured = self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session)
        except BaseException:
            connection.close()
            raise
        return secured, size


@contextmanager
def ftp_session(target: Destination) -> Iterator[FtpSession]:
    """Log in, secure the data connections and enter the folder."""
    settings = target.settings
    secret = target.secret or ""
    client: ftplib.FTP
    if settings.protocol == "ftps":
        client = SecureFTP(timeout=settings.timeout_seconds, context=trusted(target))
    else:
        client = ftplib.FTP(timeout=settings.timeout_seconds)  # the shop chose plain FTP; GAPS warns of it
    client.set_pasv(settings.passive)
    session = FtpSession(client, target.label)
    try:
        with session.explained("connecting"):
            client.connect(target.host, target.port)
        with session.explained("logging in"):
            _log_in(client, target, secret)
            client.voidcmd("TYPE I")  # SIZE counts bytes only then
        with session.explained("entering the folder"):
            _enter(client, target)
        yield session
        with suppress(ftplib.Error, OSError, EOFError):
            client.quit()
    finally:
        client.close()


def _log_in(client: ftplib.FTP, target: Destination, secret: str) -> None:
    try:
        if isinstance(client, ftplib.FTP_TLS):
            client.auth()  # before the password; a server without TLS is an error
    except ftplib.error_perm as error:
        raise StoreError(
            f"{target.label}: the server offers no TLS: {one_line(error)}", "ask for TLS there, or use sftp://"
        ) from error
    try:
        client.login(target.user, secret)
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
    except ftplib.error_perm as error:
        text = one_line(error).replace(secret, "…") if secret else one_line(error)
        if not text.startswith("53"):
            raise StoreError(f"{target.label}: the server refused: {text}", "ask the server's administrator") from None
        raise StoreError(
            f"{target.label}: the login {target.user} was refused: {text}",
            f"correct user, or the password in {target.settings.password_env}",
        ) from None  # its text may repeat the password


def _enter(client: ftplib.FTP, target: Destination) -> None:
    try:
        if target.remote_folder != ".":
            client.cwd(target.remote_folder)
    except ftplib.error_perm as error:
        raise missing_folder(target.label) from error


class FtpSession:
    """An open FTP connection, inside the folder."""

    puts_whole = False

    def __init__(self, client: ftplib.FTP, label: str) -> None:
        self.client, self.label = client, label

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn every failure of this protocol into one line."""
        with network_explained(self.label, doing):
            try:
                yield
            except (ftplib.error_perm, ftplib.error_temp) as error:
                text, code = one_line(error), str(error)[:3]
                if code in FULL or any(word in text.casefold() for word in ("quota", "no space", "disk full")):
                    raise StoreError(
                        f"{self.label}: no space left there ({doing}): {text}", "free space or raise the quota there"
                    ) from error
                if code in BROKEN:
                    raise ConnectionFailed(
                        f"{self.label}: the server closed the connection ({doing}): {text}", "run again"
                    ) from error
                raise StoreError(
                    f"{self.label}: the server refused ({doing}): {text}",
                    "give the login the right to write there, or free space",
                ) from error
            except ftplib.Error as error:
                raise ConnectionFailed(
                    f"{self.label}: the server does not speak FTP as expected ({doing}): {one_line(error)}",
                    "check the port",
                ) from error

    def size(self, name: str) -> int | None:
        """Return the size of the file in bytes; None where the server reports none (also without read rights)."""
        with self.explained(f"asking for {name}"):
            try:
                return self.client.size(name)
            except ftplib.error_perm as error:
                if str(error).startswith("550"):
                    return None
                raise StoreError(
                    f"{self.label}: the server reports no sizes, so nothing can be checked: {one_line(error)}",
                    "ask for the command SIZE there, or use sftp://",
                ) from error

    def read(self, name: str, take: Callable[[bytes], object]) -> None:
        """Pass the content of the file to ``take``, piece by piece."""
        with self.explained(f"reading {name}"):
            self.client.retrbinary(f"RETR {name}", take, CHUNK)

    def put(self, name: str, stream: BinaryIO, size: int) -> None:
        """Write a file. If the server closes the data connection, wait for its reply: it has the reason."""
        with self.explained(f"sending {name}"):
            connection = self.client.transfercmd(f"STOR {name}")
            try:
                with connection:
                    while block := stream.read(CHUNK):
                        connection.sendall(block)
                    if isinstance(connection, ssl.SSLSocket):
                        with suppress(OSError):  # some servers answer the goodbye wrongly; the size is compared anyway
                            connection.unwrap()
            except OSError:
                self.client.voidresp()  # raises the server's own words, 452 or 552 for a full disk
                raise
            self.client.voidresp()

    def keep(self, name: str, kept: str) -> str | None:
        """Do nothing: FTP has no copy (see ``GAPS``), and renaming would leave a moment without ``name``."""
        return None

    def replace(self, part: str, name: str, kept: str) -> str | None:
        """Rename over the old file. Where the server refuses, rename the old file first, and back after a failure."""
        with self.explained(f"renaming {part} to {name}"):
            try:
                self.client.rename(part, name)
                return None
            except ftplib.error_perm:
                if self.size(name) is None:
                    raise
        self.remove(kept)
        with self.explained(f"putting {name} aside"):
            self.client.rename(name, kept)
        with self.explained(f"renaming {part} to {name}"):
            try:
                self.client.rename(part, name)
            except ftplib.error_perm:
                self.client.rename(kept, name)
                raise
        return f"the server does not rename over a file: {name} was absent for a moment, the older is {kept}"

    def remove(self, name: str) -> None:
        """Remove the file; a missing file is not an error."""
        if self.size(name) is not None:
            with self.explained(f"removing {name}"):
                self.client.delete(name)
