"""pandera models of every table that two folders share, each declared once.

A frame is validated lazily; a row that fails goes to the quarantine under the *name of the failed check*, which is a
code of ``schemas.reasons``. A failure without a row (a missing or wrongly typed column) stops the run.
"""

from __future__ import annotations

import pandas as pd
import pyarrow
from pandera.pandas import Check, Column, DataFrameSchema

from schemas.numbers import MAX_NUMBER
from schemas.trs import DECIMAL_PRECISION, DECIMAL_SCALE, GOOD_COLUMNS, OFFER_COLUMNS, TrsColumn

INTEGER = pd.Int64Dtype()
TEXT = pd.StringDtype(na_value=float("nan"))
DECIMAL = pd.ArrowDtype(pyarrow.decimal128(DECIMAL_PRECISION, DECIMAL_SCALE))

NON_NEGATIVE = ("retail_price", "wholesale_price", "retail_price_with_discount")


def _filled(reason: str) -> Check:
    return Check(lambda s: s.notna(), name=reason, error=reason, ignore_na=False)


def _positive(reason: str) -> Check:
    return Check(lambda s: (s > 0).fillna(True).astype(bool), name=reason, error=reason)


def _unique(reason: str) -> Check:
    return Check(lambda s: ~s.duplicated(keep=False) | s.isna(), name=reason, error=reason, ignore_na=False)


def _not_blank(reason: str) -> Check:
    return Check(
        lambda s: s.notna() & s.str.strip().ne("").fillna(False).astype(bool),
        name=reason,
        error=reason,
        ignore_na=False,
    )


def _not_negative(reason: str) -> Check:
    return Check(lambda s: s.isna() | (s >= 0).fillna(True).astype(bool), name=reason, error=reason, ignore_na=False)


def _flag(reason: str) -> Check:
    return Check(lambda s: s.isna() | s.isin([0, 1]), name=reason, error=reason, ignore_na=False)


def _key(title: str) -> Column:
    return Column(
        INTEGER,
        [_filled("id_missing"), _positive("id_not_positive"), _unique("id_duplicate")],
        nullable=True,
        title=title,
    )


def _good_column(column: TrsColumn) -> Column:
    dtype = {"text": TEXT, "integer": INTEGER, "flag": INTEGER, "decimal": DECIMAL}[column.kind]
    checks = []
    if column.field in NON_NEGATIVE:
        checks.append(_not_negative("price_negative"))
    if column.kind == "flag":
        checks.append(_flag("flag_unknown"))
    return Column(dtype, checks, nullable=True, title=column.name)


RAW_PRODUCT_TYPES = DataFrameSchema(
    {
        "type_id": _key("the product type's key in Torgsoft"),
        "parent_id": Column(INTEGER, nullable=True, title="the parent type's key; empty for a root"),
        "name": Column(TEXT, _not_blank("name_empty"), nullable=True, title="the name as Torgsoft holds it"),
        "section_key": Column(INTEGER, nullable=True, title="the key of the linked section, if any"),
    },
    name="raw_product_types",
    strict=True,
)

RAW_SECTIONS = DataFrameSchema(
    {
        "section_key": _key("the section's internal key, apart from its number (domain.md section 2.6, inferred)"),
        "parent_key": Column(INTEGER, nullable=True, title="the parent section's key; empty for a root"),
        "name": Column(TEXT, _not_blank("name_empty"), nullable=True, title="the name as Torgsoft holds it"),
        "number": Column(TEXT, nullable=True, title="the number as Torgsoft holds it, as text; may be missing"),
    },
    name="raw_sections",
    strict=True,
)

RAW_GOODS = DataFrameSchema(
    {
        "good_id": _key("GoodID"),
        "type_id": Column(INTEGER, _filled("type_missing"), nullable=True, title="the good's product type"),
        "position": Column(INTEGER, nullable=True, title="order of the goods in the sync file"),
        "good_name": Column(TEXT, _not_blank("name_empty"), nullable=True, title="GoodName"),
        **{c.field: _good_column(c) for c in GOOD_COLUMNS if c.field not in ("good_id", "good_name")},
    },
    name="raw_goods",
    strict=True,
)

CLEAN_PRODUCT_TYPES = DataFrameSchema(
    {
        "type_id": Column(INTEGER, unique=True, title="the product type's key"),
        "parent_id": Column(INTEGER, nullable=True, title="the parent type's key; empty for a root"),
        "name": Column(TEXT, title="the name by the names policy"),
        "raw_name": Column(TEXT, title="the name as Torgsoft holds it"),
        "section_key": Column(INTEGER, nullable=True, title="the key of the linked section, if it is usable"),
        "path": Column(object, title="names from the root to the type itself, a list"),
        "raw_path": Column(object, title="the same with Torgsoft's own spelling"),
        "depth": Column(INTEGER, Check.ge(1), title="1 for a root"),
        "goods": Column(INTEGER, Check.ge(0), title="goods that hang directly on the type"),
        "goods_below": Column(INTEGER, Check.ge(0), title="goods on the type and all types below it"),
    },
    name="clean_product_types",
    strict=True,
)

SECTIONS = DataFrameSchema(
    {
        "identity": Column(TEXT, unique=True, title="the section's lasting identity: torgsoft:KEY, type:ID, rule:PATH"),
        "parent_identity": Column(TEXT, nullable=True, title="the parent section's identity; empty for a root"),
        "name": Column(TEXT, title="the name by the names policy and the rules"),
        "number": Column(INTEGER, Check.in_range(1, MAX_NUMBER), unique=True, title="the section's number"),
        "number_origin": Column(TEXT, Check.isin(["torgsoft", "rule", "registry"]), title="who gave the number"),
        "chain_key": Column(INTEGER, title="what stands before = in the file's section chain"),
    },
    name="sections",
    strict=True,
)

CATEGORIES = DataFrameSchema(
    {
        "number": Column(INTEGER, Check.in_range(1, MAX_NUMBER), unique=True, title="the section's number"),
        "name": Column(TEXT, _not_blank("name_empty"), title="the category's name"),
        "parent_number": Column(INTEGER, nullable=True, title="the parent category's number; empty for a root"),
        "path": Column(object, title="names from the root to the category itself, a list"),
        "depth": Column(INTEGER, Check.ge(1), title="1 for a root"),
        "goods": Column(INTEGER, Check.ge(0), title="goods assigned to the category itself"),
    },
    name="categories",
    strict=True,
)

ASSIGNMENTS = DataFrameSchema(
    {
        "good_id": Column(INTEGER, unique=True, title="the good's key"),
        "type_id": Column(INTEGER, title="the good's product type"),
        "category_number": Column(INTEGER, nullable=True, title="its category; empty: the good is hidden"),
        "decided_by": Column(TEXT, title="rule N, link, or the policy that decided"),
    },
    name="assignments",
    strict=True,
)

OFFERS = DataFrameSchema(
    {
        "good_id": Column(INTEGER, unique=True, title="the good's key"),
        "category_number": Column(INTEGER, nullable=True, title="its category; empty: the good is hidden"),
        "name": Column(TEXT, title="the good's name, with the merged type's name where a rule keeps it"),
        **{
            c.field: Column(
                {"text": TEXT, "integer": INTEGER, "flag": INTEGER, "decimal": DECIMAL}[c.kind],
                nullable=True,
                title=c.name,
            )
            for c in OFFER_COLUMNS
        },
        "hidden": Column(bool, title="true where nobody shall see it: no category, or Display = 0"),
    },
    name="offers",
    strict=True,
)

QUARANTINE_COLUMNS = ("table", "row_number", "row_key", "reason", "detail", "row")
"""Columns of the quarantine: table, number of the row in the extract (from 1), key, reason, detail, row as JSON."""

TABLES: dict[str, DataFrameSchema] = {
    str(schema.name): schema
    for schema in (
        RAW_PRODUCT_TYPES,
        RAW_SECTIONS,
        RAW_GOODS,
        CLEAN_PRODUCT_TYPES,
        SECTIONS,
        CATEGORIES,
        ASSIGNMENTS,
        OFFERS,
    )
}


def conform(frame: pd.DataFrame, schema: DataFrameSchema) -> pd.DataFrame:
    """Return the frame with exactly the columns and dtypes of the schema; missing nullable columns are empty."""
    dtypes = {name: column.dtype.type for name, column in schema.columns.items()}
    if list(frame.columns) == list(dtypes) and dict(frame.dtypes) == dtypes:
        return frame.reset_index(drop=True)
    out: dict[str, object] = {}
    empty: dict[object, pd.Series] = {}  # by dtype: most tables have few columns of the 49 of goods
    for name, dtype in dtypes.items():
        if name not in frame:
            if dtype not in empty:
                empty[dtype] = pd.Series(pd.NA, index=frame.index, dtype=dtype)
            out[name] = empty[dtype]
        else:
            out[name] = frame[name] if frame[name].dtype == dtype else frame[name].astype(dtype)
    return pd.DataFrame(out, index=frame.index).reset_index(drop=True)
