"""What is due is found by an index, however many rows wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F, Func, QuerySet
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import enrolled, letter, people, planned
from tests.shop import journey
from wagtail_triggers.core import clock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.scheduler import due_tasks
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

WAITING = 100_000


class Volatile(Func):
    """The clock that no index can be asked by."""

    template = "clock_timestamp()"


def multiply(row: Any, **changed: str) -> None:
    """Copy a row until 100,000 wait, with some columns computed from `n`."""
    meta = row._meta
    columns = [field.column for field in meta.local_fields if not field.primary_key]
    quote = connection.ops.quote_name
    values = [changed.get(column, f"row.{quote(column)}") for column in columns]
    table = quote(meta.db_table)
    # S608: tables and columns come from the model.
    sql = (
        f"INSERT INTO {table} ({', '.join(map(quote, columns))}) "  # noqa: S608
        f"SELECT {', '.join(values)} FROM {table} AS row, generate_series(1, %s) AS n "
        "WHERE row.id = %s"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        # Foreign keys are copies of a good one; checking 100,000 of them takes most of the time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, [WAITING, row.pk])
        cursor.execute(f"ANALYZE {table}")


def plans(work: Callable[[], object], table: str) -> list[str]:
    """How PostgreSQL would carry out each query for due rows that `work` asks."""
    with CaptureQueriesContext(connection) as queries:
        work()
    found = [
        query["sql"] for query in queries.captured_queries
        if query["sql"].startswith("SELECT") and f'FROM "{table}"' in query["sql"]
        and ("wake_at" in query["sql"] or "due_at" in query["sql"])
    ]  # fmt: skip
    assert found
    return [explained(sql) for sql in found]


def explained(query: str | QuerySet[Any]) -> str:
    """PostgreSQL's plan."""
    if not isinstance(query, str):
        return query.explain()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_due_runs_and_messages_are_found_by_index_among_100_000_that_wait(
    outbox: list[Outgoing],
) -> None:
    plan = journey("Waiting", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait", "amount": 1, "unit": "hours"},
    ])  # fmt: skip
    rows = people(3)
    later = "now() + interval '1 day' + n * interval '1 second'"
    run, *_others = enrolled(plan, rows)
    multiply(run, key="'order:x' || n", wake_at=later)
    message, *_rest = planned(letter(marketing=True), rows)
    multiply(
        message, idempotency_key="'x' || n", public_id="gen_random_uuid()", due_at=later,
    )  # fmt: skip
    for work, model, index in (
        (run_due, Enrolment, "triggers_run_wake"),
        (lambda: send_batch(MessageClass.MARKETING), Message, "triggers_message_due"),
        (due_tasks, Enrolment, "triggers_run_wake"),
        (due_tasks, Message, "triggers_message_due"),
    ):
        due, *_locked = plans(work, model._meta.db_table)
        assert index in due, due
        assert "Index Cond" in due
        assert "Seq Scan" not in due, due
    _now_by_index()


def _now_by_index() -> None:
    """Now() can be asked of the index; `clock_timestamp()` cannot, and every row is looked at."""
    assert isinstance(clock.expression(), Now)
    waiting = Enrolment.objects.filter(state="active").order_by("wake_at")
    good = explained(waiting.filter(wake_at__lte=clock.expression()))
    bad = explained(waiting.filter(wake_at__lte=Volatile()))
    assert "Index Cond: (wake_at <= statement_timestamp())" in good.lower().replace(
        "index cond", "Index Cond"
    )
    assert "Index Cond" not in bad
    assert "clock_timestamp()" in bad


def test_clock_is_the_databases_and_is_read_once_a_batch(outbox: list[Outgoing]) -> None:
    plan = journey("Waiting", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait", "amount": 1, "unit": "hours"},
    ])  # fmt: skip
    enrolled(plan, people(5))
    with CaptureQueriesContext(connection) as queries:
        run_due()
    readings = [one for one in queries.captured_queries if "timestamp()" in one["sql"].lower()]
    assert [one["sql"] for one in readings] == ["SELECT statement_timestamp()"]
    moments = Enrolment.objects.annotate(wait=F("wake_at") - F("arrived_at"))
    assert {row.wait for row in moments} == {timedelta(hours=1)}
