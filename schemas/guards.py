"""The guards, each declared once: what it measures, its limit, its message (design.md section 4).

``[guards]`` of shop.toml, ``--allow``, the messages and the table in docs/guards.md come from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

Level = Literal["stop", "tell"]
"""``stop``: this run writes nothing. ``tell``: the run continues and the report warns."""

FEW = 10
"""Rows that a limit lets pass whatever the share, but never half: a small shop may close a category.

Source: stores-facts.md section 5.
"""

DRIFT_NIGHTS = 7
"""Nights between the two catalogues of the guard ``drift``."""

PRICE_FIELDS = {
    "retail_price": "retail price",
    "retail_price_with_discount": "retail price with discount",
    "wholesale_price": "wholesale price",
    "retail_price_per_unit": "retail price per unit",
    "wholesale_price_per_unit": "wholesale price per unit",
    "equal_sale_price": "sale price in currency",
    "equal_wholesale_price": "wholesale price in currency",
}
"""The columns of OFFERS that guard ``prices`` compares separately, with their names; every store shows the first."""

DISCOUNT_FIELD = "retail_price_with_discount"
"""Goods lose it when a sale ends: only where most goods had a discount is a lost one damage."""


@dataclass(frozen=True)
class GuardSetting:
    """A key of ``[guards]``: ``share`` from 0 to 1 (0: none may pass), ``count`` of rows, or ``factor`` from 1 on."""

    kind: Literal["share", "count", "factor"]
    default: float | int | None
    description: str


GUARD_SETTINGS: dict[str, GuardSetting] = {
    "max_removed_share": GuardSetting("share", 0.10, "of a store's categories, or goods, that would disappear"),
    "max_removed": GuardSetting("count", None, "the same as a count; default: no count"),
    "max_short_share": GuardSetting("share", 0.10, "of product types, sections or goods, fewer than in the last run"),
    "max_moved_share": GuardSetting("share", 0.30, "of goods that would change their category"),
    "max_moved_categories_share": GuardSetting("share", 0.30, "of categories that would get another parent"),
    "max_renamed_share": GuardSetting("share", 0.30, "of product types, sections or goods, with another name"),
    "max_changed_share": GuardSetting("share", 0.50, "of product types, or goods, gone or renamed: another base"),
    "max_lost_newest": GuardSetting("count", 2, "of the newest goods gone, with no newer one: an old backup"),
    "max_price_share": GuardSetting("share", 0.20, "of goods without their price, or with twice or half of it"),
    "max_sold_out_share": GuardSetting("share", 0.50, "of goods in stock that went to 0"),
    "tell_sold_out_share": GuardSetting("share", 0.30, "the same: above it the report says so"),
    "max_broken_share": GuardSetting("share", 0.05, "of names that became unreadable: a wrong charset"),
    "max_growth_share": GuardSetting("share", 0.50, "of new goods, by the goods of the last run"),
    "max_close_guards": GuardSetting("count", 3, "guards at once that are just below their limits"),
    "drift_factor": GuardSetting("factor", 2, "times a night's limit may change in 7 nights"),
}
"""Every key of ``[guards]``."""


def guard_setting(key: str) -> Any:
    """Return the pydantic field of one key of ``[guards]``. Strict: ``true`` is not a share."""
    setting = GUARD_SETTINGS[key]
    bounds: dict[str, Any] = {"share": {"ge": 0, "le": 1}, "count": {"ge": 0}, "factor": {"ge": 1}}[setting.kind]
    return Field(setting.default, description=setting.description, strict=True, allow_inf_nan=False, **bounds)


@dataclass(frozen=True)
class Guard:
    """One guard.

    ``says``: its meaning. ``rows``: what it counts, and of what. ``nights``: what it compares with. ``stop`` and
    ``tell`` name the limits: keys of ``[guards]``, or what the limit is in words. ``message`` and ``drift`` (what
    guard ``drift`` says of the same measure, if it looks at it) are templates with {measured}, {size}, {what};
    ``messages`` are others by case. ``one``: a single row never stops, as it is one person's edit. ``allow``: whether
    ``--allow`` may raise it. ``in_store`` names the stores after the message.
    """

    name: str
    says: str
    rows: str
    nights: str
    message: str
    stop: str = "0"
    tell: str = ""
    drift: str = ""
    one: bool = False
    allow: bool = True
    in_store: str = " (store {})"
    messages: tuple[tuple[str, str], ...] = ()

    def text(self, case: str = "") -> str:
        """Return the template of the message, or that of a case in ``messages``."""
        return dict(self.messages)[case] if case else self.message


_LAST = "last night"
_TWO_LIMITS = "max_removed_share, max_removed"

_ALL = (
    Guard(
        "empty_extract", "the base gave no product types or no goods",
        "product types; goods", "-", "the base gave no {what}", allow=False,
    ),
    Guard(
        "no_history", "the catalogue that was loaded last is not in history/: there is nothing to compare with",
        "all goods of the base", _LAST,
        "the catalogue that was loaded last ({runs}) is not in history/, so nothing tells what would change for the "
        "worse: put the folder back from a backup; several machines have to share it",
    ),
    Guard(
        "lost_state", "the state is empty, yet the history or a store proves earlier runs: numbers are given twice",
        "all goods of the base", "any earlier night",
        "the state remembers no run, but there were some: {evidence}; put the state back from a backup",
    ),
    Guard(
        "short_extract", "the base gave far fewer product types, sections or goods than the last run",
        "rows of product types, of sections, of goods that are missing", _LAST,
        "the base gave {after} rows of {what}, {before} in the last run", stop="max_short_share",
        drift="{measured} of {size} {what} are gone",
    ),
    Guard(
        "another_base", "most product types or goods are not those of the last run",
        "product types, or goods, that are gone or have another name", _LAST,
        "{measured} of {size} {what} of the last run are gone or have another name", stop="max_changed_share",
    ),
    Guard(
        "older_base", "the newest goods of the last run are gone and none is newer: an old backup?",
        "goods with a higher id than every good of tonight", _LAST,
        "the {measured} newest goods of the last run (above id {newest}) are gone and there is no newer one",
        stop="max_lost_newest",
    ),
    Guard(
        "mass_rename", "many names changed at once: a wrong charset?",
        "product types, sections, or goods, with another name, of those there on both nights", _LAST,
        "{measured} of {size} {what} have another name than in the last run", stop="max_renamed_share",
        drift="{measured} of {size} {what} have another name", one=True,
    ),
    Guard(
        "broken_text", "many names became unreadable: a wrong charset?",
        "names of product types, sections, or goods, with U+FFFD, runs of ? or letters of no language of the shop, "
        "that were readable", f"{_LAST}; on the first night all names",
        "{measured} of {size} names of {what} cannot be read, such as {examples}", stop="max_broken_share",
        drift="{measured} of {size} names of {what} became unreadable", one=True,
    ),
    Guard(
        "second_root", "the product types, or the categories, had one root and have more now: a lost parent?",
        "further roots", _LAST, "the product types have {roots} roots, one in the last run: {names}",
        messages=(("lifted", "categories that stood below the one root would be roots: {names}"),),
    ),
    Guard(
        "root_vanished", "a root category with goods would disappear",
        "root categories with goods below them", _LAST, "root categories with goods would disappear: {names}",
    ),
    Guard(
        "hidden_categories", "too many categories would disappear from a store",
        "categories that the store shows", "what the store shows",
        "{measured} of {size} categories would disappear", stop=_TWO_LIMITS, in_store=" from store {}",
        drift="{measured} of {size} categories disappeared",
    ),
    Guard(
        "hidden_offers", "too many goods would disappear from a store",
        "goods that the store shows", "what the store shows",
        "{measured} of {size} goods would disappear", stop=_TWO_LIMITS, in_store=" from store {}",
        drift="{measured} of {size} goods disappeared",
    ),
    Guard(
        "empty_feed", "no good would be left for a feed of priced goods",
        "goods that are shown and have a category, a name and a price", f"{_LAST}; on the first night all goods",
        "none of {size} goods is left that a feed can show (store {stores}): each needs a category, a name and a price",
        messages=(
            (
                "first",
                "a feed can show none of {size} goods (store {stores}): each needs a category, a name and a price",
            ),
        ),
    ),
    Guard(
        "moved_goods", "too many goods would change their category",
        "goods in another category, of those there on both nights", _LAST,
        "{measured} of {size} goods would change their category", stop="max_moved_share",
        drift="{measured} of {size} goods changed their category", one=True,
    ),
    Guard(
        "moved_categories", "too many categories would get another parent",
        "categories with another parent, of those there on both nights and below another on either", _LAST,
        "{measured} of {size} categories would get another parent", stop="max_moved_categories_share",
        drift="{measured} of {size} categories got another parent", one=True,
    ),
    Guard(
        "prices", "too many goods would lose their price, or get one that is twice or half as high",
        "goods there on both nights that had the price, for each price column", _LAST,
        "{measured} of {size} goods would lose their {what}, or get one that is at least twice or at most half as high",
        stop="max_price_share",
        drift="{measured} of {size} goods lost their {what}, or got one that is at least twice or at most half as high",
        one=True,
    ),
    Guard(
        "sold_out", "too many goods that were in stock would have none",
        "goods there on both nights that were in stock", _LAST,
        "{measured} of {size} goods that were in stock would have none", stop="max_sold_out_share",
        tell="tell_sold_out_share", one=True,
    ),
    Guard(
        "growth", "too many goods are new: the same goods under new ids?",
        "goods with a new id, and those of them that have the name of a good of the last run", _LAST,
        "{measured} goods are new, {size} were in the last run", stop="max_growth_share",
        drift="{measured} goods are new, {size} were there",
        messages=(("same", "{measured} goods have new ids and names of the last run, which had {size} goods"),),
        one=True,
    ),
    Guard(
        "renumbered",
        "a category has another number than in the last run: stores and marketplaces know it by the old one",
        "categories with a new number", _LAST, "categories have another number than in the last run: {names}",
    ),
    Guard(
        "number_reused", "a section number means another section than in the last run",
        "numbers whose section lost its goods and its name, and numbers that exchanged names",
        f"{_LAST}, and the state",
        "section numbers mean another section than in the last run: {names}",
        messages=(("store", "section numbers mean another section than in the store: {names}"),),
    ),
    Guard(
        "close_to_limits", "several guards at once are just below their limits",
        "guards that measure more than three quarters of their limit", _LAST,
        "{measured} guards are just below their limits: {names}", stop="max_close_guards", tell="2",
    ),
    Guard(
        "drift", "each night was below its limit, the nights together are not",
        "what the other guards count", f"the catalogue of {DRIFT_NIGHTS} nights ago",
        "in {nights} nights {told}", stop="drift_factor times the night's limit",
    ),
    Guard(
        "first_night", "the first catalogue looks as if columns were mapped wrongly",
        "all goods", "the first night", "none of {size} goods has {what}", stop="", tell="all goods", allow=False,
        messages=(
            ("one_category", "all {size} goods are in one category, «{what}», of {categories}"),
            ("hidden", "none of {size} goods would be shown"),
        ),
    ),
)  # fmt: skip

GUARD_TABLE: dict[str, Guard] = {guard.name: guard for guard in _ALL}
"""Every guard by its name."""

GUARDS: dict[str, str] = {guard.name: guard.says for guard in _ALL if guard.allow}
"""Every guard that ``--allow`` can raise, and its meaning. An empty extract is never allowed."""


def guard_stores(guard: str, stores: Sequence[str]) -> str:
    """Return the suffix of a message that names its stores; empty for the whole shop."""
    ending = GUARD_TABLE[guard].in_store if guard in GUARD_TABLE else " (store {})"
    return ending.format(", ".join(stores)) if stores else ""


def guards_table() -> str:
    """Return the guards as a Markdown table, for docs/guards.md."""
    lines = ["| guard | what it says | counts | compares with | stops above | tells above | drift |"]
    lines.append("|---|---|---|---|---|---|---|")
    for g in _ALL:
        cells = (g.says, g.rows, g.nights, _limit(g.stop), _limit(g.tell), "yes" if g.drift else "")
        lines.append(f"| `{g.name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _limit(text: str) -> str:
    keys = [key for key in text.split(", ") if key in GUARD_SETTINGS]
    if not keys:
        return text
    defaults = [
        f" = {GUARD_SETTINGS[key].default:g}" if GUARD_SETTINGS[key].default is not None else "" for key in keys
    ]
    return ", ".join(f"`{key}`{default}" for key, default in zip(keys, defaults, strict=True))


def guards_toml() -> list[str]:
    """The lines of ``[guards]`` in the reference of shop.toml, each key with its default; others in comments."""
    lines = []
    for key, setting in GUARD_SETTINGS.items():
        shown = 500 if setting.default is None else setting.default
        value = f"{shown:.2f}" if setting.kind == "share" else f"{shown}"
        key = f"# {key}" if setting.default is None else key
        lines.append(f"{key} = {value}".ljust(36) + f"# {setting.description}")
    return lines
