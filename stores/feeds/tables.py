"""Writes goods as a plain table: CSV, one line each, or JSON, one document with categories and goods.

For readers that take neither YML nor the sync file: a script, a spreadsheet, an import. Every good is in it, with or
without a price. The shop chooses the columns and their names.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, BinaryIO

import pandas as pd

from schemas.settings.feeds import CsvFeed, JsonFeed, TableFeed
from stores.feeds.check import check_feed, refuse_empty
from stores.feeds.goods import KINDS, Piece, Prices, category_paths, pieces
from stores.feeds.sink import FeedFile, Sink
from stores.feeds.text import Notes, blocks, clean_line, lines
from stores.feeds.trs_text import to_cp1251

Cell = str | int | bool | None | list[str]
Cleaner = Callable[[Sequence[str], str, Sequence[int], Notes], list[str]]

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write_csv(stream: BinaryIO, categories: pd.DataFrame, offers: pd.DataFrame, feed: CsvFeed) -> FeedFile:
    """Write OFFERS as a CSV file into a binary stream, piece by piece.

    A text is quoted where it must be, a quote inside is doubled, lines end with CRLF (RFC 4180); there are no line
    breaks inside a cell. Raises StoreError when the catalogue is broken or no good is left.
    """
    check_feed(categories, offers)
    columns, notes, left_out, written = feed.named_columns, Notes(), Counter[str](), 0
    sink = Sink(stream, "cp1251" if feed.encoding == "cp1251" else "utf-8")
    if feed.encoding == "utf-8-sig":
        sink.write("\ufeff")
    if feed.header:
        sink.write(_csv([_encodable(list(columns), feed, None, notes)], feed))
    paths = _paths(categories, columns.values(), feed.path_separator, notes)
    for piece in _chosen(offers, feed, left_out):
        cells = [
            _encodable([_csv_cell(value, field, feed) for value in values], feed, (field, piece.ids), notes)
            for field, values in _columns(piece, feed, paths, lines, notes)
        ]
        sink.write(_csv(zip(*cells, strict=True), feed))
        written += len(piece)
    refuse_empty(written, left_out)
    return sink.done(written, left_out, notes.lines())


def write_json(stream: BinaryIO, categories: pd.DataFrame, offers: pd.DataFrame, feed: JsonFeed) -> FeedFile:
    """Write CATEGORIES and OFFERS as one JSON document (UTF-8), each row on a separate line.

    Decimals are texts (``"211.2"``): a JSON number would become a binary fraction in most readers. Raises StoreError
    when the catalogue is broken or no good is left.
    """
    check_feed(categories, offers)
    columns, notes, left_out, written = feed.named_columns, Notes(), Counter[str](), 0
    sink = Sink(stream)
    paths = category_paths(categories)
    sink.write('{"categories":[\n' + ",\n".join(_categories(categories, paths)) + '\n],\n"offers":[')
    for piece in _chosen(offers, feed, left_out):
        cells = [values for _, values in _columns(piece, feed, paths, blocks, notes)]
        rows = [_json(dict(zip(columns, row, strict=True))) for row in zip(*cells, strict=True)]
        if rows:
            sink.write((",\n" if written else "\n") + ",\n".join(rows))
        written += len(rows)
    refuse_empty(written, left_out)
    sink.write("\n]}\n")
    return sink.done(written, left_out, notes.lines())


def _chosen(offers: pd.DataFrame, feed: TableFeed, left_out: Counter[str]) -> Iterator[Piece]:
    for piece in pieces(offers):
        if feed.hidden == "include":
            yield piece
            continue
        shown = piece.keep([not hidden for hidden in piece.hidden()])
        left_out["hidden"] += len(piece) - len(shown)
        yield shown


def _columns(
    piece: Piece, feed: TableFeed, paths: Mapping[int, list[str]], clean: Cleaner, notes: Notes
) -> Iterator[tuple[str, Sequence[Cell]]]:
    """Return the wanted columns of one piece with JSON values; ``clean`` is applied to long texts."""
    wanted = list(feed.named_columns.values())
    prices = piece.prices(discounts=feed.discounts, notes=notes) if {"price", "old_price"} & {*wanted} else None
    numbers = piece.integers("category_number")
    for field in wanted:
        yield field, _values(field, piece, prices, numbers, paths, clean, notes)


def _values(
    field: str,
    piece: Piece,
    prices: Prices | None,
    numbers: list[int | None],
    paths: Mapping[int, list[str]],
    clean: Cleaner,
    notes: Notes,
) -> Sequence[Cell]:
    if field in ("price", "old_price"):
        assert prices is not None
        return prices.price if field == "price" else prices.old
    if field == "available":
        return [there and not hidden for there, hidden in zip(piece.in_stock(), piece.hidden(), strict=True)]
    if field == "hidden":
        return piece.hidden()
    if field == "category_path":
        return [None if number is None else paths[number] for number in numbers]
    if field == "category_name":
        return [None if number is None else paths[number][-1] for number in numbers]
    if field == "good_id":
        return piece.ids
    kind = KINDS[field]
    if kind == "text":
        return (clean if field == "description" else lines)(piece.texts(field), field, piece.ids, notes)
    return piece.decimals(field) if kind == "decimal" else piece.integers(field)


def _categories(categories: pd.DataFrame, paths: Mapping[int, list[str]]) -> Iterator[str]:
    columns = (categories[name].tolist() for name in ("number", "name", "parent_number", "depth"))
    for number, name, parent, depth in zip(*columns, strict=True):
        yield _json(
            {
                "number": int(number),
                "name": clean_line(str(name)),
                "parent_number": None if pd.isna(parent) else int(parent),
                "path": paths[int(number)],
                "depth": int(depth),
            }
        )


def _paths(
    categories: pd.DataFrame, fields: Sequence[str] | Any, separator: str, notes: Notes
) -> Mapping[int, list[str]]:
    """Return the paths. A path with the separator inside a name cannot be split again, and is noted."""
    paths = category_paths(categories)
    if "category_path" in fields:
        for name in sorted({path[-1] for path in paths.values() if separator in path[-1]}):
            notes.name(f'category_path cannot be split where a name holds its separator "{separator}"', name)
    return paths


def _csv_cell(value: Cell, field: str, feed: CsvFeed) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return feed.path_separator.join(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if feed.decimal != "." and (field in ("price", "old_price") or KINDS.get(field) == "decimal"):
        return str(value).replace(".", feed.decimal)
    return str(value)


def _encodable(texts: list[str], feed: CsvFeed, where: tuple[str, list[int]] | None, notes: Notes) -> list[str]:
    """Return texts that the encoding can hold. Other characters are replaced as in the sync file, and noted."""
    if feed.encoding != "cp1251":
        return texts
    try:
        "".join(texts).encode("cp1251")
    except UnicodeEncodeError:
        pass
    else:
        return texts
    out = []
    for position, text in enumerate(texts):
        cleaned, pairs = to_cp1251(text)
        for character, instead in pairs:
            if where is not None:
                notes.good(f"{where[0]}: {character!r} became {instead!r}, cp1251 cannot hold it", where[1][position])
        out.append(cleaned)
    return out


def _csv(rows: Any, feed: CsvFeed) -> str:
    buffer = StringIO(newline="")
    csv.writer(buffer, delimiter=feed.separator, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue()
