"""``torgsync inspect``: what tables a base has, and a first guess of its schema map."""

from __future__ import annotations

from cli.console import out, out_json
from schemas.errors import TorgsyncError
from schemas.settings.shop import SourceSettings


def run_inspect(dsn: str, user: str, password_env: str | None, as_json: bool) -> None:
    """Print tables, columns and row counts, and a map to paste into shop.toml."""
    from sources.firebird.inspect import inspect_base, propose_map, to_toml

    info = inspect_base(SourceSettings(dsn=dsn, user=user, password_env=password_env))
    try:
        proposed = to_toml(propose_map(info))
    except TorgsyncError as error:
        proposed = f"# no map could be guessed: {error.message}"
    if as_json:
        out_json({**info, "proposed_map": proposed})
        return
    for name, table in info["tables"].items():
        out(f"{name}  {table['rows']} rows")
        for column in table["columns"]:
            out(f"    {column}: {table['columns'][column]}" if isinstance(table["columns"], dict) else f"    {column}")
    out("\n" + proposed)
