"""``sh run test``: gets the servers that the tests start, then runs pytest on two processes.

The tests write and throw away thousands of small databases: in memory where there is plenty, as they need not last.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from scripts.debian import say
from tests import install_servers

MEMORY = Path("/dev/shm")
PLENTY = 4_000_000_000
"""Bytes that must be free in memory."""


def use_memory() -> None:
    """Let the tests put their files in memory, unless TMPDIR says where."""
    if os.environ.get("TMPDIR") or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < PLENTY:
        return
    folder = MEMORY / f"torgsync-tests-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o1777)  # database servers run as users of their own
    os.environ["TMPDIR"] = str(folder)


if __name__ == "__main__":
    install_servers.main()
    use_memory()
    if os.environ.get("CI") == "true":  # nobody reads the output there: a test that skips is a test that fails
        os.environ["TORGSYNC_REQUIRE_SERVERS"] = "1"
    # dozens of processes load Prefect: without compiled files each of them compiles it anew, for two seconds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    say("pytest")
    os.execv(sys.executable, [sys.executable, "-m", "pytest", "-n", "2", *sys.argv[1:]])
