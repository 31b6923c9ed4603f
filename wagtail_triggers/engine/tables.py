"""What our tables need of one database and not of another; seen to after each `migrate`.

The one migration is the same everywhere. PostgreSQL wants to clean up more often in tables that
work as queues, and can index time at next to no cost. MySQL and MariaDB have no partial indexes:
Django leaves them out there, and every look for what is due would read the whole table.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from django.apps import AppConfig
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Index, Model
from django.db.models.signals import post_migrate

from ..core.columns import column_of
from ..events.models import Event
from ..messages.models import Message, MessageEvent
from .models import BatchAttempt, Enrolment, Job, StepRun

logger = logging.getLogger("wagtail_triggers.tables")

#: A queue's index fills with rows that are done; cleaned up after 2 % of changes instead of 20 %.
QUEUES: Final[tuple[type[Model], ...]] = (Event, Message, MessageEvent, Enrolment, Job)
OFTEN: Final = {"autovacuum_vacuum_scale_factor": "0.02", "autovacuum_analyze_scale_factor": "0.02"}
#: A few rows that are written and deleted all the time.
SMALL: Final = {"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "500"}
#: Tables that grow in the order of this time: a BRIN index of some pages finds a month in a year.
TIMES: Final[tuple[tuple[type[Model], str], ...]] = (
    (Event, "recorded_at"),
    (Message, "planned_at"),
    (MessageEvent, "recorded_at"),
    (StepRun, "at"),
)
#: An index is made at once in tables up to this size; making it blocks whoever writes.
AT_ONCE: Final = 200_000


def connect() -> None:
    """Listen for `migrate`. Called once from `AppConfig.ready()`."""
    post_migrate.connect(tend, dispatch_uid="wagtail_triggers.tables")


def tend(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """See to our tables after our migrations have run; what fails is told, and harms nothing."""
    if sender.label != "wagtail_triggers":
        return
    connection = connections[using]
    known = set(connection.introspection.table_names())
    if Event._meta.db_table not in known:
        return  # migrated back to nothing
    if connection.vendor == "postgresql":
        _try_each(connection, [*_vacuuming(connection), *_time_indexes(connection)])
    elif connection.vendor == "mysql":
        _whole_indexes(connection)


def _try_each(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    for statement in statements:
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                cursor.execute(statement)
        except DatabaseError as error:
            logger.warning("%s (%s). Run it by hand, at a quiet hour.", statement, error)


def _vacuuming(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """Storage options, for tables in which nobody has chosen any."""
    wanted = {model: OFTEN for model in QUEUES} | {BatchAttempt: SMALL}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, coalesce(array_to_string(reloptions, ','), '') FROM pg_class"
            " WHERE relkind = 'r' AND pg_table_is_visible(oid) AND relname = ANY(%s)",
            [[model._meta.db_table for model in wanted]],
        )
        chosen = dict(cursor.fetchall())
    for model, options in wanted.items():
        table = model._meta.db_table
        if table in chosen and "autovacuum" not in chosen[table]:
            settings = ", ".join(f"{name} = {value}" for name, value in options.items())
            yield f"ALTER TABLE {connection.ops.quote_name(table)} SET ({settings})"


def _time_indexes(connection: BaseDatabaseWrapper) -> Iterator[str]:
    for model, field in TIMES:
        table = model._meta.db_table
        name = f"triggers_{model._meta.model_name}_{field}_brin"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT to_regclass(%s) IS NULL, reltuples FROM pg_class WHERE oid = %s::regclass",
                [connection.ops.quote_name(name), connection.ops.quote_name(table)],
            )
            missing, rows = cursor.fetchone()
        if not missing:
            continue
        quote = connection.ops.quote_name
        on = f"{quote(name)} ON {quote(table)} USING brin ({quote(column_of(model, field))})"
        if rows <= AT_ONCE:
            yield f"CREATE INDEX IF NOT EXISTS {on}"
        else:
            logger.warning(
                "%s is large, so its index on time was not made. Reports by time are faster with "
                "it: CREATE INDEX CONCURRENTLY IF NOT EXISTS %s",
                table,
                on,
            )


def _whole_indexes(connection: BaseDatabaseWrapper) -> None:
    """Make the indexes that Django leaves out for their condition, without the condition."""
    for model in connection.introspection.installed_models(connection.introspection.table_names()):
        if model._meta.app_label != "wagtail_triggers":
            continue
        with connection.cursor() as cursor:
            present = connection.introspection.get_constraints(cursor, model._meta.db_table)
        for index in model._meta.indexes:
            if index.condition is not None and index.name not in present:
                whole = Index(fields=index.fields, name=index.name)
                with connection.schema_editor() as editor:
                    editor.add_index(model, whole)
