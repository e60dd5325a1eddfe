"""The command as its user types it, for every message that names a next step."""

from __future__ import annotations

import os

COMMAND = os.environ.get("TORGSYNC_COMMAND") or "torgsync"
"""``torgsync``; ``sh run torgsync`` where that started it, as there is no ``torgsync`` on the PATH then.

What starts torgsync in another way says so in TORGSYNC_COMMAND. Read once: every message of a process says the same.
"""
