"""Sections out of chains, and what is inferred where the file is silent (domain.md sections 2 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SourceError
from schemas.settings.stores import TrsDialect
from schemas.tables import DECIMAL
from sources.trs.base import TrsFrames, frames_from_trs
from sources.trs.chain import parse_chain, sniff_separator
from sources.trs.file import read_trs
from stores.feeds.trs import write_trs

Write = Callable[..., Path]


def good(number: int, path: str, category: int | None, chain: str = "", **more: Any) -> dict[str, Any]:
    leaf = chain.replace(";", "|").split("|")[-1].partition("=")[2]
    return {
        "GoodID": number,
        "GoodName": f"Товар {number}",
        "Category": category,
        "GoodTypeFull": path,
        "GoodTypeName": path.split(",")[-1],
        "SynchronizationSection": leaf,
        "SynchronizationSectionFull": chain,
        **more,
    }


def frames(path: Path) -> TrsFrames:
    return frames_from_trs(read_trs(path))


def table(frame: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame[list(columns)].itertuples(index=False)]


def sections(found: TrsFrames) -> list[tuple[object, ...]]:
    return table(found.sections, "section_key", "parent_key", "name", "number")


def test_a_section_without_a_number_keeps_its_place_in_the_tree(trs: Write) -> None:
    found = frames(trs([good(1, "Біжутерія,Браслет", -1, "89=Біжутерія|90=Браслет")]))
    assert sections(found) == [(89, None, "Біжутерія", None), (90, 89, "Браслет", None)]
    assert table(found.product_types, "name", "section_key") == [("Біжутерія", 89), ("Браслет", 90)]


def test_ancestors_get_their_key_as_number_only_where_all_leaves_agree(trs: Write) -> None:
    agree = frames(trs([good(1, "А,Б", 2, "1=А;2=Б"), good(2, "А,В", 3, "1=А;3=В")]))
    assert [row[3] for row in sections(agree)] == ["1", "2", "3"]
    assert agree.inferred[0].startswith("the numbers of 1 sections")
    differ = frames(trs([good(1, "А,Б", 2, "1=А;2=Б"), good(2, "А,В", 7, "1=А;3=В")]))
    assert [row[3] for row in sections(differ)] == [None, "2", "7"]


@pytest.mark.parametrize(("chain", "separator"), [("1=А;2=Б", ";"), ("1=А|2=Б", "|")])
def test_the_chain_separator_is_told_from_the_chains(trs: Write, chain: str, separator: str) -> None:
    read = read_trs(trs([good(1, "А,Б", 2, chain)]))
    assert read.dialect.chain_separator == separator
    assert len(frames_from_trs(read).sections) == 2


def test_evidence_for_both_separators_is_noted() -> None:
    separator, notes = sniff_separator(["1=А;2=Б", "1=А;3=В", "4=Г|5=Д"])
    assert separator == ";"
    assert len(notes) == 1


def test_conflicts_go_to_the_majority_of_the_goods_with_a_note(trs: Write) -> None:
    rows = [good(i, "А,Б", 2, "1=А;2=Б") for i in range(1, 4)]
    rows += [good(8, "А,В", 9, "5=Х;2=Бе"), good(9, "А,Б", -1)]
    found = frames(trs(rows))
    assert (2, 1, "Б", "2") in sections(found)
    assert dict(table(found.product_types, "name", "section_key"))["Б"] == 2
    text = "\n".join(found.notes)
    for part in (
        "several names",
        "several parents",
        "several numbers",
        "the goods of type А > Б have several sections",
    ):
        assert part in text


def test_goods_of_a_numbered_section_with_category_minus_one_are_noted(trs: Write) -> None:
    found = frames(trs([good(1, "А,Б", 2, "1=А;2=Б"), good(2, "А,Б", -1, "1=А;2=Б")]))
    assert "section 2 has number 2, but 1 of its goods have Category -1" in found.notes


def test_without_chains_every_category_is_a_root_named_after_its_only_type(trs: Write) -> None:
    rows = [
        {"GoodID": n, "GoodName": "x", "Category": c, "GoodTypeFull": t}
        for n, c, t in [(1, 5, "А,Б"), (2, 6, "А,В"), (3, 6, "А,Г"), (4, -1, "А,Д")]
    ]
    found = frames(trs(rows))
    assert sections(found) == [(5, None, "Б", "5"), (6, None, "Section 6", "6")]
    assert 'named: 5 "Б", 6 "Section 6"' in "\n".join(found.inferred)
    assert dict(table(found.product_types, "name", "section_key")) == {"А": None, "Б": 5, "В": 6, "Г": 6, "Д": None}


def test_a_number_without_a_chain_belongs_to_the_section_that_has_it_in_other_chains(trs: Write) -> None:
    found = frames(trs([good(1, "А,Б", 20, "1=А;2=Б"), good(2, "А,В", 20), good(3, "А,Г", 1)]))
    assert dict(table(found.product_types, "name", "section_key"))["В"] == 2
    # Number 1 is nobody's, but key 1 is: the new section gets a key far away.
    assert [row for row in sections(found) if row[3] == "1"] == [(1_000_000_001, None, "Г", "1")]


def test_a_type_without_goods_takes_the_section_whose_chain_spells_its_path(trs: Write) -> None:
    # «Парфумерія» stands twice in the chain: the root is the one at the same place.
    chain = "9=Парфумерія;74=Жіноча парфумерія;77=Парфумерія"
    found = frames(trs([good(1, "Парфумерія,Жіноча парфумерія,Парфумерія,Zara", 77, chain)]))
    assert table(found.product_types, "name", "section_key") == [
        ("Парфумерія", 9),
        ("Жіноча парфумерія", 74),
        ("Парфумерія", 77),
        ("Zara", 77),
    ]


def test_a_type_without_goods_whose_name_two_sections_bear_stays_without_and_is_listed(trs: Write) -> None:
    rows = [good(1, "А,Б,x", 12, "9=Н;12=Б"), good(2, "А,Б,y", 13, "9=Н;13=Б")]
    found = frames(trs(rows))
    assert dict(table(found.product_types, "name", "section_key"))["Б"] is None
    assert any("its section may be any of section 12 (number 12), section 13" in a.reason for a in found.ambiguities)


def test_the_forty_columns_of_old_carry_height_and_width_and_no_chain(tmp_path: Path) -> None:
    goods = pd.DataFrame(
        {
            "good_id": [1, 2],
            "good_name": ["Картина", "Рамка"],
            "height": pd.Series([Decimal("1.5"), None], dtype=DECIMAL),
            "width": pd.Series([Decimal(2), None], dtype=DECIMAL),
            "category": pd.array([4, None], dtype="Int64"),
            "good_type_full": ["Декор,Картини, постери", "Декор,Рамки"],
        }
    )
    write_trs(tmp_path / "old.trs", goods, TrsDialect(layout=40))
    found = frames(tmp_path / "old.trs")
    assert str(found.goods["height"][0]) == "1.50000000"
    assert sections(found) == [(4, None, "Картини, постери", "4")]
    assert table(found.product_types, "name", "section_key") == [
        ("Декор", None),
        ("Картини, постери", 4),
        ("Рамки", None),
    ]


def test_no_good_is_left_out_whatever_is_wrong_with_its_type_or_chain(trs: Write) -> None:
    rows = [good(1, "", -1), good(2, "А", 5, "no chain"), good(3, "А", None), good(3, ",", 5, "=;5=")]
    found = frames(trs(rows))
    assert table(found.goods, "good_id", "position") == [(1, 1), (2, 2), (3, 3), (3, 4)]
    assert pd.isna(found.goods["type_id"][0])
    assert '"no chain" is not a section chain: 1 goods were assigned by Category' in found.notes
    assert "1 goods have no product type" in found.notes


def test_a_file_without_types_or_names_cannot_become_a_base(trs: Write) -> None:
    with pytest.raises(SourceError, match="no column GoodTypeFull"):
        frames(trs([{"GoodID": 1, "GoodName": "x"}]))
    with pytest.raises(SourceError, match="no column GoodName"):
        frames(trs([{"GoodID": 1, "GoodTypeFull": "x"}]))


@pytest.mark.parametrize(
    ("text", "leaf", "chain"),
    [
        ("", "", ()),
        ("1=А", "", ((1, "А"),)),
        ("1=А=Б;В;2= Г ", "", ((1, "А=Б;В"), (2, " Г "))),
        ("1=А;2=", "", ((1, "А"), (2, ""))),
        ("1=А;2=Б;3=x", "Б;3=x", ((1, "А"), (2, "Б;3=x"))),
        ("x1=А", "", None),
        ("x;1=А", "", None),
        ("Біжутерія", "", None),
    ],
)
def test_a_name_in_a_chain_may_hold_the_separator_or_an_equals_sign(
    text: str, leaf: str, chain: tuple[tuple[int, str], ...] | None
) -> None:
    assert parse_chain(text, ";", leaf) == chain


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.text(alphabet="Аб,=| ;'", max_size=6)), max_size=4),
    st.sampled_from([";", "|"]),
)
def test_every_chain_that_can_be_written_is_read_back(chain: list[tuple[int, str]], separator: Any) -> None:
    written = separator.join(f"{key}={name}" for key, name in chain)
    assert parse_chain(written, separator) == tuple(chain)
