"""The rights that docs/firebird.md names are enough to read, and allow nothing else: on a real Firebird 3 server."""

from __future__ import annotations

import re
from pathlib import Path

import fdb
import pytest

from sources.firebird.extract import count_base, read_base
from sources.firebird.inspect import inspect_base, propose_map
from tests.source.conftest import PASSWORD_ENV, Place

PAGE = (Path(__file__).parents[2] / "docs" / "firebird.md").read_text(encoding="utf-8")


def statements() -> list[str]:
    """The statements of the page's SQL block."""
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    return [line.strip().rstrip(";") for line in block.splitlines() if line.strip()]


@pytest.mark.server
def test_the_documented_user_reads_everything_and_can_do_nothing_else(
    tcp: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    tcp.build()
    tcp.run("base.fdb", "CREATE TABLE CASH_DESK (ID INTEGER)", "INSERT INTO CASH_DESK VALUES (1)")
    tcp.run("base.fdb", *statements())
    user, password = re.search(r"CREATE USER (\w+) PASSWORD '([^']+)'", PAGE).groups()  # type: ignore[union-attr]
    try:
        monkeypatch.setenv(PASSWORD_ENV, password)
        settings = tcp.settings("base.fdb", user=user)

        assert len(read_base(settings, tcp.folder).goods) == 3
        assert count_base(settings, tcp.folder)[1]["raw_goods"] == 3
        info = inspect_base(settings, tcp.folder)
        assert info["tables"]["CASH_DESK"]["rows"] is None
        assert propose_map(info).goods.table == "GOODS"

        connection = fdb.connect(dsn=tcp.dsn("base.fdb"), user=user, password=password, charset="UTF8")
        try:
            for refused in (
                "SELECT * FROM CASH_DESK",
                "UPDATE GOODS SET GOOD_NAME = 'x'",
                "DELETE FROM SECTIONS",
                "INSERT INTO CASH_DESK VALUES (2)",
            ):
                with pytest.raises(fdb.DatabaseError, match="no permission"):
                    connection.cursor().execute(refused)
        finally:
            connection.close()
    finally:
        monkeypatch.setenv(PASSWORD_ENV, tcp.login["password"])
        tcp.run("base.fdb", f"DROP USER {user}")
