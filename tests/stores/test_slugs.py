"""Slugs of categories and goods, in every store that needs them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.slugs import free_slug

NAMES = st.text(alphabet="абвгґєжзиіїйьюяАЩ’' -,./_%abc019日", max_size=120)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Згурський ґанок", "zghurskyi-ganok"),
        ("Їжа та Йогурт", "yizha-ta-yohurt"),
        ("Щастя Юлії", "shchastia-yulii"),
        ("КЕДЫ,КРОССОВКИ", "kedy-krossovky"),
        ("日", "ri"),
        ("%%%", "category-7"),
    ],
)
def test_a_slug_follows_the_official_transliteration(name: str, slug: str):
    assert free_slug(name, 7, "category", (), 64) == slug


def test_a_slug_that_is_taken_gets_the_key_and_then_a_count():
    assert free_slug("Дім", 7, "category", {"dim"}, 64) == "dim-7"
    assert free_slug("Дім", 7, "category", {"dim", "dim-7"}, 64) == "dim-7-2"


def test_a_long_name_is_cut_after_a_word():
    assert free_slug("Посуд для кухні та саду", 7, "category", (), 16) == "posud-dlia"


@given(NAMES, st.integers(1, 2**31 - 1), st.integers(16, 180), st.data())
def test_a_slug_is_free_short_enough_and_safe_in_an_address(name: str, key: int, length: int, data: st.DataObject):
    taken: set[str] = set()
    for _ in range(4):
        slug = free_slug(name, key, "category", taken, length)
        assert slug not in taken
        assert len(slug) <= max(length, len(f"category-{key}"))
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
        taken.add(slug)
