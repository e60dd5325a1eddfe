"""Builds a stand-in base from a folder of CSV files or from a real sync file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from schemas.errors import SettingsError, closest
from schemas.settings.stores import Encoding
from schemas.trs import LAYOUTS
from sources.stand_in.base import build_base

CHARSETS = ("WIN1251", "UTF8", "NONE")


@dataclass(frozen=True)
class Dialect:
    """The dialect of the input; None: detect it from the file."""

    encoding: str | None = None
    header: bool | None = None
    layout: int | None = None
    chain_separator: str | None = None


@dataclass(frozen=True)
class Built:
    """Rows by table; for a sync file also its dialect, ambiguous and inferred values, and notes, ready for JSON."""

    counts: dict[str, int]
    read: dict[str, Any] = field(default_factory=dict)


def build_stand_in(
    target: Path,
    from_csv: Path | None,
    from_trs: Path | None,
    dialect: Dialect = Dialect(),
    charset: str = "WIN1251",
    overwrite: bool = False,
) -> Built:
    """Build ``target`` from one of the two inputs. Raises SettingsError for options that do not fit."""
    if charset not in CHARSETS:
        raise SettingsError(f'no charset "{charset}": {closest(charset, list(CHARSETS))}')
    read: dict[str, Any] = {}
    if from_csv is not None and from_trs is None:
        from sources.stand_in.csv_input import read_csv_dir

        types, sections, goods = read_csv_dir(from_csv, dialect.encoding or "utf-8-sig")
    elif from_trs is not None and from_csv is None:
        from sources.trs.base import frames_from_trs
        from sources.trs.file import read_trs

        trs = read_trs(
            from_trs,
            encoding=_one_of("encoding", dialect.encoding, get_args(Encoding)),
            header=dialect.header,
            layout=_one_of("layout", dialect.layout, LAYOUTS),
            chain_separator=_one_of("chain-separator", dialect.chain_separator, (";", "|")),
        )
        frames = frames_from_trs(trs)
        types, sections, goods = frames.product_types, frames.sections, frames.goods
        read = {
            "dialect": trs.dialect.model_dump(),
            "ambiguities": [asdict(entry) for entry in frames.ambiguities],
            "inferred": list(frames.inferred),
            "notes": list(frames.notes),
        }
    else:
        raise SettingsError("give either --from-csv DIR or --from-trs FILE")
    counts = build_base(target, types, sections, goods, charset=charset, overwrite=overwrite)  # type: ignore[arg-type]
    return Built(counts, read)


def _one_of(option: str, value: Any, allowed: Iterable[Any]) -> Any:
    """Return the value if it is None or one of ``allowed``. Raises SettingsError with the closest one."""
    if value is None or value in allowed:
        return value
    raise SettingsError(f'--{option}: no "{value}": {closest(str(value), [str(k) for k in allowed])}')
