"""Every kind of damage is stopped or told as its file says, and no normal night is: sync, three stores, their bytes.

A usual run of the tests takes each night in one shop, of another size for each file. TORGSYNC_NIGHTS=all takes every
night in every shop, as ``python -m benchmarks.guards`` does.
"""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import pytest

from tests.nights.damage.cells import Shops
from tests.nights.damage.table import SIZES, Case, read_cases

DAMAGED, NORMAL = read_cases("cases"), read_cases("normal")


def cells(cases: dict[str, Case]) -> list[tuple[str, int]]:
    """Which nights in which shops."""
    whole = [(name, size) for name, case in cases.items() for size in case.only]
    if os.environ.get("TORGSYNC_NIGHTS") == "all":
        return whole
    return [(name, case.only[crc32(name.encode()) % len(case.only)]) for name, case in cases.items()]


def test_the_table_has_sixty_kinds_of_damage_and_thirty_normal_nights():
    assert len(DAMAGED) >= 60
    assert len(NORMAL) >= 30
    assert {size for _, size in cells(DAMAGED)} == {size for _, size in cells(NORMAL)} == set(SIZES)
    assert all(case.expect.stops or case.expect.tell for case in DAMAGED.values()), "none may be silent"
    assert not any(case.expect.stops for case in NORMAL.values())


@pytest.mark.parametrize(("name", "size"), cells(DAMAGED))
def test_a_damaged_night_is_stopped_with_every_byte_as_before_or_told(
    shops: Shops, tmp_path: Path, name: str, size: int
):
    case = DAMAGED[name]
    assert shops.cell(case, size, tmp_path / "night").wrong(case.expected(size), case) == ""


@pytest.mark.parametrize(("name", "size"), cells(NORMAL))
def test_a_normal_night_is_loaded(shops: Shops, tmp_path: Path, name: str, size: int):
    case = NORMAL[name]
    assert shops.cell(case, size, tmp_path / "night").wrong(case.expected(size), case) == ""
