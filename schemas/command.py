"""The command as its user types it, for messages that name a next step."""

from __future__ import annotations

import os

COMMAND = os.environ.get("TORGSYNC_COMMAND") or "torgsync"
"""``torgsync``; ``sh run torgsync`` where that started it, as ``torgsync`` is not on the PATH then.

Any other starter sets TORGSYNC_COMMAND. It is read once, so that all messages of a process agree.
"""
