"""One INSERT that records an event in the caller's own transaction.

It is written by hand because it is the one statement that a shop's checkout pays for: the ORM
compiles the same INSERT in several times the time that the database takes to run it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.constants import OnConflict

from ..contacts.identities import KINDS
from ..contacts.models import Identity
from ..core import clock
from ..core.columns import column_of, field_of
from .models import Event


def insert(
    *,
    site_id: int,
    name: str,
    identities: Mapping[str, str],
    who: Mapping[str, Any],
    key: str,
    refs: list[str],
    payload: Mapping[str, Any],
    dedupe_key: str,
    source: str = "shop",
    occurred_at: datetime | None = None,
    depth: int = 0,
) -> bool:
    """Insert an event unless one with its `(site, source, dedupe_key)` is there already.

    The contact is looked up inside the INSERT, without a lock. It is a hint, by which a sender
    sees at once that something has happened to that person; the router looks again, in full.

    Returns:
        Whether a row was inserted.
    """
    connection = connections[router.db_for_write(Event)]
    now = _moment(connection)
    values = {
        "public_id": uuid.uuid4(),
        "site": site_id,
        "name": name,
        "source": source,
        "dedupe_key": dedupe_key,
        "who": who,
        "key": key,
        "refs": refs,
        "payload": payload,
        "resolved": False,
        "depth": depth,
        "tries": 0,
        "problem": "",
    }
    parts = {field: _value(connection, field, value) for field, value in values.items()}
    parts["recorded_at"] = now
    parts["occurred_at"] = (
        now if occurred_at is None else _value(connection, "occurred_at", occurred_at)
    )
    parts["contact"] = _contact(connection, site_id, identities)
    return _execute(connection, parts)


#: A piece of SQL with its parameters.
Sql = tuple[str, list[Any]]


def _value(connection: BaseDatabaseWrapper, field: str, value: Any) -> Sql:
    return "%s", [field_of(Event, field).get_db_prep_save(value, connection)]


def _execute(connection: BaseDatabaseWrapper, parts: Mapping[str, Sql]) -> bool:
    ops = connection.ops
    columns = ", ".join(ops.quote_name(column_of(Event, field)) for field in parts)
    marks = ", ".join(sql for sql, _params in parts.values())
    params = [param for _sql, own in parts.values() for param in own]
    sql = (
        f"{ops.insert_statement(on_conflict=OnConflict.IGNORE)} "
        f"{ops.quote_name(Event._meta.db_table)} ({columns}) VALUES ({marks}) "
        f"{ops.on_conflict_suffix_sql([], OnConflict.IGNORE, [], [])}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return bool(cursor.rowcount == 1)


def _moment(connection: BaseDatabaseWrapper) -> Sql:
    expression = clock.expression()
    if connection.vendor == "postgresql" and not hasattr(expression, "value"):
        return "STATEMENT_TIMESTAMP()", []
    if connection.vendor == "mysql" and not hasattr(expression, "value"):
        return "UTC_TIMESTAMP(6)", []
    # SQLite has no clock of its own, and a bound clock is a value everywhere.
    moment = getattr(expression, "value", None) or clock.now()
    return _value(connection, "recorded_at", moment)


def _contact(connection: BaseDatabaseWrapper, site_id: int, identities: Mapping[str, str]) -> Sql:
    table = connection.ops.quote_name(Identity._meta.db_table)
    # S608: the table's name is ours; every value is a parameter.
    look_up = f"(SELECT contact_id FROM {table} WHERE site_id = %s AND kind = %s AND value = %s)"  # noqa: S608
    found = [(kind, identities[kind]) for kind in KINDS if kind in identities]
    if not found:
        return "NULL", []
    params = [part for kind, value in found for part in (site_id, kind, value)]
    sql = ", ".join([look_up] * len(found))
    return (f"COALESCE({sql})" if len(found) > 1 else sql), params
