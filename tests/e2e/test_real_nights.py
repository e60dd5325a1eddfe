"""Three nights of a real shop (their twin, and the originals where they are) through the whole job."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from sources.trs.base import frames_from_trs
from sources.trs.file import read_trs
from tests.e2e.conftest import ShopFolder
from tests.real_nights import NIGHTS, RealNights


def load_night(shop: ShopFolder, real: RealNights, night: str) -> bytes:
    """Put a night's export into the shop's base; returns the export's bytes."""
    path = real.night(night)
    frames = frames_from_trs(read_trs(path, encoding="cp1251", header=False))
    shop.base(frames.product_types, frames.sections, frames.goods)
    return path.read_bytes()


@pytest.fixture
def golden(real: RealNights) -> list[dict[str, str]]:
    with real.golden.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_golden_night_gives_its_78_categories_with_number_name_and_chain(shop, real, golden):
    load_night(shop, real, "2025-02-09")
    shop.settings(unmapped="hide")
    assert shop.run().outcome == "ok"
    wanted: dict[str, list[str]] = {}
    for row in golden:
        chain = [part.split("=") for part in row["synchronization_section_full"].split(";") if part]
        for depth, (number, _) in enumerate(chain, 1):
            wanted[number] = [name for _, name in chain[:depth]]
    assert len(wanted) == 78
    assert shop.categories == wanted


def test_the_golden_night_maps_every_type_and_good_as_torgsoft_did(shop, real, golden):
    load_night(shop, real, "2025-02-09")
    shop.settings(unmapped="hide")
    shop.run()
    written = read_trs(shop.output / "TSGoods.trs", encoding="cp1251", header=False).frame
    columns = ["good_type_full", "category", "synchronization_section", "synchronization_section_full"]
    found = Counter(tuple(str(value) for value in row) for row in written[columns].itertuples(index=False))
    assert found == Counter(
        {
            (row["good_type_full"], row["category"], row["synchronization_section"],
             row["synchronization_section_full"]): int(row["goods"])
            for row in golden
        }
    )  # fmt: skip


def test_three_nights_in_a_row_are_written_byte_for_byte_and_a_second_run_writes_nothing(shop, real):
    shop.settings(unmapped="hide")
    changes = {}
    for night in NIGHTS:
        export = load_night(shop, real, night)
        first = shop.run()
        if night == NIGHTS[1]:
            assert (first.exit_code, first.outcome) == (3, "guard stop")
            assert "guard «number_reused»" in first.message
            assert "78 was «" in first.message
            assert "--allow number_reused=1" in first.next_step
            first = shop.run(allow={"number_reused": 1})
            assert first.allowed == {"number_reused": 1}
        assert first.outcome == "ok", first.message
        assert (shop.output / "TSGoods.trs").read_bytes() == export
        changes[night] = [(c.number, c.kind) for c in first.number_changes]
        before = (shop.folder / "web.db").read_bytes()
        second = shop.run()
        web, site = second.stores
        assert (web.written, site.published) == (0, False)
        assert (shop.folder / "web.db").read_bytes() == before
    assert changes == {NIGHTS[0]: [], NIGHTS[1]: [(78, "number_reused")], NIGHTS[2]: []}


def test_inherit_leaves_only_goods_without_a_category_whose_ancestors_have_no_section(shop, real):
    load_night(shop, real, "2025-02-09")
    shop.settings(unmapped="inherit")
    report = shop.run()
    with_goods = [t for t in report.unmapped_types if t.goods]
    saved = {tuple(t.path): (t.goods, t.category_number) for t in with_goods if t.category_number}
    expected = {
        ("Волосся", "Аксесуари для волосся", "Гребінці для волосся", "Рушники"): (3, 39),
        ("Макіяж", "Губи", "Flormar "): (2, 56),
        ("Макіяж", "Аксесуари для макіяжу", "OMG"): (1, 58),
        ("Тіло", "Креми для рук", "Master Professional мл"): (1, 43),
    }
    assert saved == {tuple(real.words[name].strip() for name in path): found for path, found in expected.items()}
    lost = {t.path[0]: 0 for t in with_goods if t.category_number is None}
    assert set(lost) == {real.words["Біжутерія"], real.words["Пакування"]}, "roots that have no section in Torgsoft"
    assert report.counts["goods_hidden"] == 36
