"""``torgsync inspect``: what tables a base has, and a first guess of its schema map."""

from __future__ import annotations

from cli.console import out, out_json
from schemas.settings.shop import SourceSettings


def run_inspect(dsn: str, user: str, password_env: str | None, as_json: bool) -> None:
    """Print tables, columns and row counts, and a map to paste into shop.toml."""
    from engine.setup.inspect_base import describe_base

    info = describe_base(SourceSettings(dsn=dsn, user=user, password_env=password_env))
    if as_json:
        out_json(info)
        return
    for name, table in info["tables"].items():
        out(f"{name}  {table['rows']} rows")
        for column in table["columns"]:
            out(f"    {column}: {table['columns'][column]}" if isinstance(table["columns"], dict) else f"    {column}")
    out("\n" + info["proposed_map"])
