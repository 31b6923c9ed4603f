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
from .models import Event

_FIELDS = (
    "public_id",
    "site_id",
    "name",
    "source",
    "dedupe_key",
    "who",
    "key",
    "refs",
    "payload",
    "resolved",
    "depth",
    "tries",
    "problem",
)


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
    values = {
        "public_id": uuid.uuid4(),
        "site_id": site_id,
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
    meta = Event._meta
    columns = [meta.get_field(field).column for field in _FIELDS]
    params = [
        meta.get_field(field).get_db_prep_save(values[field], connection) for field in _FIELDS
    ]
    marks = ["%s"] * len(columns)
    moment_sql, moment_params = _moment(connection)
    columns += ["recorded_at", "occurred_at", "contact_id"]
    marks.append(moment_sql)
    params += moment_params
    if occurred_at is None:
        marks.append(moment_sql)
        params += moment_params
    else:
        marks.append("%s")
        params.append(meta.get_field("occurred_at").get_db_prep_save(occurred_at, connection))
    contact_sql, contact_params = _contact(connection, site_id, identities)
    marks.append(contact_sql)
    params += contact_params
    quote = connection.ops.quote_name
    ops = connection.ops
    sql = (
        f"{ops.insert_statement(on_conflict=OnConflict.IGNORE)} {quote(meta.db_table)} "
        f"({', '.join(map(quote, columns))}) VALUES ({', '.join(marks)}) "
        f"{ops.on_conflict_suffix_sql([], OnConflict.IGNORE, [], [])}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return bool(cursor.rowcount == 1)


def _moment(connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
    expression = clock.expression()
    if connection.vendor == "postgresql" and not hasattr(expression, "value"):
        return "STATEMENT_TIMESTAMP()", []
    if connection.vendor == "mysql" and not hasattr(expression, "value"):
        return "UTC_TIMESTAMP(6)", []
    # SQLite has no clock of its own, and a bound clock is a value everywhere.
    moment = getattr(expression, "value", None) or clock.now()
    field = Event._meta.get_field("recorded_at")
    return "%s", [field.get_db_prep_save(moment, connection)]


def _contact(
    connection: BaseDatabaseWrapper, site_id: int, identities: Mapping[str, str]
) -> tuple[str, list[Any]]:
    table = connection.ops.quote_name(Identity._meta.db_table)
    # S608: the table's name is ours; every value is a parameter.
    look_up = f"(SELECT contact_id FROM {table} WHERE site_id = %s AND kind = %s AND value = %s)"  # noqa: S608
    found = [(kind, identities[kind]) for kind in KINDS if kind in identities]
    if not found:
        return "NULL", []
    params = [part for kind, value in found for part in (site_id, kind, value)]
    sql = ", ".join([look_up] * len(found))
    return (f"COALESCE({sql})" if len(found) > 1 else sql), params
