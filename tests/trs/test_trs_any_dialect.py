"""Property tests: whatever may stand in a sync file comes back as it was, in every dialect."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.settings.stores import TrsDialect
from schemas.tables import DECIMAL, INTEGER, TEXT
from schemas.trs import ALL_COLUMNS
from sources.trs.file import read_trs
from stores.feeds.trs import trs_columns, write_trs

CP1251 = "".join(bytes([b]).decode("cp1251") for b in range(32, 256) if b not in (0x7F, 0x98))
ENCODINGS = {"cp1251": CP1251, "utf-8": CP1251 + "₴ʼ日😀é\u200b", "utf-8-sig": CP1251 + "₴ʼ日😀é"}
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

decimals = st.decimals(min_value=-(10**9), max_value=10**9, places=8, allow_nan=False) | st.sampled_from(
    [Decimal(200), Decimal("211.2"), Decimal("0.00000001"), Decimal("-0.5"), Decimal("31.03448276")]
)
integers = st.integers(-(10**17), 10**17)


@st.composite
def files(draw: st.DrawFn) -> tuple[pd.DataFrame, TrsDialect]:
    """Goods of any allowed values and a dialect to write them in."""
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    header = draw(st.booleans())
    more = draw(st.permutations([name for name in ALL_COLUMNS if name not in ("GoodID", "SupplierCode")]))
    own = ["GoodID", *more[: draw(st.integers(1, 12))]]
    layout: Any = draw(st.sampled_from([50, 48, 40] + ([own] if header else [])))
    dialect = TrsDialect(
        layout=layout, header=header, encoding=encoding, chain_separator=draw(st.sampled_from([";", "|"]))
    )
    texts = st.text(alphabet=st.sampled_from(ENCODINGS[encoding]), max_size=12) | st.sampled_from(
        ['"', '""', ";", 'a";"b', "Flormar ", " x", "1=А;2=Б", '"="', "І", ""]
    )
    kinds: dict[str, tuple[st.SearchStrategy[Any], Any]] = {
        "text": (texts, TEXT),
        "integer": (st.none() | integers, INTEGER),
        "flag": (st.none() | st.sampled_from([0, 1]), INTEGER),
        "decimal": (st.none() | decimals, DECIMAL),
    }
    size = draw(st.integers(1, 3))
    columns: dict[str, Any] = {}
    for column in trs_columns(dialect):
        values, dtype = kinds[column.kind]
        if column.field in ("good_id", "category"):
            values = integers
        columns[column.field] = pd.Series(draw(st.lists(values, min_size=size, max_size=size)), dtype=dtype)
    return pd.DataFrame(columns), dialect


@QUICK
@given(files())
def test_any_goods_written_in_any_dialect_are_read_back_with_the_same_values(
    tmp_path: Path, file: tuple[pd.DataFrame, TrsDialect]
) -> None:
    goods, dialect = file
    path = tmp_path / "any.trs"
    write_trs(path, goods, dialect)
    told = {"encoding": dialect.encoding, "header": dialect.header, "chain_separator": dialect.chain_separator}
    back = read_trs(path, **told)
    pd.testing.assert_frame_equal(back.frame, goods)
    assert back.dialect == dialect
    again = io.BytesIO()
    write_trs(again, back.frame, back.dialect)
    assert again.getvalue() == path.read_bytes()


@QUICK
@given(files())
def test_header_and_encoding_are_found_again_without_being_told(
    tmp_path: Path, file: tuple[pd.DataFrame, TrsDialect]
) -> None:
    goods, dialect = file
    path = tmp_path / "any.trs"
    # One Ukrainian word settles the encoding; bytes of a few odd characters alone could be valid in both.
    word = next((c.field for c in trs_columns(dialect) if c.kind == "text"), None)
    if word is not None:
        goods[word] = pd.Series(["Міцелярна вода Її"] * len(goods), dtype=TEXT)
    write_trs(path, goods, dialect)
    back = read_trs(path)
    assert (back.dialect.layout, back.dialect.header) == (dialect.layout, dialect.header)
    assert back.dialect.encoding == dialect.encoding or path.read_bytes().isascii()
    pd.testing.assert_frame_equal(back.frame, goods)


@pytest.mark.parametrize("size", [2_000])
def test_two_thousand_goods_are_read_in_well_under_a_second(tmp_path: Path, size: int) -> None:
    import time

    goods = pd.DataFrame({"good_id": range(size), "good_name": ["Крем для рук"] * size})
    write_trs(tmp_path / "big.trs", goods, TrsDialect())
    begin = time.perf_counter()
    assert len(read_trs(tmp_path / "big.trs").frame) == size
    assert time.perf_counter() - begin < 1
