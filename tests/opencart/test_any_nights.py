"""Any sequence of nights leaves sound tables that show exactly the catalogue."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores.opencart.text import escape, fit, is_escaped, unescape
from tests.opencart.conftest import Shop

NAMES = st.sampled_from(["Дім", "Посуд", "Чашки & <b>", "Текстиль", "Їжак", "!!!", "Дім 2", "дім", "x" * 90])


@st.composite
def catalogues(draw) -> tuple[dict, dict]:
    numbers = draw(st.lists(st.integers(1, 12), min_size=1, max_size=7, unique=True))
    sections = {n: (draw(st.sampled_from([None, *numbers[:i]])), draw(NAMES)) for i, n in enumerate(numbers)}
    places = st.sampled_from([None, *numbers])
    goods = {
        g: (draw(places), draw(NAMES)) for g in draw(st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True))
    }
    return sections, goods


@pytest.mark.parametrize("version", ["ocstore", "4.1"])
@given(nights=st.lists(catalogues(), min_size=1, max_size=4))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=max(4, settings.default.max_examples // 3),  # each is a database and several nights
)
def test_any_sequence_of_nights_ends_sound_and_keeps_every_slug(make_shop, version, nights):
    shop: Shop = make_shop(version)
    slugs: dict[int, str] = {}
    for sections, goods in nights:
        shop.sections, shop.goods = sections, goods
        shop.sync()
        shop.settle()
        assert shop.seen() == {n: (escape(name), parent or 0) for n, (parent, name) in sections.items()}
        shown = {g: (escape(name), (number,)) for g, (number, name) in goods.items() if number is not None}
        assert shop.seen_goods() == shown
        now = {n: k.rsplit("/", 1)[-1] for n, k in shop.rows(
            "SELECT SUBSTRING_INDEX(SUBSTRING_INDEX(value, '_', -1), '=', -1), keyword FROM"
            f" (SELECT {'value' if version == '4.1' else 'query AS value'}, keyword FROM oc_seo_url) s"
        )}  # fmt: skip
        assert len(set(now.values())) == len(now), "one slug, one category"
        assert all(now[n] == slug for n, slug in slugs.items()), "a slug never drifts"
        slugs |= now
    shop.give_back()


@given(st.text(st.characters(codec="utf-8"), max_size=80), st.integers(1, 60))
def test_a_name_survives_escaping_and_fits_its_column(text, length):
    assert unescape(escape(text)) == text
    assert is_escaped(escape(text))
    cut = fit(text, length, three_bytes=False)
    assert len(escape(cut)) <= length
    assert text.startswith(cut)
    assert fit(cut, length, three_bytes=False) == cut
