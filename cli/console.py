"""Output of the commands: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.steps import Steps

_CONTROLS = {code: "·" for code in (*range(32), *range(127, 160)) if code != 10}
"""Names in a base may have control characters, which a terminal would execute."""
_WIDTH = 64
"""Width of a moving line: a shorter text must cover the longer one before it."""


def out(text: str) -> None:
    """Print a result."""
    print(text.translate(_CONTROLS))  # noqa: T201


def out_json(value: Any) -> None:
    """Print a result as JSON."""
    out(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def shown(path: Path) -> str:
    """Return a path as typed from the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def note(text: str) -> None:
    """Print a note on standard error."""
    print(text.translate(_CONTROLS), file=sys.stderr)  # noqa: T201


def console_steps(quiet: bool) -> Steps:
    """Return steps that print to standard error; nothing where ``quiet``."""
    return Steps(step_listener(quiet), step_progress(quiet))


def step_listener(quiet: bool) -> Callable[[str, float | None], None]:
    """Return a listener that prints each step with its seconds; on a terminal also while it runs."""
    live = sys.stderr.isatty()

    def listen(name: str, seconds: float | None) -> None:
        if quiet:
            return
        if seconds is not None:
            end = f"  {name:<24} {seconds:6.2f} s"
            print(f"{chr(13)}{end:<{_WIDTH}}" if live else end, file=sys.stderr)  # noqa: T201
        elif live:
            print(f"  {name:<24} …", end="", flush=True, file=sys.stderr)  # noqa: T201

    return listen


def step_progress(quiet: bool) -> Callable[[str, int, int], None]:
    """Return a listener that prints the progress of a long step, only on a terminal."""
    live = sys.stderr.isatty() and not quiet
    shown = ""

    def progress(name: str, done: int, total: int) -> None:
        nonlocal shown
        text = f"  {name:<24} {100 * done // max(total, 1):3d} %  {done:,} of {total:,}"
        if live and text != shown:
            shown = text
            print(f"{chr(13)}{text:<{_WIDTH}}", end="", flush=True, file=sys.stderr)  # noqa: T201

    return progress
