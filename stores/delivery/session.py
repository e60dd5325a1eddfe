"""What every file server can do for a delivery, and how a failure of the network is told."""

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
    """The server could not be reached or the connection broke: the same may succeed a moment later."""


class Session(Protocol):
    """An open connection whose names are files of the target's folder. Every method raises StoreError.

    ``puts_whole``: what is put appears whole or not at all, so that no name beside it and no renaming is needed.
    """

    puts_whole: bool

    def size(self, name: str) -> int | None:
        """How long the file is; None where there is none."""
        ...

    def read(self, name: str, take: Callable[[bytes], object]) -> None:
        """Hand over the file's content piece by piece."""
        ...

    def put(self, name: str, stream: BinaryIO, size: int) -> None:
        """Write a file, over an old one of this name."""
        ...

    def keep(self, name: str, kept: str) -> str | None:
        """Copy ``name`` over ``kept`` on the server while ``name`` stays. A remark where this server cannot."""
        ...

    def replace(self, part: str, name: str, kept: str) -> str | None:
        """Rename ``part`` over ``name``. A remark where ``name`` was absent for a moment (it then became ``kept``)."""
        ...

    def remove(self, name: str) -> None:
        """Remove the file; none is no error."""
        ...


@contextmanager
def network_explained(place: str, doing: str) -> Iterator[None]:
    """Turn a failure of the network below any protocol into one line; what knows its protocol stands inside."""
    try:
        yield
    except StoreError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise StoreError(
            f"{place}: the server's certificate is refused: {error.verify_message or error.reason}",
            "have the certificate mended, write the host as the certificate names it, or name its authority in cafile",
        ) from error
    except ssl.SSLError as error:
        raise ConnectionFailed(
            f"{place}: no safe connection ({doing}): {error.reason or error}", "check that this port speaks TLS"
        ) from error
    except socket.gaierror as error:
        raise ConnectionFailed(
            f"{place}: the host's name is not known: {error.strerror}", "check the spelling and this machine's DNS"
        ) from error
    except TimeoutError as error:
        raise ConnectionFailed(
            f"{place}: no answer in time ({doing})", "check host, port and firewall, or raise timeout_seconds"
        ) from error
    except ConnectionRefusedError as error:
        raise ConnectionFailed(
            f"{place}: nobody listens there", "check host and port, and whether the server runs"
        ) from error
    except (OSError, EOFError) as error:
        text = getattr(error, "strerror", None) or str(error) or "closed by the server"
        raise ConnectionFailed(f"{place}: the connection broke ({doing}): {text}", "run again") from error


def trusted(target: Destination) -> ssl.SSLContext:
    """Verifies the server's certificate and name: by cafile where the settings name one, else as the system does."""
    cafile = target.file("cafile")
    try:
        return ssl.create_default_context(cafile=cafile)
    except OSError as error:  # ssl.SSLError is one
        raise StoreError(f"{target.place}: cafile {cafile} holds no certificate", "give a file in PEM form") from error


def one_line(error: BaseException) -> str:
    """What a server said, which may be several lines."""
    return " ".join(str(error).split())


def missing_folder(place: str) -> StoreError:
    """The error for a folder that is not there: it is never made, since its name may just be misspelt."""
    return StoreError(
        f"{place}: the folder does not exist, or the login may not enter it",
        "create it on the server, or correct target in shop.toml",
    )
