"""What every test stands on: one database server a run, and the Celery app."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.db import connections

from tests import servers
from tests import settings as test_settings

NO_CHROMIUM = (
    "No Chromium: the browser tests did not run. Install one (apt install chromium), or set "
    "TRIGGERS_CHROMIUM to its path."
)

NO_MARIADB = (
    "No MariaDB on this machine: its smoke suite did not run. Install one (apt install "
    "mariadb-server); no service needs to run."
)

_run = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's database server, in the controlling process only.

    Workers of pytest-xdist, and workers of Celery that a test starts, inherit its address in
    `TRIGGERS_TEST_DB_HOME`; whoever sets that before the run brings a server of their own.
    """
    if "TRIGGERS_TEST_DB_HOME" not in os.environ:
        if test_settings.DATABASE_KIND == "postgres":
            home = _run.enter_context(servers.postgres()).host
        elif test_settings.DATABASE_KIND == "mariadb":
            if not servers.has_mariadb():
                # In CI a database that is missing is a failure instead of a skip.
                pytest.exit(NO_MARIADB, returncode=int(os.environ.get("CI") == "true"))
            home = _run.enter_context(servers.mariadb())
        else:
            home = tempfile.mkdtemp(prefix="triggers-sqlite-")
            _run.callback(shutil.rmtree, home, ignore_errors=True)
        os.environ["TRIGGERS_TEST_DB_HOME"] = home
        _run.callback(os.environ.pop, "TRIGGERS_TEST_DB_HOME", None)
        _move_database(home)
    # Makes our Celery app the current one, as a host's own `__init__` does.
    from tests import celery_app  # noqa: F401


def _move_database(home: str) -> None:
    # pytest-django has read the settings by now, but nothing has connected yet.
    moved = test_settings.database(test_settings.DATABASE_KIND, home)
    for databases in (settings.DATABASES, connections.settings):
        databases["default"]["NAME"] = moved["NAME"]
        databases["default"]["HOST"] = moved.get("HOST", "")
        databases["default"]["TEST"]["NAME"] = moved.get("TEST", {}).get("NAME")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test that commits the rows back that migrations made.

    Such a test ends with empty tables. Without this the ones after it would find no site, no page
    tree, no groups and no topic. Loading them also takes less time than the signals of a plain
    flush (0.16 s against 0.23 s).
    """
    for item in items:
        marker = item.get_closest_marker("django_db")
        options = dict(marker.kwargs) if marker else {}
        fixtures = set(getattr(item, "fixturenames", ()))
        if options.get("transaction") or fixtures & {"transactional_db", "live_server"}:
            options |= {"transaction": True, "serialized_rollback": True}
            item.add_marker(pytest.mark.django_db(**options), append=False)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server; pytest calls this also after Ctrl-C."""
    _run.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines that the browser tests are missing from the figures."""
    skipped = terminalreporter.getreports("skipped")
    if any(NO_CHROMIUM in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(NO_CHROMIUM, yellow=True)
