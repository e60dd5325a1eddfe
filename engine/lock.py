"""One run per shop at a time. The locks are the operating system's and PostgreSQL's: they die with their process.

The shop's folder is locked always, twice: by the file ``.torgsync.lock``, which somebody may delete, and by the folder
itself, which nobody deletes by accident. A lock on a deleted file keeps nobody out. Where the state lies in PostgreSQL,
several machines may have a folder of that shop each: an advisory lock in that database, on a connection of its own, is
held as well.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from database.connect import open_database
from schemas.errors import SettingsError, ShopBusy
from schemas.settings.files import LOCK_FILES
from schemas.settings.shop import Shop
from state.engine import explained_errors
from state.url import state_url

PATIENCE = 0.5
"""Seconds that a held lock is waited for: somebody who only looks whether the shop is held has it for a moment."""

_KEEPALIVES = {"tcp_keepalives_idle": "60", "tcp_keepalives_interval": "20", "tcp_keepalives_count": "3"}
_PLACE, _HOLDER_FILE = LOCK_FILES
_NO_FOLDER_LOCK = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a network file system answers that cannot lock a folder: there the file alone is locked."""
_NAME_LENGTH = 63  # PostgreSQL cuts an application_name after it


@contextmanager
def hold(shop: Shop, wait: float = 0.0) -> Iterator[None]:
    """Hold the shop. Raises ShopBusy, naming the holder, when another run still has it after ``wait`` seconds."""
    end = time.monotonic() + max(wait, PATIENCE)
    with _folder(shop, end), _database(shop, end):
        yield


def held(shop: Shop) -> bool:
    """Whether a run holds the shop now. Asked of the locks: a dead process leaves its note, but no lock."""
    with ExitStack() as stack:
        if not _acquired(stack, shop.folder, 0):
            return True
    with explained_errors(state_url(shop)):
        connection = _connect(shop)
        if connection is None:
            return False
        with connection:
            return connection.execute(_HOLDER, {"key": lock_key(shop.name)}).first() is not None


@contextmanager
def _folder(shop: Shop, end: float) -> Iterator[None]:
    holder = shop.folder / _HOLDER_FILE
    with ExitStack() as stack:
        if not _acquired(stack, shop.folder, max(end - time.monotonic(), 0)):
            raise _busy(shop, _told(holder))
        try:
            with suppress(OSError):  # it only tells others who has the lock
                holder.write_text(json.dumps({"pid": os.getpid(), "host": os.uname().nodename, "since": _now()}))
            yield
        finally:  # the locks are freed also where a signal comes just here
            with suppress(OSError):
                holder.unlink(missing_ok=True)


def _acquired(stack: ExitStack, folder: Path, patience: float) -> bool:
    """Lock the file and the folder until ``stack`` ends; False, with neither locked, when somebody has one of them."""
    end = time.monotonic() + patience
    while True:
        with ExitStack() as attempt:
            if not _file_locked(attempt, folder / _PLACE, max(end - time.monotonic(), 0)):
                return False
            if not _folder_locked(attempt, folder, end):
                return False
            if _names_our_lock(folder / _PLACE):
                stack.push(attempt.pop_all())
                return True


def _file_locked(attempt: ExitStack, path: Path, patience: float) -> bool:
    lock = FileLock(path)
    attempt.callback(lock.release)  # without effect where it was not acquired
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        return False
    except OSError as error:
        raise _no_right(path, error) from error
    return True


def _folder_locked(attempt: ExitStack, folder: Path, end: float) -> bool:
    """Lock the folder itself; True also where its file system cannot do that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _no_right(folder, error) from error
    attempt.callback(os.close, descriptor)  # which frees it
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_FOLDER_LOCK:
                return True
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise _no_right(folder, error) from error
        else:
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.02)


def _names_our_lock(path: Path) -> bool:
    """Whether the file that lies there is the one that we hold: nobody can lock that one. It may be a newer one."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _no_right(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path}: {error.strerror or error}", "run as the user that owns the shop's folder, or give it to this one"
    )


@contextmanager
def _database(shop: Shop, end: float) -> Iterator[None]:
    """The advisory lock of the shop's name, where the state is PostgreSQL's."""
    connection = None
    try:
        with explained_errors(state_url(shop)):
            connection = _connect(shop)
            if connection is not None:
                _lock(connection, shop, max(end, time.monotonic() + PATIENCE))
        yield
    finally:
        if connection is not None:
            with suppress(SQLAlchemyError):  # a lost connection has freed the lock already
                connection.close()


def _connect(shop: Shop) -> Connection | None:
    """A connection of the lock's own, which tells the holder in its name; None where the state is a file."""
    url = state_url(shop)
    if url.get_backend_name() != "postgresql":
        return None
    name = {"application_name": application_name(os.getpid(), os.uname().nodename, _now())}
    return open_database(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=name).connect()


def _lock(connection: Connection, shop: Shop, end: float) -> None:
    key = lock_key(shop.name)
    # nobody speaks on this connection while the run lasts: the server must not take it for idle
    connection.execute(text("select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'"))
    # a machine that loses its power says no word: the server shall miss it within two minutes, and free the shop
    for name, value in _KEEPALIVES.items():
        connection.execute(text("select set_config(:name, :value, false)"), {"name": name, "value": value})
    while not connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": key}).scalar():
        if time.monotonic() > end:
            raise _busy(shop, connection.execute(_HOLDER, {"key": key}).scalar() or "another process")
        time.sleep(0.05)


# PostgreSQL shows the two halves of a 64-bit key in columns of their own, each without a sign
_HOLDER = text(
    "select a.application_name || coalesce(' (' || host(a.client_addr) || ')', '') from pg_locks l"
    " join pg_stat_activity a on a.pid = l.pid"
    " where l.locktype = 'advisory' and l.granted and l.objsubid = 1"
    " and l.database = (select oid from pg_database where datname = current_database())"
    " and l.classid::bigint = ((cast(:key as bigint) >> 32) & 4294967295)"
    " and l.objid::bigint = (cast(:key as bigint) & 4294967295)"
)


def lock_key(shop: str) -> int:
    """The advisory lock of a shop: a signed 64-bit hash of its name."""
    return int.from_bytes(sha256(f"torgsync shop {shop}".encode()).digest()[:8], "big", signed=True)


def application_name(pid: int, host: str, since: str) -> str:
    """Who holds a shop, as PostgreSQL shows it: at most 63 characters of ASCII; a long host name is cut."""
    front, back = f"torgsync {pid}@", f" since {since}"
    plain = host.encode("ascii", "replace").decode()
    return front + plain[: _NAME_LENGTH - len(front) - len(back)] + back


def _told(holder: Path) -> str:
    """Who holds the folder. One that has just taken it has not written its name yet, and a dead one left its own."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            who = json.loads(holder.read_text())
            if who["host"] != os.uname().nodename or _lives(int(who["pid"])):
                return f"process {who['pid']} on {who['host']} since {who['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            pass
        if time.monotonic() > end:
            return "another process"
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True


def _busy(shop: Shop, told: str) -> ShopBusy:
    return ShopBusy(f"shop {shop.name} is held by {told}", "wait for that run to end, then run again")


def _now() -> str:
    return datetime.now().astimezone().isoformat("T", "seconds")
