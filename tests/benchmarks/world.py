"""What every benchmark stands on: a durable PostgreSQL, Valkey, and Django set up on both."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import servers
from tests.benchmarks import sink as sinks
from tests.benchmarks.sink import Sink

#: Set once a world is ready that has a mail server.
_sinks: list[Sink] = []


@contextmanager
def ready(*, mails: bool, handicap: float = 0.0) -> Iterator[None]:
    """Servers run and Django is set up for the length of the block; once per process.

    Args:
        mails: Whether a mail server is needed too.
        handicap: Seconds by which our channel is late.
    """
    with ExitStack() as stack:
        _say("PostgreSQL with fsync on, and Valkey")
        postgres = stack.enter_context(servers.postgres(durable=True))
        broker = stack.enter_context(servers.valkey())
        letters = stack.enter_context(tempfile.TemporaryDirectory(prefix="triggers-letters-"))
        port = servers.free_port()
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
            "TRIGGERS_TEST_DB": "postgres",
            "TRIGGERS_TEST_DB_HOME": postgres.host,
            "TRIGGERS_TEST_BROKER": broker,
            "TRIGGERS_BENCH_SMTP_PORT": str(port),
            "TRIGGERS_BENCH_LETTERS": letters,
            "TRIGGERS_BENCH_HANDICAP": str(handicap),
        }
        _create_database(postgres)
        _migrate()
        if mails:
            _sinks.append(stack.enter_context(sinks.running(port)))
        yield


def letters() -> Path:
    """The folder of the baseline's templates."""
    return Path(os.environ["TRIGGERS_BENCH_LETTERS"])


def sink() -> Sink:
    """The running mail server."""
    return _sinks[-1]


def empty() -> None:
    """Empty the tables of ours and of the shop: each benchmark begins on its own."""
    from django.apps import apps
    from django.db import connection

    names = [
        connection.ops.quote_name(model._meta.db_table)
        for label in ("wagtail_triggers", "bench_shop")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(names)} CASCADE")


def _create_database(postgres: servers.Postgres) -> None:
    import psycopg

    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE triggers")


def _migrate() -> None:
    import django
    from django.core.management import call_command

    _say("tables")
    django.setup()
    # Makes our Celery app the current one, as a host's own `__init__` does.
    from tests.benchmarks import celery_app  # noqa: F401

    call_command("migrate", run_syncdb=True, verbosity=0)


def _say(line: str) -> None:
    print(f"[benchmarks] {line}", file=sys.stderr, flush=True)
