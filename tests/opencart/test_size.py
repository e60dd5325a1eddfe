"""A shop of ordinary size is loaded by a number of statements that does not grow with it."""

from __future__ import annotations

import pytest

from schemas.contents import Rows
from stores.opencart.adapter import OpenCartAdapter
from tests.opencart.conftest import count_writes
from transforms.plan import REDIRECT_COLUMNS, Absent, operations, wanted_contents


@pytest.mark.parametrize("version", ["ocstore"])
def test_2000_categories_and_20000_goods_load_by_a_few_statements(make_shop, version):
    from benchmarks.opencart import catalogue

    shop = make_shop(version)
    found = catalogue(20_000, "10.5")
    told = []
    target = OpenCartAdapter(shop.store, shop.folder, progress=lambda done, total: told.append((done, total)))
    wanted = target.want(found, wanted_contents(found, Rows(REDIRECT_COLUMNS)))
    needed = operations(wanted.contents, target.read(), Absent())
    with count_writes() as writes:
        target.apply(wanted, lambda present: operations(wanted.contents, present, Absent()), lambda: None)
    assert len(needed) == 22_020
    assert len(told) > 10, "after every batch"
    assert told == sorted(told)
    assert {total for _, total in told} == {22_020}
    assert told[-1] == (22_020, 22_020)
    assert len(writes) < 120, "statements are for all rows at once"
    assert operations(wanted.contents, target.read(), Absent()) == ()
    assert shop.rows("SELECT COUNT(*) FROM oc_product WHERE status = 1") == [(20_000,)]
    shop.check_sound()
