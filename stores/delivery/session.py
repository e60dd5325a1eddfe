"""What a delivery needs of every file server, and the messages for network errors."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from schemas.errors import StoreError
from stores.delivery.destination import Destination

CHUNK = 256 * 1024


class ConnectionFailed(StoreError):
    """The server could not be reached, or the connection broke: a second attempt may succeed."""


class Session(Protocol):
    """An open connection whose names are files of the target's folder. Every method raises StoreError.

    ``puts_whole``: ``put`` is atomic, so that no second name and no renaming is needed.
    """

    puts_whole: bool

    def size(self, name: str) -> int | None:
        """Return the size of the file in bytes; None where there is none."""
        ...

    def read(self, name: str, take: Callable[[bytes], object]) -> None:
        """Pass the content of the file to ``take``, piece by piece."""
        ...

    def put(self, name: str, stream: BinaryIO, size: int) -> None:
        """Write a file, or replace the one of this name."""
        ...

    def keep(self, name: str, kept: str) -> str | None:
        """Copy ``name`` over ``kept`` on the server; returns a note where the server cannot."""
        ...

    def replace(self, part: str, name: str, kept: str) -> str | None:
        """Rename ``part`` over ``name``; returns a note where ``name`` was absent for a moment (now ``kept``)."""
        ...

    def remove(self, name: str) -> None:
        """Remove the file; a missing file is not an error."""
        ...


@contextmanager
def network_explained(label: str, doing: str) -> Iterator[None]:
    """Turn a network error into a StoreError of one line. Handlers of protocol errors belong inside."""
    try:
        yield
    except StoreError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise StoreError(
            f"{label}: the server's certificate is refused: {error.verify_message or error.reason}",
            "ask for a valid certificate, write the host as the certificate names it, or name its authority in cafile",
        ) from error
    except ssl.SSLError as error:
        raise ConnectionFailed(
            f"{label}: no safe connection ({doing}): {error.reason or error}", "check that this port speaks TLS"
        ) from error
    except socket.gaierror as error:
        raise ConnectionFailed(
            f"{label}: the host's name is not known: {error.strerror}", "check the spelling and this machine's DNS"
        ) from error
    except TimeoutError as error:
        raise ConnectionFailed(
            f"{label}: no answer in time ({doing})", "check host, port and firewall, or raise timeout_seconds"
        ) from error
    except ConnectionRefusedError as error:
        raise ConnectionFailed(
            f"{label}: nobody listens there", "check host and port, and whether the server runs"
        ) from error
    except (OSError, EOFError) as error:
        text = getattr(error, "strerror", None) or str(error) or "closed by the server"
        raise ConnectionFailed(f"{label}: the connection broke ({doing}): {text}", "run again") from error


def trusted(target: Destination) -> ssl.SSLContext:
    """Return a TLS context that verifies certificate and name: with cafile of the settings, else as the system does."""
    cafile = target.file("cafile")
    try:
        return ssl.create_default_context(cafile=cafile)
    except OSError as error:  # ssl.SSLError is one
        raise StoreError(f"{target.label}: cafile {cafile} holds no certificate", "give a file in PEM form") from error


def one_line(error: BaseException) -> str:
    """Return a server's message as one line."""
    return " ".join(str(error).split())


def missing_folder(label: str) -> StoreError:
    """Return the error for a missing folder. It is never made, as its name may be misspelt."""
    return StoreError(
        f"{label}: the folder does not exist, or the login may not enter it",
        "create it on the server, or correct target in shop.toml",
    )
