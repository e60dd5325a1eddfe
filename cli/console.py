"""What the commands print: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.steps import Steps

_CONTROLS = {code: "·" for code in (*range(32), *range(127, 160)) if code != 10}
"""Names in a base may hold control characters: on a terminal they would be commands."""
_WIDTH = 64
"""Of a step's line while it moves: the shorter text that comes last covers the longer one."""


def out(text: str) -> None:
    """Print a result."""
    print(text.translate(_CONTROLS))  # noqa: T201


def out_json(value: Any) -> None:
    """Print a result as JSON."""
    out(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def shown(path: Path) -> str:
    """A path as one types it from where one stands."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def note(text: str) -> None:
    """Print a remark for the person, on standard error."""
    print(text.translate(_CONTROLS), file=sys.stderr)  # noqa: T201


def console_steps(quiet: bool) -> Steps:
    """Steps that show themselves on standard error; nothing where ``quiet``."""
    return Steps(step_listener(quiet), step_progress(quiet))


def step_listener(quiet: bool) -> Callable[[str, float | None], None]:
    """Shows each step with its seconds; on a terminal also while it runs."""
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
    """Shows how far a long step is, in its line and on a terminal only: a log needs no moving numbers."""
    live = sys.stderr.isatty() and not quiet
    shown = ""

    def progress(name: str, done: int, total: int) -> None:
        nonlocal shown
        text = f"  {name:<24} {100 * done // max(total, 1):3d} %  {done:,} of {total:,}"
        if live and text != shown:
            shown = text
            print(f"{chr(13)}{text:<{_WIDTH}}", end="", flush=True, file=sys.stderr)  # noqa: T201

    return progress
