"""Makes fdb load the Firebird client library of the wheel ``firebird-embedded``: engine and network client in one.

Without it every workstation would need a Firebird installation of the right version. The same library opens a local
file (no server needed) and talks TCP to the shop's own server, whatever version that is.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fdb

from schemas.errors import SourceError
from sources.firebird.status import keep_status

_TOMMATH = "libtommath.so.1"


def load_client() -> None:
    """Load the client library once; later calls do nothing.

    Sets ``FIREBIRD`` (where the engine finds its plugins and messages) and ``FIREBIRD_LOCK`` (a folder of this user, so
    that the root's leftovers in a shared folder lock nobody out), unless ``FIREBIRD_LOCK`` is set by the operator.
    Raises SourceError when the wheel or Debian's libtommath is absent.
    """
    if hasattr(fdb.fbcore, "api"):
        return
    runtime = _runtime()
    keep_status()
    if runtime is None:
        _load_system_client()
        _keep_our_signals()
        return
    os.environ["FIREBIRD"] = str(runtime)
    os.environ.setdefault("FIREBIRD_LOCK", str(_lock_folder()))
    _load_tommath()
    _load_unpacked_icu()
    try:
        # The wheel's libraries have no search path of their own: what they need must be in the process before them.
        ctypes.CDLL(str(runtime / "libtomcrypt.so.1"), mode=ctypes.RTLD_GLOBAL)
        fdb.load_api(str(runtime / "libfbclient.so.2"))
        _keep_our_signals()
    except OSError as error:
        raise SourceError(
            f"the Firebird client library could not be loaded: {error}",
            "reinstall it: pip install --force-reinstall firebird-embedded",
        ) from error


def _keep_our_signals() -> None:
    """Let the client install its handlers of SIGINT and SIGTERM now, once and for all, and put back those of before.

    Its handler shuts the engine down from a thread of its own. A signal that came while the engine opened a base made
    the two race: the process died of SIGSEGV instead of ending in good order. The client installs it at the beginning
    of its first attach, whatever becomes of that one; so the first one has a parameter that it refuses unread, before
    it loads anything (0.2 ms). Signals of this thread wait so long.
    """
    with _handlers_kept(signal.SIGINT, signal.SIGTERM):
        status, nothing = (ctypes.c_long * 20)(), ctypes.c_uint(0)
        fdb.fbcore.api.client_library.isc_attach_database(status, 0, b"", ctypes.byref(nothing), 1, b"\xff")


@contextmanager
def _handlers_kept(*numbers: signal.Signals) -> Iterator[None]:
    """Put the C handlers back, which Python does not know of and, outside its main thread, could not set."""
    sigaction = ctypes.CDLL(None).sigaction
    before = {number: ctypes.create_string_buffer(512) for number in numbers}  # more than any system's struct sigaction
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        for number, handler in before.items():
            sigaction(int(number), None, handler)
        yield
        for number, handler in before.items():
            sigaction(int(number), handler, None)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _runtime() -> Path | None:
    """The wheel's runtime folder, or None where the wheel is not installed (other processors)."""
    try:
        spec = importlib.util.find_spec("firebird.embedded")
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "runtime"
    return folder if folder.is_dir() else None


def _load_system_client() -> None:
    """Where no wheel exists, an installed Firebird client still reads a server."""
    try:
        fdb.load_api()
    except Exception as error:  # fdb raises a bare Exception here
        raise SourceError(
            "no Firebird client library: the wheel firebird-embedded exists for Linux x86-64 only",
            "install the system's client library (Debian: apt-get install libfbclient2)",
        ) from error


def _lock_folder() -> Path:
    """Our own folder for Firebird's lock files, of this user only."""
    folder = Path(tempfile.gettempdir()) / f"torgsync-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise SourceError(f"{folder} belongs to another user", "remove it, or set FIREBIRD_LOCK to a folder of yours")
    return folder


def _load_unpacked_icu() -> None:
    """Load the ICU that the installer unpacked into the virtualenv where the system has none; charsets need it."""
    folder = Path(sys.prefix) / "lib"
    for name in ("libicudata", "libicuuc", "libicui18n"):  # each needs the ones before it
        for found in sorted(folder.glob(f"{name}.so.??")):
            ctypes.CDLL(str(found), mode=ctypes.RTLD_GLOBAL)


def _load_tommath() -> None:
    """Load libtommath for all libraries that come after; the installer may have put it into the virtualenv."""
    ours = Path(sys.prefix) / "lib" / _TOMMATH
    for candidate in (str(ours), _TOMMATH) if ours.is_file() else (_TOMMATH,):
        try:
            ctypes.CDLL(candidate, mode=ctypes.RTLD_GLOBAL)
            return
        except OSError:
            continue
    raise SourceError(
        f"{_TOMMATH} is not installed: the Firebird engine needs it", "apt-get install libtommath1 (as root)"
    )
