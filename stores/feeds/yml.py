"""Writes YML, the XML that marketplaces and Horoshop read (stores-facts.md section 3): one f-string per good, escaped.

The order of elements is that of ``schemas/yml.xsd``. Ids are Torgsoft's (GoodID, number of the section), so they
never change. Only the date of the file does not come from the catalogue; ``content_sha256`` leaves it out.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from schemas.settings.feeds import YmlFeed, YmlProfile, yml_date, yml_profile
from stores.feeds.check import check_feed, refuse_empty
from stores.feeds.goods import Sellable, sellable
from stores.feeds.sink import FeedFile, Sink
from stores.feeds.text import Notes, blocks, clean_line, elements, lines, shortened, xml, xml_column

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<yml_catalog date="{}">\n'
_DATE = re.compile(rb'(<yml_catalog date=")[^"]*(">)')
_HEAD_BYTES = 256


def write_yml(
    stream: BinaryIO, categories: pd.DataFrame, offers: pd.DataFrame, feed: YmlFeed, date: datetime
) -> FeedFile:
    """Write CATEGORIES and OFFERS as a YML file into a binary stream, piece by piece.

    ``date``: when the content last changed; the caller gives it, as this function reads no clock. Raises StoreError
    when the catalogue is broken (``check_feed``) or no good is left to sell.
    """
    check_feed(categories, offers)
    profile, notes, left_out = yml_profile(feed), Notes(), Counter[str]()
    sink = Sink(stream)
    sink.write(_HEAD.format(yml_date(date)), content=_HEAD.format(""))
    sink.write(_shop(feed))
    for block in _category_lines(categories, feed, notes):
        sink.write(block)
    sink.write("</categories>\n<offers>\n")
    groups = _groups(offers, profile)
    written = 0
    goods = sellable(
        offers, hidden=profile.hidden == "unavailable", discounts=feed.discounts, left_out=left_out, notes=notes
    )
    for some in goods:
        sink.write("".join(_offers(some, feed, profile, groups, notes)))
        written += len(some.piece)
    refuse_empty(written, left_out)
    sink.write("</offers>\n</shop>\n</yml_catalog>\n")
    _missing_ids(categories, feed, notes)
    return sink.done(written, left_out, notes.lines())


def content_sha256(path: Path) -> str:
    """Return the fingerprint of a YML file without its date, comparable with ``FeedFile.content_sha256``."""
    with path.open("rb") as stream:
        digest = hashlib.sha256(_DATE.sub(rb"\1\2", stream.read(_HEAD_BYTES), count=1))
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _shop(feed: YmlFeed) -> str:
    name, company = clean_line(feed.shop_name), clean_line(feed.company or feed.shop_name)
    return (
        f"<shop>\n<name>{xml(name)}</name>\n<company>{xml(company)}</company>\n<url>{xml(feed.shop_url)}</url>\n"
        f'<currencies>\n<currency id="{feed.currency}" rate="1"/>\n</currencies>\n<categories>\n'
    )


def _category_lines(categories: pd.DataFrame, feed: YmlFeed, notes: Notes) -> Iterator[str]:
    columns = (categories[name].tolist() for name in ("number", "name", "parent_number"))
    for number, name, parent in zip(*columns, strict=True):
        cleaned = clean_line(str(name))
        if cleaned != str(name).strip():
            notes.name("category name: line breaks or control characters became one blank each", cleaned)
        yield (
            f'<category id="{number}"'
            f"{_attribute('parentId', None if pd.isna(parent) else parent)}"
            f"{_attribute('portal_id', feed.portal_id.get(number))}{_attribute('rz_id', feed.rz_id.get(number))}"
            f">{xml(cleaned)}</category>\n"
        )


def _attribute(name: str, value: int | None) -> str:
    return "" if value is None else f' {name}="{value}"'


def _groups(offers: pd.DataFrame, profile: YmlProfile) -> frozenset[int]:
    """Return the models with at least two goods in the feed: only these become groups."""
    if not profile.varieties or "model_good_id" not in offers:
        return frozenset()
    shown = offers["category_number"].notna()
    if profile.hidden == "omit":
        shown &= ~offers["hidden"].astype(bool)
    counts = offers.loc[shown, "model_good_id"].value_counts()
    return frozenset(int(model) for model in counts.index[counts > 1])


def _offers(some: Sellable, feed: YmlFeed, profile: YmlProfile, groups: frozenset[int], notes: Notes) -> Iterator[str]:
    """Yield the goods of one piece as elements; whole columns are cleaned and escaped at once."""
    piece, ids = some.piece, some.piece.ids
    if not ids:
        return
    names = xml_column(shortened(some.names, profile.name_length, "name", ids, notes))
    stock = piece.stock()
    counted = profile.quantity != "none"
    present = [count > 0 for count in stock] if counted else piece.in_stock()
    shown = [there and not hidden for there, hidden in zip(present, piece.hidden(), strict=True)]
    group = [
        f' group_id="{model}"' if model in groups else ""
        for model in (piece.integers("model_good_id") if groups else [None] * len(ids))
    ]
    tail = [
        "".join(parts)
        for parts in zip(
            elements("vendor", lines(piece.texts(feed.vendor), "vendor", ids, notes)),
            elements("vendorCode", lines(piece.texts(feed.vendor_code), "vendorCode", ids, notes)),
            elements("description", blocks(piece.texts("description"), "description", ids, notes)),
            elements(profile.quantity, [str(n if s else 0) for n, s in zip(stock, shown, strict=True)])
            if counted
            else [""] * len(ids),
            *(
                elements("param", lines(piece.texts(field), field, ids, notes), f' name="{xml(clean_line(name))}"')
                for name, field in feed.params.items()
            ),
            strict=True,
        )
    ]
    rows = zip(
        ids, shown, group, _addresses("url", feed.url, ids), some.prices.price,
        elements(profile.old_price, [old or "" for old in some.prices.old]), some.categories,
        _addresses("picture", feed.picture, ids), names, tail, strict=True,
    )  # fmt: skip
    for good_id, there, group_id, url, price, old, category, picture, name, rest in rows:
        yield (
            f'<offer id="{good_id}" available="{"true" if there else "false"}"{group_id}>\n{url}'
            f"<price>{price}</price>\n{old}<currencyId>{feed.currency}</currencyId>\n"
            f"<categoryId>{category}</categoryId>\n{picture}<name>{name}</name>\n{rest}</offer>\n"
        )


def _addresses(tag: str, template: str | None, ids: list[int]) -> list[str]:
    if template is None:
        return [""] * len(ids)
    return elements(tag, [template.format(good_id=good_id) for good_id in ids])


def _missing_ids(categories: pd.DataFrame, feed: YmlFeed, notes: Notes) -> None:
    """Note marketplace ids of absent categories, and categories with goods but without such an id."""
    held = {int(number) for number in categories["number"]}
    with_goods = [int(number) for number in categories.loc[categories["goods"] > 0, "number"]]
    for name, given, wanted in (
        ("portal_id", feed.portal_id, bool(feed.portal_id)),
        ("rz_id", feed.rz_id, feed.profile == "rozetka"),
    ):
        if unknown := sorted(set(given) - held):
            notes.say(f"{name}: no category {', '.join(map(str, unknown))} in the catalogue")
        if wanted and (without := [number for number in with_goods if number not in given]):
            more = ", …" if len(without) > 5 else ""
            notes.say(
                f"{name}: {len(without)} categories with goods have none ({', '.join(map(str, without[:5]))}{more})"
            )
