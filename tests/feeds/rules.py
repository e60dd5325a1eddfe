"""What a YML file is: elements, their order, attributes. A second reading, apart from ``schemas/yml.xsd``."""

from __future__ import annotations

import re
from xml.etree import ElementTree

SHOP = ["name", "company", "url", "currencies", "categories", "offers"]
OFFER = [
    "url", "price", "oldprice", "price_old", "currencyId", "categoryId", "picture", "name", "vendor", "vendorCode",
    "description", "stock_quantity", "quantity_in_stock", "quantity", "param",
]  # fmt: skip
EXTRA = {"price_old", "stock_quantity", "quantity_in_stock", "quantity"}
NEEDED = {"price", "currencyId", "categoryId", "name"}
TOKEN = re.compile(r"[\w.:-]+")


def faults(data: bytes, extra: frozenset[str] = frozenset()) -> list[str]:
    """Everything in which a file is no YML; ``extra`` are elements that only its reader knows."""
    root = ElementTree.fromstring(data)
    found: list[str] = []
    if root.tag != "yml_catalog" or not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", root.get("date", "")):
        found.append("no yml_catalog with a date")
    shop = root[0]
    if [child.tag for child in shop] != SHOP:
        found.append(f"shop holds {[child.tag for child in shop]}")
    if not all((shop.findtext(tag) or "").strip() for tag in ("name", "company", "url")):
        found.append("the shop has no name, company or url")
    currencies = [child.get("id") for child in shop.find("currencies")]
    declared: set[str] = set()
    for category in shop.find("categories"):
        found += _attributes(category, {"id"}, {"parentId", "portal_id", "rz_id"})
        if category.get("id") in declared:
            found.append(f"category {category.get('id')} twice")
        if category.get("parentId", category.get("id")) not in declared | {category.get("id")}:
            found.append(f"category {category.get('id')} before its parent")
        if not (category.text or "").strip():
            found.append(f"category {category.get('id')} without a name")
        declared.add(str(category.get("id")))
    seen: set[str] = set()
    for offer in shop.find("offers"):
        found += _attributes(offer, {"id"}, {"available", "group_id"})
        found += _offer(offer, declared, currencies, extra)
        if offer.get("id") in seen:
            found.append(f"offer {offer.get('id')} twice")
        seen.add(str(offer.get("id")))
    return found if declared else [*found, "no categories"]


def _attributes(element: ElementTree.Element, needed: set[str], allowed: set[str]) -> list[str]:
    names = set(element.attrib)
    wrong = sorted(needed - names | names - needed - allowed)
    wrong += [name for name, value in element.attrib.items() if not TOKEN.fullmatch(value)]
    return [f"{element.tag} {element.get('id')}: attributes {wrong}"] if wrong else []


def _offer(
    offer: ElementTree.Element, declared: set[str], currencies: list[str | None], extra: frozenset[str]
) -> list[str]:
    tags = [child.tag for child in offer]
    where = f"offer {offer.get('id')}"
    found = []
    if unknown := set(tags) - (set(OFFER) - EXTRA | extra):
        return [f"{where}: {sorted(unknown)} are no elements of an offer"]
    if [OFFER.index(tag) for tag in tags] != sorted(OFFER.index(tag) for tag in tags):
        found.append(f"{where}: order {tags}")
    if not set(tags) >= NEEDED or any(tags.count(tag) > 1 for tag in set(tags) - {"picture", "param"}):
        found.append(f"{where}: an element is missing or stands twice: {tags}")
    if offer.get("available") not in ("true", "false"):
        found.append(f"{where}: available")
    if offer.findtext("categoryId") not in declared:
        found.append(f"{where}: category {offer.findtext('categoryId')} is not declared")
    if offer.findtext("currencyId") not in currencies:
        found.append(f"{where}: currency")
    for tag in ("price", "oldprice", "price_old"):
        if (price := offer.findtext(tag)) is not None and not re.fullmatch(r"\d+(\.\d{1,2})?", price):
            found.append(f"{where}: {tag} {price}")
    if not (offer.findtext("name") or "").strip() or any(not child.text for child in offer):
        found.append(f"{where}: an empty element")
    return found + [
        f"{where}: a param without a name" for child in offer if child.tag == "param" and len(child.attrib) != 1
    ]
