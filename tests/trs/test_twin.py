"""``scripts/make_twin.py``: the structure stays, and nothing of the originals does."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from scripts.make_twin import COLUMNS, GOLDEN, Row, Twin, joined, make_twin, read_rows, survivors, text, values
from tests.real_nights import HAS_ORIGINALS, NIGHTS, ORIGINALS, TWIN


def good(**cells: str) -> Row:
    """A good by its raw cells; the others are those of a plain good."""
    plain = dict.fromkeys(COLUMNS, '""') | {
        "GoodID": "7", "GoodName": '"Крем"', "Articul": '"0505"', "RetailPrice": "100", "WholesalePrice": "37,5",
        "RetailPriceWithDiscount": "100", "Category": "-1", "WarehouseQuantity": "3", "Barcode": '"4820000000017"',
        "ModelGoodID": "", "PriceDiscountPercent": "0",
    }  # fmt: skip
    return [(plain | cells)[name] for name in COLUMNS]


def cell(row: Row, name: str) -> str:
    return text(row[COLUMNS.index(name)])


GOODS = [
    good(GoodName='"ТОНЕР ""Bogenia"" б’юті, 30 мл"', GoodTypeFull='"Тонери,Bogenia "', RetailPriceWithDiscount="69",
         PriceDiscountPercent="31"),
    good(GoodID="9", Articul='"402"', GoodName='"Тонер bogenia BG701"', GoodTypeFull='"Тонери,Bogenia "',
         SynchronizationSectionFull='"4=Тонери;78=Крем, тонер"', Category="78", RetailPrice="250",
         RetailPriceWithDiscount="250", WarehouseQuantity="0", Barcode='"4820000000018"'),
]  # fmt: skip


@pytest.fixture
def twins() -> list[Row]:
    twin = Twin(GOODS)
    return [twin.row(row) for row in GOODS]


def test_the_same_word_gets_the_same_replacement_in_every_column_and_keeps_its_capitals(twins: list[Row]) -> None:
    first, second = (cell(row, "GoodName") for row in twins)
    toner, brand, beauty = first.split()[0], first.split('"')[1], first.split()[2]
    assert (toner.isupper(), brand.istitle(), beauty[1]) == (True, True, "’")
    assert second.split()[:2] == [toner.capitalize(), brand.lower()]
    paths = {cell(row, "GoodTypeFull") for row in twins}
    assert len(paths) == 1
    assert paths.pop().endswith(f",{brand} ")
    chain = cell(twins[1], "SynchronizationSectionFull")
    assert chain.startswith("4=")
    assert chain.partition(";")[2].startswith("78=")
    assert chain.endswith(f", {toner.lower()}")


def test_order_zero_discount_and_check_digits_stay(twins: list[Row]) -> None:
    (cheap, dear), (first, second) = ([int(cell(row, name)) for row in twins] for name in ("RetailPrice", "GoodID"))
    assert 100 < cheap < dear
    assert 7 < first < second
    assert cell(twins[1], "WarehouseQuantity") == "0"
    lower, percent = int(cell(twins[0], "RetailPriceWithDiscount")), cell(twins[0], "PriceDiscountPercent")
    assert float(percent.replace(",", ".")) == pytest.approx(100 - 100 * lower / cheap)
    assert [_is_valid(cell(row, "Barcode")) for row in GOODS] == [True, False]
    assert [_is_valid(cell(row, "Barcode")) for row in twins] == [True, False]


def _is_valid(barcode: str) -> bool:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(barcode)) % 10 == 0


@pytest.mark.parametrize(
    ("column", "kept"),
    [
        ("GoodName", '"будь-що BOGENIA"'),
        ("Country", '"крем"'),
        ("Color", '"701"'),
        ("SynchronizationSectionFull", '"4=Тонери"'),
        ("RetailPrice", "250"),
        ("GoodID", "9"),
        ("Articul", '"402"'),
        ("Barcode", '"4820000000017"'),
        ("PriceDiscountPercent", "31"),
    ],
)
def test_one_value_of_the_originals_in_the_twin_is_found(twins: list[Row], column: str, kept: str) -> None:
    assert survivors(GOODS, twins) == {}
    twins[0][COLUMNS.index(column)] = kept
    assert survivors(GOODS, twins) != {}


def test_the_twin_depends_on_the_values_alone() -> None:
    again, reverse = Twin(GOODS), Twin(GOODS[::-1])
    assert [again.row(row) for row in GOODS] == [reverse.row(row) for row in GOODS]


def test_a_file_in_another_dialect_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "TSGoods.trs"
    path.write_bytes(joined(GOODS))
    assert read_rows(path) == GOODS
    for broken in (joined(GOODS)[:-2], joined(GOODS).replace(b'"";', b'"";;', 1)):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"TSGoods\.trs"):
            read_rows(path)


def test_the_committed_twin_has_the_structure_that_the_golden_tests_are_about() -> None:
    nights = [read_rows(TWIN.night(night)) for night in NIGHTS]
    counts = [(len(rows), len(values(rows, "GoodTypeFull")), _without_section(rows)) for rows in nights]
    assert counts == [(1708, 376, 43), (1828, 377, 43), (1864, 379, 43)]
    assert [len(_chains(rows, "78=")) for rows in nights] == [1, 1, 1]
    assert len(set.union(*(_chains(rows, "78=") for rows in nights))) == 2, "section 78 has two meanings"
    last = nights[2]
    sections = dict(part.split("=") for chain in _chains(last, "") for part in chain.split(";"))
    assert sorted(map(int, sections)) == list(range(1, 79))
    repeated = [name for name, times in Counter(sections.values()).items() if times > 1]
    assert len(repeated) == 8
    assert any(", " in name for name in sections.values())
    assert any(chain.split("=")[1].split(";")[0] == chain.rsplit("=", 1)[1] for chain in _chains(last, ";")), (
        "a section is named like its grandparent"
    )
    assert sum(cell(row, "GoodTypeFull").endswith(" ") for row in last) == 5
    assert sum('"' in cell(row, "GoodName") for row in last) == 361
    models: defaultdict[str, list[Row]] = defaultdict(list)
    for row in last:
        models[cell(row, "ModelGoodID")].append(row)
    assert sum(len(rows) > 1 for model, rows in models.items() if model) == 133
    content = TWIN.night(NIGHTS[2]).read_bytes().decode("cp1251")
    assert [letter for letter in "ґєії’№«»“”" if letter not in content] == []


def _chains(rows: list[Row], part: str) -> set[str]:
    return {chain for chain in values(rows, "SynchronizationSectionFull") if part in chain}


def _without_section(rows: list[Row]) -> int:
    return sum(cell(row, "Category") == "-1" for row in rows)


if HAS_ORIGINALS:  # elsewhere the test is not collected

    def test_the_committed_twin_is_made_from_the_originals_and_nothing_of_them_survived() -> None:
        made = make_twin(ORIGINALS)  # raises where a value survived
        assert set(made) == {GOLDEN, *(f"{night}.trs" for night in NIGHTS)}
        assert {name: (TWIN.folder / name).read_bytes() for name in made} == made
        for night in NIGHTS:
            before, after = read_rows(ORIGINALS / f"cosmetics_{night}.trs"), read_rows(TWIN.night(night))
            for place, column in enumerate(COLUMNS):
                old, new = ([row[place] for row in rows] for rows in (before, after))
                if column != "PriceDiscountPercent":
                    assert len(set(zip(old, new, strict=True))) == len(set(old)) == len(set(new)), column
