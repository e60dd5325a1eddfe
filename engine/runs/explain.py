"""Explains the category of a good from the output files of the last run, without base and state."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from reports.spreadsheet import from_people
from schemas.command import COMMAND
from schemas.errors import SettingsError

WHY = {
    "link": "its product type is linked to this section in Torgsoft",
    "inherit": "its product type has no section: it gets the nearest ancestor's (sections.unmapped = inherit)",
    "create": "a section was made for its product type (sections.unmapped = create)",
    "hide": "its product type has no section and sections.unmapped = hide",
    "held": f"its row is in the quarantine: until that is corrected it stays where it was ({COMMAND} quarantine show)",
    "none": "neither its product type nor any ancestor has a section",
}


def explain(output: Path, key: str) -> list[dict[str, Any]]:
    """Return the goods that a key names, each with category, product type and reason; also quarantined ones.

    ``stores`` of a good are those whose rules decide differently.
    """
    if not (output / "assignments.csv").is_file():
        raise SettingsError(f"{output}: no run has finished yet", f"run {COMMAND} sync first")
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    rules = {f"rule {rule['rule']}": f"{rule['reason']} (rules, line {rule['line']})" for rule in report["rules"]}
    goods = _decided(output, rules)
    own = {
        store: _decided(output / store, rules)
        for store in report.get("own_catalogues", {})
        if (output / store / "assignments.csv").is_file()
    }
    out: list[dict[str, Any]] = []
    for good, item in goods.items():
        others = {store: found[good] for store, found in own.items() if good in found}
        if any(_named(key, found, found["name"]) for found in (item, *others.values())):
            shown = ("category_number", "category", "decided_by", "why")
            differ = {s: {name: o[name] for name in shown} for s, o in others.items() if _differs(item, o)}
            out.append({**item, **({"stores": differ} if differ else {})})
    for row in _rows(output / "quarantine.csv"):
        if row["table"] == "raw_goods" and row["row_key"] == key:
            out.append(
                {
                    "good_id": key,
                    "category": "none: in the quarantine",
                    "decided_by": row["reason"],
                    "why": row["detail"],
                }
            )
    return out


def _decided(folder: Path, rules: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Read each good of a catalogue's files with its category and the reason."""
    categories = {row["number"]: row for row in _rows(folder / "categories.csv")}
    names = {row["good_id"]: row["name"] for row in _rows(folder / "offers.csv")}
    out: dict[str, dict[str, Any]] = {}
    for row in _rows(folder / "assignments.csv"):
        category = categories.get(row["category_number"])
        path = " > ".join(json.loads(category["path"])) if category else "none: the good is hidden"
        why = rules.get(row["decided_by"]) or WHY.get(row["decided_by"], "")
        shown = f"{path} [{row['category_number']}]" if category else path
        out[row["good_id"]] = {**row, "name": names.get(row["good_id"], ""), "category": shown, "why": why}
    return out


def _differs(item: dict[str, Any], other: dict[str, Any]) -> bool:
    return (item["category"], item["decided_by"]) != (other["category"], other["decided_by"])


def _named(key: str, row: dict[str, str], name: str) -> bool:
    kind, _, value = key.partition(":")
    if kind in ("type", "number") and value:
        return row["type_id" if kind == "type" else "category_number"] == value
    return row["good_id"] == key or (not key.isdigit() and key.casefold() in name.casefold())


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [{name: from_people(cell) for name, cell in row.items()} for row in csv.DictReader(stream)]
