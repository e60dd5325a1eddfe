"""Writes the product feed for Google Merchant Center: RSS 2.0 with the namespace ``g``.

Limits and rules are Google's (stores-facts.md section 2.2; support.google.com/merchants, product data
specification).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import pandas as pd

from schemas.settings.feeds import GoogleFeed
from stores.feeds.check import check_feed, refuse_empty
from stores.feeds.goods import Sellable, category_paths, sellable
from stores.feeds.sink import FeedFile, Sink
from stores.feeds.text import Notes, blocks, clean_line, elements, lines, shortened, xml, xml_column

TITLE, DESCRIPTION, PRODUCT_TYPE, BRAND, MPN = 150, 5000, 750, 70, 70
"""The most characters that Google takes."""

_RESERVED = ("2", "02", "04", "05", "981", "982", "983", "984", "99")
"""Prefixes of 13 digits that are not world-wide numbers but a shop's own, or coupons. Google refuses them."""

_WEIGHTS = (3, 1) * 7
_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d)")


def write_google(stream: BinaryIO, categories: pd.DataFrame, offers: pd.DataFrame, feed: GoogleFeed) -> FeedFile:
    """Write the visible goods of OFFERS as a Merchant feed into a binary stream, piece by piece.

    Raises StoreError when the catalogue is broken (``check_feed``) or no good is left to sell.
    """
    check_feed(categories, offers)
    notes, left_out, written = Notes(), Counter[str](), 0
    sink = Sink(stream)
    name = xml(clean_line(feed.shop_name))
    sink.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n'
        f"<channel>\n<title>{name}</title>\n<link>{xml(feed.shop_url)}</link>\n<description>{name}</description>\n"
    )
    types = {number: xml(product_type(path, notes)) for number, path in category_paths(categories).items()}
    for some in sellable(offers, hidden=False, discounts=feed.discounts, left_out=left_out, notes=notes):
        sink.write("".join(_items(some, feed, types, notes)))
        written += len(some.piece)
    refuse_empty(written, left_out)
    sink.write("</channel>\n</rss>\n")
    return sink.done(written, left_out, notes.lines())


def product_type(path: list[str], notes: Notes) -> str:
    """``Взуття > Жіноче``. Google splits values at commas and levels at ``>``: a name gets other characters instead."""
    levels = []
    for name in path:
        level = _BETWEEN_DIGITS.sub(".", name)
        level = " / ".join(part.strip() for part in level.split(",") if part.strip()) or level.replace(",", " ")
        level = level.replace(">", "›")
        if level != name:
            notes.name("product_type corrected, Google splits at commas and >", name, f'"{name}" became "{level}"')
        levels.append(level)
    while len(levels) > 1 and len(" > ".join(levels)) > PRODUCT_TYPE:
        del levels[-1]
    if len(levels) < len(path):
        notes.name(f"product_type cut to whole levels within {PRODUCT_TYPE} characters", path[-1][:60])
    return " > ".join(levels)[:PRODUCT_TYPE]


def valid_gtin(code: str) -> bool:
    """Tell whether a code has 8, 12, 13 or 14 digits and the right check digit, and is not a shop's own number."""
    if not (code.isascii() and code.isdigit()) or len(code) not in (8, 12, 13, 14) or not code.strip("0"):
        return False
    if sum(int(digit) * weight for digit, weight in zip(code.zfill(14), _WEIGHTS, strict=True)) % 10:
        return False
    return code[0] not in "02" if len(code) == 8 else not code.zfill(14)[1:].startswith(_RESERVED)


def _items(some: Sellable, feed: GoogleFeed, types: Mapping[int, str], notes: Notes) -> Iterator[str]:
    piece, ids = some.piece, some.piece.ids
    if not ids:
        return
    texts = blocks(piece.texts("description"), "description", ids, notes)
    descriptions = [text or name for text, name in zip(texts, some.names, strict=True)]  # Google requires one
    codes = [code.replace(" ", "") for code in lines(piece.texts(feed.gtin), "gtin", ids, notes)]
    gtins = [code if valid_gtin(code) else "" for code in codes]
    for good_id, code, gtin in zip(ids, codes, gtins, strict=True):
        if code and not gtin:
            notes.good("gtin left out, the barcode is not a world-wide number", good_id)
    numbers = lines(piece.texts(feed.mpn), "mpn", ids, notes)
    numbers = ["" if gtin else number for gtin, number in zip(gtins, numbers, strict=True)]
    brands = shortened(lines(piece.texts(feed.brand), "brand", ids, notes), BRAND, "brand", ids, notes)
    # with a discount, the price to pay is Google's sale_price
    full = [old or price for old, price in zip(some.prices.old, some.prices.price, strict=True)]
    sale = [price if old else None for old, price in zip(some.prices.old, some.prices.price, strict=True)]
    rows = zip(
        ids,
        xml_column(shortened(some.names, TITLE, "title", ids, notes)),
        xml_column(shortened(descriptions, DESCRIPTION, "description", ids, notes)),
        xml_column([feed.url.format(good_id=good_id) for good_id in ids]),
        _pictures(feed.picture, ids),
        piece.in_stock(),
        [_money(price, feed.currency) for price in full],
        elements("g:sale_price", [_money(price, feed.currency) for price in sale]),
        some.categories,
        elements("g:brand", brands),
        elements("g:gtin", gtins),
        elements("g:mpn", shortened(numbers, MPN, "mpn", ids, notes)),
        strict=True,
    )
    for good_id, title, text, link, picture, there, price, lower, category, brand, gtin, mpn in rows:
        yield (
            f"<item>\n<g:id>{good_id}</g:id>\n<title>{title}</title>\n<description>{text}</description>\n"
            f"<link>{link}</link>\n{picture}"
            f"<g:availability>{'in_stock' if there else 'out_of_stock'}</g:availability>\n<g:price>{price}</g:price>\n"
            f"{lower}<g:product_type>{types[category]}</g:product_type>\n"
            f"{brand}{gtin}{mpn}<g:condition>{feed.condition}</g:condition>\n</item>\n"
        )


def _pictures(template: str | None, ids: list[int]) -> list[str]:
    if template is None:
        return [""] * len(ids)
    return elements("g:image_link", [template.format(good_id=good_id) for good_id in ids])


def _money(price: str | None, currency: str) -> str:
    """Format a price as ``123.45 UAH``, always with two digits."""
    if price is None:
        return ""
    whole, _, fraction = price.partition(".")
    return f"{whole}.{fraction:0<2} {currency}"
