"""``torgsync init``: the folder of a new shop, with a shop.toml that runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cli.console import out, out_json, shown
from schemas.command import COMMAND


def run_init(
    folder: Path, dsn: str | None, user: str, password_env: str | None, kinds: Sequence[str], as_json: bool
) -> None:
    """Create the shop, and print the next steps."""
    from engine.setup.new_shop import make_shop

    made = make_shop(folder, dsn, user, password_env, kinds)
    shop_path = shown(folder.resolve())
    steps = [f"check {shop_path}/shop.toml" + (made.look and f": {made.look}")]
    if password_env:
        steps.append(f"export {password_env}=…")
    steps += [f"{COMMAND} doctor {shop_path}", f"{COMMAND} plan {shop_path}"]
    if as_json:
        out_json({"shop": made.name, "folder": folder.resolve(), "files": list(made.files), "next_steps": steps})
        return
    out(f"{made.name}: {' and '.join(made.files)} written")
    for number, step in enumerate(steps, 1):
        out(f"  {number}. {step}")
