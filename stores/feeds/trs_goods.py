"""The frame of the sync file: every good with its category, section names and type path (domain.md section 4)."""

from __future__ import annotations

import pandas as pd

from schemas.tables import TEXT


def feed_goods(
    offers: pd.DataFrame, types: pd.DataFrame, assignments: pd.DataFrame, sections: pd.DataFrame
) -> pd.DataFrame:
    """Return OFFERS with the further columns of a sync file, in the order of the goods.

    Added: ``category`` (the section's number, empty for a hidden good), ``good_type_full`` and ``good_type_name``
    (Torgsoft's spelling, levels joined by commas without blanks), ``synchronization_section`` (leaf name)
    and ``section_chain`` (root to leaf, a list of (key, name), or None).
    """
    by_type = types[["type_id", "raw_name"]].assign(
        good_type_full=pd.Series([",".join(path) for path in types["raw_path"]], index=types.index, dtype=TEXT)
    )
    goods = assignments[["good_id", "type_id"]].merge(by_type, on="type_id", how="left", validate="many_to_one")
    chains = _chains(sections)
    numbers = [None if pd.isna(n) else int(n) for n in offers["category_number"]]
    names = {number: chain[-1][1] for number, chain in chains.items()}
    return (
        offers.drop(columns=["hidden"])
        .rename(columns={"name": "good_name", "category_number": "category"})
        .assign(
            good_type_full=goods["good_type_full"].array,
            good_type_name=goods["raw_name"].array,
            synchronization_section=pd.Series([names.get(n or 0) for n in numbers], index=offers.index, dtype=TEXT),
            section_chain=pd.Series([chains.get(n or 0) for n in numbers], index=offers.index, dtype=object),
        )
    )


def _chains(sections: pd.DataFrame) -> dict[int, list[tuple[int, str]]]:
    """Map each number to the (key, name) pairs from the root to the section; parents come first."""
    by_identity: dict[str, list[tuple[int, str]]] = {}
    out: dict[int, list[tuple[int, str]]] = {}
    for row in sections.to_dict("records"):
        above = [] if pd.isna(row["parent_identity"]) else by_identity[str(row["parent_identity"])]
        chain = [*above, (int(row["chain_key"]), str(row["name"]))]
        by_identity[str(row["identity"])] = out[int(row["number"])] = chain
    return out
