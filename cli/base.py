"""``torgsync base build``: a stand-in base from CSV samples or from a real sync file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from textwrap import shorten
from typing import Any, get_args

from cli.console import note, out, out_json
from schemas.errors import SettingsError, closest
from schemas.settings.stores import Encoding
from schemas.trs import LAYOUTS


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
    """Build the base, say what was built, and list what had to be inferred."""
    from sources.stand_in.base import build_base

    if (from_csv is None) == (from_trs is None):
        raise SettingsError("give either --from-csv DIR or --from-trs FILE")
    if charset not in ("WIN1251", "UTF8", "NONE"):
        raise SettingsError(f'no charset "{charset}": {closest(charset, ["WIN1251", "UTF8", "NONE"])}')
    result: dict[str, Any] = {}
    if from_csv is not None:
        from sources.stand_in.csv_input import read_csv_dir

        types, sections, goods = read_csv_dir(from_csv, encoding or "utf-8-sig")
    else:
        from sources.trs.base import frames_from_trs
        from sources.trs.file import read_trs

        assert from_trs is not None
        trs = read_trs(
            from_trs,
            encoding=_one_of("encoding", encoding, get_args(Encoding)),
            header=header,
            layout=_one_of("layout", layout, LAYOUTS),
            chain_separator=_one_of("chain-separator", chain_separator, (";", "|")),
        )
        frames = frames_from_trs(trs)
        types, sections, goods = frames.product_types, frames.sections, frames.goods
        result = {
            "dialect": trs.dialect.model_dump(),
            "ambiguities": [asdict(entry) for entry in frames.ambiguities],
            "inferred": list(frames.inferred),
            "notes": list(frames.notes),
        }
    result["counts"] = build_base(target, types, sections, goods, charset=charset, overwrite=overwrite)  # type: ignore[arg-type]
    if as_json:
        out_json({"base": str(target), **result})
        return
    if quiet:
        return
    counts = ", ".join(f"{count} {table.lower().replace('_', ' ')}" for table, count in result["counts"].items())
    out(f"{target}: {counts} ({charset}; a stand-in base: its tables are ours, not the vendor's)")
    for text in result.get("notes", []):
        note(f"  note: {text}")
    for what in ("inferred", "ambiguities"):
        entries = result.get(what, [])
        if entries:
            note(f"  {len(entries)} {what}; the first (all of them with --json):")
            for entry in entries[:5]:
                note("    " + shorten(str(entry), 160, placeholder=" …"))


def _one_of(option: str, value: Any, known: Iterable[Any]) -> Any:
    """The value, when it is one of those known, or None. Raises SettingsError with the closest one."""
    if value is None or value in known:
        return value
    raise SettingsError(f'--{option}: no "{value}": {closest(str(value), [str(k) for k in known])}')
