"""What a command loads before it answers, and how its messages name the command. No clock: modules are counted."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer

from cli.main import app
from schemas.settings.schedule import odd_night
from schemas.tables import OFFERS
from schemas.trs import OFFER_FIELDS
from tests.cli.conftest import Loaded

ROOT = Path(__file__).parents[2]
FRAMES = {"pandas", "pandera", "pyarrow", "numpy", "fdb"}
DATABASES = {"sqlalchemy", "alembic"}
REST = {"prefect", "apprise", "httpx", "jinja2", "ruamel", "rich", "filelock", "paramiko", "minio"}
"""What takes a tenth of a second or more to load; together several seconds."""


def packages(*words: object) -> set[str]:
    """The packages that are loaded once a command has answered, in a process of its own."""
    code = (
        "import json, sys\n"
        "from cli.main import main\n"
        "sys.argv = ['torgsync', *sys.argv[1:]]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_loads_neither_a_table_nor_a_database_nor_the_settings():
    assert packages("--help") & (FRAMES | DATABASES | REST | {"pydantic"}) == set()


def test_explain_reads_files_and_loads_neither_pandas_nor_a_database(loaded: Loaded):
    assert packages("explain", loaded.folder, "1") & (FRAMES | DATABASES | REST) == set()


def test_the_list_of_runs_loads_a_database_and_nothing_that_handles_tables(loaded: Loaded):
    found = packages("runs", loaded.folder)
    assert "sqlalchemy" in found
    assert found & (FRAMES | REST | {"alembic"}) == set()


def test_the_names_that_a_feed_may_use_are_the_columns_of_the_offers():
    assert list(OFFER_FIELDS) == list(OFFERS.columns)


@pytest.mark.parametrize(
    "zone", ["Europe/Kyiv", "Africa/Casablanca", "Asia/Gaza", "Australia/Lord_Howe", "America/Nuuk"]
)
def test_no_night_with_a_doubled_or_missing_time_is_overlooked_by_looking_at_some_weeks_only(zone):
    def first_odd(at: str) -> date | None:  # night by night
        hour, minute = map(int, at.split(":"))
        for number in range(4383):
            night = date(2026, 1, 1) + timedelta(days=number)
            local = datetime(night.year, night.month, night.day, hour, minute, tzinfo=ZoneInfo(zone))
            if local.utcoffset() != local.replace(fold=1).utcoffset():
                return night
        return None

    times = [f"{hour:02}:{minute}" for hour in range(5) for minute in (15, 45)] + ["22:45", "23:30"]
    assert {at: odd_night(at, zone) for at in times} == {at: first_odd(at) for at in times}


@pytest.mark.parametrize(
    ("command", "shown"), [("sh run torgsync", "sh run torgsync runs SHOP"), ("", "torgsync runs SHOP")]
)
def test_a_next_step_names_the_command_as_it_was_started(command, shown, tmp_path):
    words = [sys.executable, "-c", "import sys; from cli.main import main; sys.argv[0] = 'torgsync'; main()", "runs"]
    environment = {**os.environ, "TORGSYNC_COMMAND": command, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f"torgsync: no shop here\n  next: give one: {shown}\n")


def test_no_message_names_a_command_that_may_not_be_on_the_path():
    names = "|".join(typer.main.get_group(app).commands)
    bare = re.compile(rf"\btorgsync ({names})\b")
    rooms = ("cli", "engine", "flows", "reports", "schemas", "sources", "state", "stores", "transforms")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}:{line}" for path in files for line, text in _messages(path) if bare.search(text)
    ]
    assert found == [], "say it with schemas.command.COMMAND"


def _messages(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of the strings of a module that are neither docstrings nor texts of --help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    texts += [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg in ("help", "epilog")]
    left_out = set(map(id, texts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.lineno, node.value
