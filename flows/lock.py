"""One run per shop at a time. The lock is the operating system's: it dies with its process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from filelock import FileLock, Timeout

from schemas.errors import SettingsError, ShopBusy
from schemas.shop import Shop


@contextmanager
def hold(shop: Shop) -> Iterator[None]:
    """Hold the shop. Raises ShopBusy, naming the holder, when another run has it."""
    place = shop.folder / ".torgsync.lock"
    holder = shop.folder / ".torgsync.holder.json"
    lock = FileLock(place)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        try:
            who = json.loads(holder.read_text())
            told = f"process {who['pid']} on {who['host']} since {who['since']}"
        except (OSError, ValueError, KeyError):
            told = "another process"
        raise ShopBusy(f"shop {shop.name} is held by {told}", "wait for that run to end, then run again") from error
    except OSError as error:
        raise SettingsError(
            f"{place}: {error.strerror or error}", "run as the user that owns the shop's folder, or give it to this one"
        ) from error
    try:
        since = datetime.now().astimezone().isoformat("T", "seconds")
        holder.write_text(json.dumps({"pid": os.getpid(), "host": os.uname().nodename, "since": since}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
