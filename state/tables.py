"""Tables of the state database. Changed by migrations only: ``state/migrations``."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, String, Table, Text

METADATA = MetaData()


def _shop() -> Column[str]:
    return Column("shop", String(100), primary_key=True)


SECTION_NUMBERS = Table(
    "section_numbers",
    METADATA,
    _shop(),
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="never re-used, also after retirement"),
    Column("identity", Text, nullable=False, comment="torgsoft:KEY, type:ID or rule:PATH"),
    Column("name", Text, nullable=False),
    Column("parent_number", BigInteger),
    Column("origin", String(16), nullable=False, comment="torgsoft, rule or registry: who gave the number"),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("run", String(40), primary_key=True),
    Column("shop", String(100), nullable=False, index=True),
    Column("purpose", String(16), nullable=False, comment="sync, plan, apply, resume, retry or rollback"),
    Column("continues", String(40), comment="the run that a resume or retry goes on with"),
    Column("flow_run", String(40), comment="id of the Prefect flow run that it was"),
    Column("sequence", BigInteger, nullable=False, server_default="0", comment="the order of a shop's runs: no clock"),
    Column("started_at", String(40), nullable=False),
    Column("finished_at", String(40)),
    Column("outcome", String(40), nullable=False),
    Column("exit_code", Integer),
    Column("message", Text, nullable=False),
    Column("catalogue", String(64), comment="fingerprint of the catalogue in the history"),
    Column("extract", String(64), comment="fingerprint of the extract in the history"),
    Column("allowed", JSON, comment="guards that --allow granted, with the measured rows"),
    Column("report", JSON),
)

LOADED = Table(
    "loaded",
    METADATA,
    _shop(),
    Column("run", String(40), nullable=False, comment="the run that was loaded last into at least one store"),
    Column("catalogue", String(64), nullable=False),
    Column("plan", String(64), nullable=False, comment="fingerprint of the plan that was applied"),
    Column("counts", JSON, nullable=False, comment="rows of each raw table"),
    Column("last_successful", String(40), comment="the last run that every store took"),
)

CONFIRMED = Table(
    "confirmed",
    METADATA,
    _shop(),
    Column("store", String(100), primary_key=True),
    Column("run", String(40), nullable=False),
    Column("catalogue", String(64), nullable=False, comment="what the store last confirmed to hold"),
    Column("files", JSON, nullable=False, comment="feeds: file name and SHA-256 of its content"),
)

BINDINGS = Table(
    "bindings",
    METADATA,
    _shop(),
    Column("store", String(100), primary_key=True),
    Column("entity", String(16), primary_key=True),
    Column("key", BigInteger, primary_key=True, autoincrement=False, comment="section number or good id"),
    Column("store_key", String(100), nullable=False, comment="the store's own id"),
    Column("slug", Text, comment="frozen at creation"),
)

WRITES_BEGUN = Table(
    "writes_begun",
    METADATA,
    Column("run", String(40), primary_key=True, comment="the run that began to write"),
    Column("store", String(100), primary_key=True),
)

TOMBSTONES = Table(
    "tombstones",
    METADATA,
    _shop(),
    Column("entity", String(16), primary_key=True),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("last_night", String(10), nullable=False, comment="the last night that was counted"),
    Column("nights", Integer, nullable=False, comment="nights of absence so far"),
    Column("path", JSON, comment="a category's last path"),
    Column("parent_number", BigInteger),
)

REDIRECTS = Table(
    "remembered_redirects",
    METADATA,
    _shop(),
    Column("id", String(32), primary_key=True, comment="fingerprint of the old path"),
    Column("old_number", BigInteger, nullable=False),
    Column("old_path", JSON, nullable=False),
    Column("number", BigInteger, nullable=False, comment="the category that it leads to"),
    Column("since", String(10), nullable=False),
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("run", String(40), nullable=False, index=True),
    Column("table", String(40), nullable=False),
    Column("row_number", BigInteger, nullable=False),
    Column("row_key", Text, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("row", Text, nullable=False),
)

ACCEPTED = Table(
    "accepted",
    METADATA,
    _shop(),
    Column("table", String(40), primary_key=True),
    Column("row_key", String(100), primary_key=True),
    Column("reason", String(40), primary_key=True),
    Column("note", Text, nullable=False),
    Column("accepted_at", String(40), nullable=False),
)
