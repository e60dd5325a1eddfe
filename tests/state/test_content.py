"""The fingerprint of a catalogue is that of its content: not of how Arrow, or a file, holds it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.content import fingerprint_of
from state.history import History
from tests.faults.nights import extract

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(alphabet="аґї'’,;\x00 ab", max_size=6)
DECIMALS = st.decimals(-(10**9), 10**9, places=2)
KINDS = {
    "integer": (pa.int64(), INTEGERS),
    "text": (pa.string(), TEXTS),
    "boolean": (pa.bool_(), st.booleans()),
    "decimal": (pa.decimal128(20, 2), DECIMALS),
    "list": (pa.list_(pa.string()), st.lists(TEXTS | st.none(), max_size=3)),
    "list of integers": (pa.list_(pa.int64()), st.lists(INTEGERS, max_size=3)),
}
OTHER_TYPES = {
    "text": [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    "decimal": [pa.decimal128(30, 2)],
    "list": [pa.large_list(pa.large_string()), pa.list_(pa.large_string())],
    "list of integers": [pa.large_list(pa.int64())],
}


@st.composite
def columns(draw: Any) -> tuple[str, Any, list[Any]]:
    """The kind of a column, its type, its values."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    arrow, values = KINDS[kind]
    return kind, arrow, draw(st.lists(values | st.none(), max_size=12))


def fingerprint(column: Any) -> str:
    return fingerprint_of({"goods": pa.table({"column": column})})


def junk(values: list[Any], arrow: Any) -> list[Any]:
    """The values between others, so that a slice of them has an offset."""
    return [*values[:1], None, *values, *values[:1]]


@settings(max_examples=300, deadline=None)
@given(columns(), st.data())
def test_how_a_column_is_held_does_not_count(column: tuple[str, Any, list[Any]], data: Any):
    kind, arrow, values = column
    plain = pa.array(values, arrow)
    expected = fingerprint(plain)
    cut = data.draw(st.integers(0, len(values)))
    assert fingerprint(pa.chunked_array([plain[:cut], plain[cut:]])) == expected
    longer = pa.array(junk(values, arrow), arrow)
    start = len(values[:1]) + 1
    assert fingerprint(longer.slice(start, len(values))) == expected
    for other in OTHER_TYPES.get(kind, []):
        held = plain.dictionary_encode() if pa.types.is_dictionary(other) else plain.cast(other)
        assert fingerprint(held) == expected, other
        halves = pa.chunked_array([held[:cut], held[cut:]], held.type)
        assert fingerprint(halves) == expected, other


@settings(max_examples=300, deadline=None)
@given(columns(), columns())
def test_what_stands_in_a_column_counts_with_its_type_and_order(one: Any, other: Any):
    same = (one[0], one[2]) == (other[0], other[2])
    assert (fingerprint(pa.array(one[2], one[1])) == fingerprint(pa.array(other[2], other[1]))) is same


@settings(max_examples=100, deadline=None)
@given(columns(), st.data())
def test_one_value_that_changes_or_goes_changes_the_fingerprint(column: Any, data: Any):
    kind, arrow, values = column
    if not values:
        return
    before = fingerprint(pa.array(values, arrow))
    place = data.draw(st.integers(0, len(values) - 1))
    instead = data.draw(KINDS[kind][1] | st.none())
    after = [*values[:place], instead, *values[place + 1 :]]
    assert (fingerprint(pa.array(after, arrow)) == before) is (after == values)
    assert fingerprint(pa.array(values[:place] + values[place + 1 :], arrow)) != before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"t": {"a": [1]}}, {"t": {"b": [1]}}),
        ({"t": {"a": [1]}}, {"u": {"a": [1]}}),
        ({"t": {"a": [1], "b": [2]}}, {"t": {"b": [2], "a": [1]}}),
        ({"t": {"a": ["ab", "c"]}}, {"t": {"a": ["a", "bc"]}}),
        ({"t": {"a": [["x"], []]}}, {"t": {"a": [[], ["x"]]}}),
        ({"t": {"a": [[], None]}}, {"t": {"a": [None, []]}}),
        ({"t": {"a": ["", None]}}, {"t": {"a": [None, ""]}}),
        ({"t": {"a": [Decimal("1.0")]}}, {"t": {"a": [Decimal("1.00")]}}),
        ({"t": {"a": []}}, {"t": {"a": [None]}}),
        ({"t": {"a": [1]}, "u": {}}, {"t": {"a": [1]}}),
    ],
)
def test_names_and_places_count(one: Any, other: Any):
    def of(tables: Any) -> str:
        return fingerprint_of({name: pa.table(values) for name, values in tables.items()})

    assert of(one) != of(other)


def test_bytes_below_a_null_do_not_count():
    """An array of another library may hold anything there."""
    kept = pa.array([1, 7, 3])
    masked = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x05"), kept.buffers()[1]])
    assert masked.to_pylist() == [1, None, 3]
    assert fingerprint(masked) == fingerprint(pa.array([1, None, 3]))


def test_the_fingerprint_is_the_same_for_ever():
    """A change here makes every shop keep its catalogues once more: not to be made without need."""
    table = pa.table(
        {
            "number": pa.array([1, None, 3]),
            "name": pa.array(["Дім", "", None]),
            "price": pa.array([Decimal("10.50"), None, Decimal("-1.00")]),
            "hidden": pa.array([True, None, False]),
            "path": pa.array([["Дім"], [], None]),
            "empty": pa.nulls(3),
        }
    )
    assert fingerprint_of({"categories": table}) == "816dae3d7409fad87bfea4a76c71c5e968431f0e199d39d9385f615b6528d8bb"


def test_a_type_that_no_table_has_is_refused():
    with pytest.raises(TypeError, match="double"):
        fingerprint(pa.array([1.5]))


def test_what_an_earlier_version_kept_under_another_fingerprint_is_still_read(tmp_path: Path):
    """It named the folder by the bytes of its Parquet files."""
    named = "ab" * 32
    folder = tmp_path / "extracts" / named[:20]
    folder.mkdir(parents=True)
    for name in ("product_types", "sections", "goods"):
        table = pa.Table.from_pandas(getattr(extract(0), name), preserve_index=False)
        pq.write_table(table.replace_schema_metadata(), folder / f"{name}.parquet", compression="zstd")
    history = History(tmp_path)
    found = history.extract(named)
    pd.testing.assert_frame_equal(found.goods, extract(0).goods)
    now = history.save_extract(found)
    assert now == History(tmp_path / "other").save_extract(extract(0)), "what was read back has the same content"
    history.forget((), {named}, ())
    assert [path.name for path in (tmp_path / "extracts").iterdir()] == [named[:20]]


def test_what_is_kept_already_is_not_written_again(tmp_path: Path):
    history = History(tmp_path)
    fingerprint = history.save_extract(extract(0))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert history.save_extract(extract(0)) == fingerprint
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
