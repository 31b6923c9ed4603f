"""The one round trip of a hand-over, for PostgreSQL: settle message i, move i + 1 to `sending`.

A transaction goes to the server in one piece, each statement with a snapshot of its own: lock the
person, settle the message before, ask every guard and move this message if none stops it. The
statements are prepared once per connection, because planning the guards takes PostgreSQL ten times
as long as answering them. And libpq carries them: to read five results through a cursor took the
worker as long as all the rest of a hand-over.

Whatever is out of the ordinary (a guard that stops, a person who was merged, a message that is no
longer ours) is left to `sender.py`, which takes the same steps one by one on every database.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.db import DatabaseError, connection
from django.db.models import Model
from django.db.models.functions import Now

from ..conf import settings
from ..contacts.models import Contact
from ..core import clock, locking
from ..core.locking import retrying
from ..core.prepared import Prepared, Sql, is_forgotten, known_on, takes_several
from .guards import Guard, in_force, question_on
from .models import Message
from .outcomes import Settlement

logger = logging.getLogger("wagtail_triggers.sender")

_LOCK: Final = "(bigint) AS SELECT id FROM {contact} WHERE id = $1 FOR NO KEY UPDATE"
_SETTLE: Final = (
    "(bigint, uuid, text, text, timestamptz, text, text, smallint, boolean, timestamptz) AS"
    " UPDATE {message} SET state = $3, reason = $4, due_at = $5, provider_id = $6,"
    " provider_status = $7, ambiguous = $8, token = NULL, lease_until = NULL,"
    " settled_at = CASE WHEN $9 THEN $10 END"
    " WHERE id = $1 AND token = $2 AND state = 'sending' RETURNING id"
)
#: One statement of its own after the lock: what the guards see is what the move rests on.
_MOVE: Final = (
    "(bigint, uuid, bigint, timestamptz, interval, jsonb, text, text, bigint) AS"
    " WITH verdict(id, stop) AS MATERIALIZED ({verdict}), moved AS ("
    "UPDATE {message} SET state = 'sending', lease_until = $4 + $5, attempts = attempts + 1,"
    " context = $6, subject = $7, body_hash = $8"
    " WHERE id = $1 AND token = $2 AND state = 'claimed' AND contact_id = $3"
    " AND NOT EXISTS (SELECT FROM {contact} WHERE id = $3 AND merged_into_id IS NOT NULL)"
    " AND (SELECT stop FROM verdict) = '' RETURNING id)"
    # Only the last result is read. What this transaction has settled carries its number.
    " SELECT (extract(epoch FROM $4) * 1000000)::bigint,"
    " EXISTS (SELECT FROM {message} WHERE id = $9 AND xmin = pg_current_xact_id()::xid)::int,"
    " EXISTS (SELECT FROM moved)::int"
)


@dataclass(frozen=True, slots=True)
class Crossed:
    """What became of both messages.

    Attributes:
        moment: When it was.
        settled: Whether the message before was still ours.
        moved: Whether this message is now in `sending`. If not, it was left as it is.
    """

    moment: datetime
    settled: bool
    moved: bool


@retrying
def cross(
    previous: tuple[Message, Settlement] | None,
    message: Message,
    kept: Mapping[str, Any],
    token: uuid.UUID,
) -> Crossed | None:
    """Settle the message before, and move this one, in a transaction of its own.

    Args:
        previous: The message before with what became of it.
        message: A claimed one.
        kept: `context`, `subject` and `body_hash` of what is about to be sent.
        token: The claim's.

    Returns:
        What became of them, or None where this way is closed: nothing was done then.
    """
    statements = _statements(connection.alias, in_force()) if _is_open() else None
    if statements is None:
        return None
    moment = _moment()
    calls = [statements.lock.call(("%s", [message.contact_id]))]
    if previous is not None:
        calls.append(statements.settle.call(*_settled(*previous, token), moment))
    before = None if previous is None else previous[0].pk
    calls.append(statements.move.call(*_moved(message, kept, token, moment), ("%s", [before])))
    try:
        statements.prepare()
        at, settled, moved = _in_transaction(calls)
    except DatabaseError as error:
        if not is_forgotten(error):
            raise
        _close()
        return None
    return Crossed(_EPOCH + timedelta(microseconds=at), previous is None or settled > 0, moved > 0)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _moment() -> Sql:
    if type(clock.expression()) is Now:
        # An argument, read once, after the lock was waited for: no index is asked with it.
        return "CLOCK_TIMESTAMP()", ()
    return "%s", [clock.now()]


def _settled(message: Message, new: Settlement, token: uuid.UUID) -> list[Sql]:
    values = [message.pk, token, str(new.state), str(new.reason), new.due_at, new.provider_id]
    values += [new.provider_status, new.ambiguous, new.terminal]
    return [("%s", [value]) for value in values]


def _moved(message: Message, kept: Mapping[str, Any], token: uuid.UUID, moment: Sql) -> list[Sql]:
    text = json.dumps(kept["context"], cls=Message._meta.get_field("context").encoder)
    before = [message.pk, token, message.contact_id]
    after = [settings.lease, text, kept["subject"], kept["body_hash"]]
    return [
        *(("%s", [value]) for value in before), moment, *(("%s", [value]) for value in after)
    ]  # fmt: skip


def _in_transaction(calls: Sequence[Sql]) -> tuple[int, ...]:
    """Run calls of prepared statements in one round trip; the numbers that the last one answers.

    What reaches PostgreSQL in one piece is one transaction, which nobody can leave idle.
    """
    limit = f"SET LOCAL lock_timeout = {locking.LOCK_TIMEOUT_MS}"
    sql = "; ".join([limit, *(sql for sql, _params in calls)])
    params = [param for _sql, own in calls for param in own]
    if connection.execute_wrappers or connection.queries_logged:
        return _by_cursor(sql, params)  # somebody wants to see each statement
    with connection.wrap_database_errors:
        return _by_libpq(sql, params)


def _by_cursor(sql: str, params: Sequence[Any]) -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while cursor.nextset():
            pass
        return tuple(cursor.fetchone())


def _by_libpq(sql: str, params: Sequence[Any]) -> tuple[int, ...]:
    from psycopg import errors
    from psycopg.pq import ExecStatus

    own = connection.connection
    with own.cursor() as cursor:
        text = cursor.mogrify(sql, params)
    result = own.pgconn.exec_(text.encode())
    if result.status != ExecStatus.TUPLES_OK:
        raise errors.error_from_result(result, encoding="utf-8")
    return tuple(int(result.get_value(0, column) or 0) for column in range(result.nfields))


@dataclass(frozen=True)
class Statements:
    """The three statements of a hand-over."""

    lock: Prepared
    settle: Prepared
    move: Prepared

    def prepare(self) -> None:
        """Prepare them on the present connection, unless that was done."""
        known = known_on(connection)
        for one in (self.lock, self.settle, self.move):
            if one.name not in known:
                with connection.cursor() as cursor:
                    cursor.execute(*one.preparation)
                known.add(one.name)


@lru_cache(maxsize=8)
def _statements(alias: str, guards: tuple[Guard, ...]) -> Statements | None:
    question = question_on(alias, guards)
    if question is None:
        return None
    verdict, params = question.about(("$1", ()), ("$4", ()))
    names = {"message": _table(Message), "contact": _table(Contact)}
    return Statements(
        Prepared(_LOCK.format(**names), ()),
        Prepared(_SETTLE.format(**names), ()),
        Prepared(_MOVE.format(verdict=verdict, **names), params),
    )


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


_closed = False


def _is_open() -> bool:
    """Whether the database takes several statements in one piece, with nothing around them."""
    if _closed or connection.in_atomic_block or not takes_several(connection):
        return False
    return connection.get_autocommit()


def _close() -> None:
    global _closed
    _closed = True
    logger.warning(
        "The database forgets prepared statements: is there a pooler in transaction mode? "
        "Messages are sent all the same, with more round trips. Give the workers that send a "
        "direct connection to be faster."
    )
