"""Tables of the state database. Changed by migrations only: ``state/migrations``."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, MetaData, String, Table, Text

METADATA = MetaData()

SECTION_NUMBERS = Table(
    "section_numbers",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="never re-used, also after retirement"),
    Column("identity", Text, nullable=False, comment="torgsoft:KEY, type:ID or rule:PATH"),
    Column("name", Text, nullable=False),
    Column("parent_number", BigInteger),
    Column("origin", String(16), nullable=False, comment="torgsoft, rule or registry: who gave the number"),
    Column("first_run", String(40), nullable=False),
    Column("last_run", String(40), nullable=False),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("run", String(40), primary_key=True),
    Column("started_at", String(40), nullable=False),
    Column("finished_at", String(40)),
    Column("outcome", String(40), nullable=False),
    Column("message", Text, nullable=False),
    Column("report", JSON),
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("run", String(40), ForeignKey("runs.run"), nullable=False, index=True),
    Column("table", String(40), nullable=False),
    Column("row_number", BigInteger, nullable=False),
    Column("row_key", Text, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("row", Text, nullable=False),
)
