"""Random shops for property tests: trees, sections, goods and rules, sound or broken."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from hypothesis import strategies as st

from tests.pure import goods_frame, sections_frame, types_frame

NAMES = st.sampled_from(["Посуд", "Чашки", "КЕДЫ,КРОССОВКИ", "Flormar ", "Ґудзики", "м’яч", "№ 5", "А", "А", "|", "  "])
KEYS = st.integers(0, 12)


@dataclass(frozen=True)
class RandomShop:
    types: pd.DataFrame
    sections: pd.DataFrame
    goods: pd.DataFrame


def _parent(draw: st.DrawFn, key: int, keys: list[int], broken: bool) -> int | None:
    """A parent that keeps the tree sound (a smaller key), or, in a broken shop, any number at all."""
    if broken and draw(st.integers(0, 3)) == 0:
        return draw(st.integers(-1, 15))
    smaller = [k for k in keys if k < key]
    return draw(st.sampled_from([None, *smaller]))


@st.composite
def shops(draw: st.DrawFn, broken: bool = True) -> RandomShop:
    """Up to 12 types and 8 sections with up to 25 goods; a sound one passes every check."""
    keys = draw(st.lists(st.integers(0 if broken else 1, 12), min_size=1, max_size=12, unique=not broken))
    section_keys = draw(st.lists(st.integers(0 if broken else 1, 8), max_size=8, unique=not broken))
    names = NAMES if broken else NAMES.filter(lambda name: name.strip(" |"))
    number = st.sampled_from([None, "0", "-1", "x", "1.5", "5"]) if broken else st.none()
    types = [
        (k, _parent(draw, k, keys, broken), draw(names), draw(st.sampled_from([None, *section_keys]))) for k in keys
    ]
    sections = [
        (k, _parent(draw, k, section_keys, broken), draw(names), draw(st.one_of(st.just(str(k)), number)))
        for k in section_keys
    ]
    ids = draw(st.lists(st.integers(1, 40), max_size=25, unique=not broken))
    on = st.integers(0, 14) if broken else st.sampled_from(keys)
    goods = [(good, draw(on), draw(names)) for good in ids]
    return RandomShop(types_frame(*types), sections_frame(*sections), goods_frame(*goods))


POLICIES = st.sampled_from(["inherit", "create", "hide"])


@st.composite
def merge_rules(draw: st.DrawFn) -> str:
    """Rules that are sound for any shop: they merge a type that has a parent, or leave one out."""
    do = st.sampled_from(["{exclude: type}", "{exclude: subtree}", "{rename: Інша}", "{place: root}"])
    ids = draw(st.lists(st.integers(1, 12), max_size=4, unique=True))
    rules = [f"  - {{match: {{type_id: {i}}}, do: {draw(do)}, reason: x, expect: 0}}" for i in ids]
    return "rules:\n" + "\n".join(rules).replace(", expect: 0", "") if rules else ""
