"""Reason codes of the quarantine, each with its meaning and remedy.

The codes are stable: they are in ``quarantine.csv``, in the state database, in reports and in the documentation.
"""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    # code: (what it means, what to do in Torgsoft or in the settings)
    "id_missing": ("the row has no id", "open the record in Torgsoft and save it again, or restore it"),
    "id_not_positive": ("the id is zero or negative", "recreate the record: ids start at 1"),
    "id_duplicate": ("two or more rows carry this id", "repair the base: an id must be unique"),
    "name_empty": ("the name is empty or has only blanks", "give it a name in Torgsoft"),
    "name_unusable": ("nothing is left of the name once special characters are removed", "rename it in Torgsoft"),
    "name_too_long": ("the name is longer than the limit", "shorten it in Torgsoft or raise names.max_length"),
    "parent_self": ("the row is its own parent", "choose another parent in Torgsoft"),
    "parent_cycle": ("the row's chain of parents comes back to itself", "break the loop in Torgsoft"),
    "parent_unknown": ("the parent does not exist", "choose an existing parent in Torgsoft"),
    "parent_quarantined": (
        "an ancestor of the row is in the quarantine",
        "correct the ancestor, this row then follows",
    ),
    "number_not_integer": ("the section's number is not an integer", "give the section an integer number"),
    "number_not_positive": ("the section's number is zero or negative", "give the section a number above zero"),
    "number_too_large": ("the section's number is above 2 147 483 647", "give the section a smaller number"),
    "number_duplicate": ("two or more sections carry this number", "give each section a different number"),
    "number_taken": (
        "the registry already gave this number to another section",
        "give the section another number in Torgsoft; a number once given is never re-used",
    ),
    "type_missing": ("the good has no product type", "choose a product type for the good"),
    "type_unknown": ("the good's product type does not exist", "choose an existing product type for the good"),
    "type_quarantined": ("the good's product type is in the quarantine", "correct the product type, the good follows"),
    "price_negative": ("a price is below zero", "correct the price in Torgsoft"),
    "flag_unknown": ("a 0/1 field holds another value", "correct the field in Torgsoft"),
    "text_unreadable": (
        "a text holds bytes that are none of the base's charset",
        "write the text anew in Torgsoft; if there are many, correct source.charset",
    ),
    "value_out_of_range": ("a value breaks the table's schema", "see the detail; correct the value in Torgsoft"),
}
