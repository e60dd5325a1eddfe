"""Fixtures that several folders of tests share, and the number of random cases of a property."""

import gc
import os

import pyarrow
import pytest
from hypothesis import HealthCheck, settings

from tests.database_servers import (  # noqa: F401 - fixtures, found by their names
    mariadb_server,
    mariadb_url,
    postgres_server,
    postgres_url,
)
from tests.firebird_server import firebird_server  # noqa: F401 - a fixture, found by its name

# quick: part of every run. thorough: by hand, HYPOTHESIS_PROFILE=thorough, after changing a transform
settings.register_profile(
    "quick", max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


pyarrow.set_cpu_count(1)  # two processes of tests share the machine: threads for tables of 40 rows cost a fifth more

_ON_PREFECT = "tests/production/"


_LONGEST_FIRST = (
    _ON_PREFECT, "tests/faults/test_broken_nights.py", "tests/nights/test_soak.py", "tests/opencart/", "tests/faults/",
    "tests/nights/", "tests/e2e/", "tests/cli/",
)  # fmt: skip
"""By the CPU time that they take; what is not named here comes last and fills what is left at the end."""


def pytest_collection_modifyitems(items):
    """Start the longest tests first, so that no process waits at the end for a long file of another one."""

    def place(item):
        places = (n for n, start in enumerate(_LONGEST_FIRST) if item.nodeid.startswith(start))
        return next(places, len(_LONGEST_FIRST))

    # the twin has the same structure as the originals: through a server it alone is read
    items[:] = [item for item in items if not item.name.endswith("[tcp-originals]")]
    items.sort(key=place)


def pytest_collection_finish():
    """Exclude the objects of the libraries from garbage collection, which takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each file to one process, and all files that need a Prefect server to the same one, so that it starts once.

    (xdist's own groups do not work with pytest 9.2: it renames tests, and the names are no longer taken.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return "prefect" if nodeid.startswith(_ON_PREFECT) else nodeid.split("::")[0]

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip into a failure where servers are required (in CI)."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("TORGSYNC_REQUIRE_SERVERS") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped here: {report.longrepr}"
