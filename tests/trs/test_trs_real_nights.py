"""Golden tests on three nights of one real shop: their twin, and the originals where they are."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pandas as pd
import pytest

from schemas.tables import RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS
from sources.trs.base import TrsFrames, frames_from_trs
from sources.trs.file import read_trs
from stores.feeds.trs import write_trs
from tests.real_nights import NIGHTS, RealNights


def joined(frames: TrsFrames) -> pd.DataFrame:
    """The goods with their type's path and section, taken from the rebuilt tables alone."""
    types = frames.product_types.set_index("type_id")
    sections = frames.sections.set_index("section_key")

    def up(table: pd.DataFrame, key: object, parent: str) -> list[int]:
        chain: list[int] = []
        while not pd.isna(key):
            chain.insert(0, int(key))
            key = table.at[key, parent]
        return chain

    paths = {key: [types.at[k, "name"] for k in up(types, key, "parent_id")] for key in types.index}
    chains = {key: [(k, sections.at[k, "name"]) for k in up(sections, key, "parent_key")] for key in sections.index}
    own = types["section_key"].to_dict()
    rows = []
    for type_id in frames.goods["type_id"]:
        key = own[type_id]
        chain = None if pd.isna(key) else chains[key]
        number = None if chain is None else int(sections.at[key, "number"])
        rows.append((",".join(paths[type_id]), paths[type_id][-1], number, chain[-1][1] if chain else "", chain))
    columns = ["good_type_full", "good_type_name", "category", "synchronization_section", "section_chain"]
    return pd.concat([frames.goods, pd.DataFrame(rows, columns=columns).astype({"category": "Int64"})], axis=1)


@pytest.mark.parametrize("night", NIGHTS)
def test_a_real_night_read_taken_apart_and_put_together_is_the_same_file_byte_for_byte(
    real: RealNights, night: str
) -> None:
    trs = read_trs(real.night(night))
    stream = io.BytesIO()
    written = write_trs(stream, joined(frames_from_trs(trs)), trs.dialect)
    assert stream.getvalue() == (real.night(night)).read_bytes()
    assert (written.goods, written.unencodable, written.notes) == (len(trs.frame), (), ())


@pytest.mark.parametrize("night", NIGHTS)
def test_a_real_night_passes_the_schemas_and_leaves_nothing_ambiguous(real: RealNights, night: str) -> None:
    frames = frames_from_trs(read_trs(real.night(night)))
    RAW_PRODUCT_TYPES.validate(frames.product_types, lazy=True)
    RAW_SECTIONS.validate(frames.sections, lazy=True)
    RAW_GOODS.validate(frames.goods, lazy=True)
    assert frames.ambiguities == ()
    assert frames.notes == ()


def test_the_dialect_of_a_real_night_is_found_without_being_told(real: RealNights) -> None:
    dialect = read_trs(real.night(NIGHTS[2])).dialect
    assert (dialect.layout, dialect.header, dialect.encoding, dialect.chain_separator) == (48, False, "cp1251", ";")


def test_the_golden_night_has_379_types_with_goods_78_sections_and_43_goods_without_one(real: RealNights) -> None:
    frames = frames_from_trs(read_trs(real.night(NIGHTS[2])))
    assert frames.goods["type_id"].nunique() == 379
    assert len(frames.sections) == 78
    assert frames.sections["number"].notna().all()
    assert joined(frames)["category"].isna().sum() == 43


def test_every_type_of_the_golden_night_has_the_section_of_the_golden_table(real: RealNights) -> None:
    goods = joined(frames_from_trs(read_trs(real.night(NIGHTS[2]))))
    found: Counter[tuple[str, ...]] = Counter()
    for row in goods.itertuples():
        chain = ";".join(f"{key}={name}" for key, name in row.section_chain or [])
        number = "-1" if pd.isna(row.category) else str(row.category)
        found[(row.good_type_full, number, row.synchronization_section, chain)] += 1
    with real.golden.open(encoding="utf-8-sig", newline="") as stream:
        golden = {tuple(row[:4]): int(row[4]) for row in list(csv.reader(stream))[1:]}
    assert dict(found) == golden


def test_a_type_has_the_same_id_in_all_three_nights(real: RealNights) -> None:
    nights = [frames_from_trs(read_trs(real.night(night))).product_types for night in NIGHTS]
    first, _, last = ({(i, n) for i, n in zip(f["type_id"], f["name"], strict=True)} for f in nights)
    assert len(first & last) > 440


def test_an_ancestor_without_goods_gets_the_section_that_its_descendants_chains_name(real: RealNights) -> None:
    frames = frames_from_trs(read_trs(real.night(NIGHTS[2])))
    by_path = joined(frames)
    parents = frames.product_types.set_index("type_id")["parent_id"]
    path = ",".join(real.words[name] for name in ("Макіяж", "Губи", "Flormar "))
    leaf = by_path.loc[by_path["good_type_full"] == path, "type_id"].iloc[0]
    linked = frames.product_types.set_index("type_id")["section_key"]
    assert pd.isna(linked[leaf])
    assert linked[parents[leaf]] == 56
    assert any("types without goods got the section of the same name" in line for line in frames.inferred)
