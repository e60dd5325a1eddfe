"""Names that cannot be read are recognised, whichever charset was wrong; names of real goods are not."""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.guards.broken_text import broken_names

NAMES = (
    "Крем для рук", "Шампунь «Ґанок»", "Парфумерія", "Догляд за обличчям", "Помада зволожувальна",
    "Краска для волос", "Товари для дому", "Лаки та гелі", "Засоби для гоління", "Туш для вій",
)  # fmt: skip

WRITTEN_READ = [
    ("utf-8", "cp1251"), ("utf-8", "latin-1"), ("utf-8", "cp1252"), ("utf-8", "koi8-u"), ("utf-8", "cp866"),
    ("utf-8", "ascii"), ("utf-8", "iso8859_5"), ("cp1251", "utf-8"), ("cp1251", "latin-1"), ("cp1251", "cp1252"),
    ("cp1251", "koi8-u"), ("cp1251", "cp866"), ("cp1251", "ascii"), ("koi8-u", "cp1251"), ("koi8-u", "latin-1"),
    ("koi8-u", "utf-8"), ("koi8-u", "cp866"), ("cp866", "koi8-u"), ("cp866", "utf-8"), ("cp1251", "utf-16-le"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "read"), WRITTEN_READ)
def test_most_names_that_were_read_in_a_wrong_charset_are_recognised(written, read):
    found = broken_names(pa.array([name.encode(written, "replace").decode(read, "replace") for name in NAMES]))
    assert found.sum() >= 8, list(zip(NAMES, found, strict=True))


@pytest.mark.parametrize(
    "name",
    [
        "????",
        "??",
        "Крем ????",
        "Крем??? для рук",
        "Кр\ufffdм",
        "Пом?чник",
        "?? №",
        "Љубав Њега",
        "Лак ┌┐",
        "的商品名称",
    ],
)
def test_a_name_with_lost_letters_cannot_be_read(name):
    assert broken_names(pa.array([name])).all()


@pytest.mark.parametrize(
    "name",
    [*NAMES, "L'Oréal Paris Hermès Lancôme Été", "СІРІ РІЧІ", "Що це?", "Що це??", "Ziaja Łagodny żel", "iPhone 12",
     "Bébé Öl", "КЕДЫ,КРОССОВКИ,СНИКЕРСЫ", "Rouge Dior №5 (100 мл) +", "Ўсё", "м’яч", "SPF 50+", "Їжа для котів",
     "Garnier Ürün", "їЖ", "?", "", "Фарба 5/0 45 € 10 %", "«Quiz» Cover Lash®, 5.5 г", "Київ–Львів", "100°"],
)  # fmt: skip
def test_a_name_of_a_real_good_can_be_read(name):
    assert not broken_names(pa.array([name])).any()


def test_a_missing_name_is_not_unreadable():
    assert broken_names(pa.array([None, "????"], pa.string())).tolist() == [False, True]
