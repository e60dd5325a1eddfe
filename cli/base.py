"""``torgsync base build``: a stand-in base from CSV samples or from a real sync file."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten

from cli.console import note, out, out_json


def run_base_build(
    target: Path,
    from_csv: Path | None,
    from_trs: Path | None,
    encoding: str | None,
    header: bool | None,
    layout: int | None,
    chain_separator: str | None,
    charset: str,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Build the base, print its row counts, and list what was inferred."""
    from engine.setup.build_base import Dialect, build_stand_in

    dialect = Dialect(encoding, header, layout, chain_separator)
    built = build_stand_in(target, from_csv, from_trs, dialect, charset, overwrite)
    if as_json:
        out_json({"base": str(target), **built.read, "counts": built.counts})
        return
    if quiet:
        return
    counts = ", ".join(f"{count} {table.lower().replace('_', ' ')}" for table, count in built.counts.items())
    out(f"{target}: {counts} ({charset}; a stand-in base: its tables are torgsync's, not the vendor's)")
    for text in built.read.get("notes", []):
        note(f"  note: {text}")
    for what in ("inferred", "ambiguities"):
        entries = built.read.get(what, [])
        if entries:
            note(f"  {len(entries)} {what}; the first (all of them with --json):")
            for entry in entries[:5]:
                note("    " + shorten(str(entry), 160, placeholder=" …"))
