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

_run = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's database server, in the controlling process only.

    Workers of pytest-xdist, and workers of Celery that a test starts, inherit its address in
    `TRIGGERS_TEST_DB_HOME`; whoever sets that before the run brings a server of their own.
    """
    if "TRIGGERS_TEST_DB_HOME" not in os.environ:
        if test_settings.DATABASE_KIND == "postgres":
            home = _run.enter_context(servers.postgres()).host
        else:
            home = tempfile.mkdtemp(prefix="triggers-sqlite-")
            _run.callback(shutil.rmtree, home, ignore_errors=True)
        os.environ["TRIGGERS_TEST_DB_HOME"] = home
        _run.callback(os.environ.pop, "TRIGGERS_TEST_DB_HOME", None)
        # pytest-django has read the settings by now, but nothing has connected yet.
        settings.DATABASES["default"].update(
            test_settings.database(test_settings.DATABASE_KIND, home)
        )
        connections.settings["default"].update(settings.DATABASES["default"])
    # Makes our Celery app the current one, as a host's own `__init__` does.
    from tests import celery_app  # noqa: F401


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server; pytest calls this also after Ctrl-C."""
    _run.close()
