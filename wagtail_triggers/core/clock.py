"""The one clock. Everything that decides about a person reads time here, from the database.

A worker's own clock may be wrong; the database's clock is one for all workers. A batch reads it
once (`now()`) and computes every wait, lease and expiry from that moment. Tests bind a value with
`frozen()`; the demo adds an offset with a backend of its own (setting `WAGTAIL_TRIGGERS_CLOCK`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Expression, Value
from django.db.models.functions import Now

from ..conf import load_backend, settings

#: PostgreSQL: never `clock_timestamp()`. It is volatile, so an index on a due time is not used.
_NOW_SQL = {
    "postgresql": "SELECT statement_timestamp()",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
}


class DatabaseClock:
    """Time as the database says it."""

    def read(self) -> datetime:
        """The present moment, aware, in UTC; one query (none on SQLite, which has no clock)."""
        sql = _NOW_SQL.get(connection.vendor)
        if sql is None:
            return datetime.now(UTC)
        with connection.cursor() as cursor:
            cursor.execute(sql)
            (moment,) = cursor.fetchone()
        if moment.tzinfo is None:
            return datetime.combine(moment.date(), moment.time(), tzinfo=UTC)
        utc: datetime = moment.astimezone(UTC)
        return utc

    def expression(self) -> Expression | Value:
        """The present moment as SQL, for an INSERT that must not cost a query more."""
        return Now()


class FrozenClock(DatabaseClock):
    """A clock that stands still until it is moved: for tests and simulations."""

    def __init__(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError(
                "A frozen clock needs an aware datetime; a naive one is a mis-sent message. "
                "Write datetime(2026, 5, 1, 12, tzinfo=UTC)."
            )
        self.moment = moment.astimezone(UTC)

    def read(self) -> datetime:
        """The bound moment."""
        return self.moment

    def expression(self) -> Expression | Value:
        """The bound moment as an SQL value."""
        return Value(self.moment, output_field=DateTimeField())

    def travel(self, by: timedelta) -> None:
        """Move the clock forward by `by`."""
        self.moment += by


_bound: ContextVar[DatabaseClock | None] = ContextVar("triggers_clock", default=None)


@cache
def _built(key: str) -> DatabaseClock:
    clock: DatabaseClock = load_backend(settings.CLOCK, setting="WAGTAIL_TRIGGERS_CLOCK")
    return clock


def current() -> DatabaseClock:
    """The clock in force: the bound one, else the one that the setting names."""
    return _bound.get() or _built(repr(settings.CLOCK))


def now() -> datetime:
    """The present moment, aware, in UTC. Read it once per batch."""
    return current().read()


def expression() -> Any:
    """The present moment as SQL, for rows inserted in a host's transaction."""
    return current().expression()


@contextmanager
def frozen(moment: datetime) -> Iterator[FrozenClock]:
    """Bind the clock to `moment` (aware) for the length of the block; yields the clock."""
    clock = FrozenClock(moment)
    token = _bound.set(clock)
    try:
        yield clock
    finally:
        _bound.reset(token)
