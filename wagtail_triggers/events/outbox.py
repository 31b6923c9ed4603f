"""One INSERT that records an event in the caller's own transaction.

It is written by hand because it is the one statement that a shop's checkout pays for: the ORM
compiles the same INSERT in several times the time that the database takes to run it. PostgreSQL
takes longer to plan it than to carry it out, so it is prepared there, from the second event of a
connection on. It then brings a savepoint of its own along, in the same round trip: whatever goes
wrong with it leaves the checkout's transaction as it was.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any, Final

from django.db import DatabaseError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.constants import OnConflict

from ..contacts.identities import KINDS
from ..contacts.models import Identity
from ..core import clock
from ..core.columns import column_of, field_of
from ..core.prepared import Prepared, Sql, is_forgotten, known_on, takes_several
from .models import Event

logger = logging.getLogger("wagtail_triggers.outbox")

#: What is given with each event, in the order of the statement's parameters.
_GIVEN: Final = ("site", "name", "source", "dedupe_key", "who", "key", "refs", "payload")
_SITE: Final = _GIVEN.index("site") + 1
#: What every event begins with.
_FIXED: Final = {"resolved": "FALSE", "tries": "0", "problem": "''"}
_SAVEPOINT: Final = "wt_event"
#: Among what is known of a connection: it has taken an event already.
_SEEN: Final = "one event"
#: How a statement begins that leaves the transaction around it as it was, whatever happens: with a
#: savepoint of its own, or because there is none.
HARMLESS: Final = (f"SAVEPOINT {_SAVEPOINT};", "PREPARE wt_", "EXECUTE wt_")

_closed = False


def insert(
    *,
    site_id: int,
    name: str,
    identities: Mapping[str, str],
    who: str,
    key: str,
    refs: str,
    payload: str,
    dedupe_key: str,
    source: str = "shop",
    occurred_at: datetime | None = None,
    depth: int = 0,
) -> bool:
    """Insert an event unless one with its `(site, source, dedupe_key)` is there already.

    The contact is looked up inside the INSERT, without a lock. It is a hint, by which a sender
    sees at once that something has happened to that person; the router looks again, in full.

    Args:
        who, refs, payload: JSON.

    Returns:
        Whether a row was inserted.
    """
    connection = connections[router.db_for_write(Event)]
    known = [kind for kind in KINDS if kind in identities]
    now = _moment(connection)
    statement = _statement(connection.alias, tuple(known), depth, now[0], occurred_at is None)
    values = [site_id, name, source, dedupe_key, who, key, refs, payload]
    values += [identities[kind] for kind in known]
    if not statement.makes_ids:
        values.append(field_of(Event, "public_id").get_db_prep_save(uuid.uuid4(), connection))
    values += now[1]
    if occurred_at is not None:
        values.append(_moment_value(connection, occurred_at))
    inserted = _prepared(connection, statement, values) if _is_open(connection) else None
    return _plainly(connection, statement.plain(values)) if inserted is None else inserted


@dataclass(frozen=True, slots=True)
class _Statement:
    """The INSERT for one choice of identities and times.

    Attributes:
        prepared: As PostgreSQL prepares it.
        pieces: The SQL between its parameters.
        order: Which parameter stands behind each piece but the last.
        makes_ids: Whether the database makes the public id.
    """

    prepared: Prepared
    pieces: Sequence[str]
    order: Sequence[int]
    makes_ids: bool

    def plain(self, values: Sequence[Any]) -> Sql:
        """The statement as every database takes it."""
        return "%s".join(self.pieces), [values[number] for number in self.order]


@lru_cache(maxsize=256)
def _statement(
    alias: str, kinds: tuple[str, ...], depth: int, now: str, just_now: bool
) -> _Statement:
    """Compile the INSERT.

    Args:
        depth: At most `MAX_DEPTH`, so that there are few statements.
        now: The moment as SQL; "" where it is a parameter.
        just_now: Whether it happened at that moment; else, when it did is a parameter.
    """
    ops = connections[alias].ops
    makes_ids = connections[alias].vendor == "postgresql"
    values = {field: f"${number}" for number, field in enumerate(_GIVEN, 1)}
    values |= _FIXED | {"depth": str(int(depth))}
    values["contact"] = _contact(ops.quote_name(Identity._meta.db_table), kinds)
    number = count(len(_GIVEN) + len(kinds) + 1)
    values["public_id"] = "gen_random_uuid()" if makes_ids else f"${next(number)}"
    values["recorded_at"] = now or f"${next(number)}"
    values["occurred_at"] = values["recorded_at"] if just_now else f"${next(number)}"
    columns = ", ".join(ops.quote_name(column_of(Event, field)) for field in values)
    sql = (
        f"{ops.insert_statement(on_conflict=OnConflict.IGNORE)} "
        f"{ops.quote_name(Event._meta.db_table)} ({columns}) VALUES ({', '.join(values.values())}) "
        f"{ops.on_conflict_suffix_sql([], OnConflict.IGNORE, [], [])}"
    )
    pieces = re.split(r"\$(\d+)", sql)
    order = [int(found) - 1 for found in pieces[1::2]]
    return _Statement(Prepared(f"AS {sql}"), pieces[::2], order, makes_ids)


def _contact(table: str, kinds: Sequence[str]) -> str:
    found = [
        # S608: the table's name and the kind are ours.
        f"(SELECT contact_id FROM {table}"  # noqa: S608
        f" WHERE site_id = ${_SITE} AND kind = '{kind}' AND value = ${number})"
        for number, kind in enumerate(kinds, len(_GIVEN) + 1)
    ]
    if len(found) > 1:
        return f"COALESCE({', '.join(found)})"
    return found[0] if found else "NULL"


def _plainly(connection: BaseDatabaseWrapper, statement: Sql) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return bool(cursor.rowcount == 1)


def _prepared(
    connection: BaseDatabaseWrapper, statement: _Statement, values: Sequence[Any]
) -> bool | None:
    """Execute the prepared INSERT; None where that is not possible, and nothing was done."""
    known = known_on(connection)
    if _SEEN not in known:
        known.add(_SEEN)
        return None  # a connection that lives for one event would only pay for the preparation
    prepared = statement.prepared
    before = 0
    sql = f"EXECUTE {prepared.name}({', '.join(['%s'] * len(values))})"
    if prepared.name not in known:
        sql = f"PREPARE {prepared.name} {prepared.text}; {sql}"
        before += 1
    if connection.in_atomic_block:
        sql = f"SAVEPOINT {_SAVEPOINT}; {sql}; RELEASE SAVEPOINT {_SAVEPOINT}"
        before += 1
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql, values)
        except DatabaseError as error:
            _undo(connection, error)
            if not is_forgotten(error):
                raise
            _close()
            return None
        known.add(prepared.name)
        for _statement_before in range(before):
            cursor.nextset()
        return bool(cursor.rowcount == 1)


def _undo(connection: BaseDatabaseWrapper, error: DatabaseError) -> None:
    """Bring the caller's transaction back to where it was before us."""
    # Without a state it was not the server who refused it: there is no savepoint to go back to.
    if connection.in_atomic_block and getattr(error.__cause__, "sqlstate", None):
        with suppress(DatabaseError), connection.cursor() as cursor:  # the connection may be gone
            cursor.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")


def _is_open(connection: BaseDatabaseWrapper) -> bool:
    return not _closed and takes_several(connection)


def _close() -> None:
    global _closed
    _closed = True
    logger.warning(
        "The database forgets prepared statements: is there a pooler in transaction mode? Events "
        "are recorded all the same, each a little slower. Set DISABLE_SERVER_SIDE_CURSORS in "
        "DATABASES, as Django wants it with such a pooler, and this is not tried again."
    )


def _moment(connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
    """The present moment: as SQL, or "" and its value."""
    current = clock.current()
    if type(current).expression is clock.DatabaseClock.expression:
        if connection.vendor == "postgresql":
            return "STATEMENT_TIMESTAMP()", []
        if connection.vendor == "mysql":
            return "UTC_TIMESTAMP(6)", []
    # SQLite has no clock of its own, and a bound clock is a value everywhere.
    expression = current.expression()
    return "", [_moment_value(connection, getattr(expression, "value", None) or current.read())]


def _moment_value(connection: BaseDatabaseWrapper, moment: datetime) -> Any:
    return field_of(Event, "recorded_at").get_db_prep_save(moment, connection)
