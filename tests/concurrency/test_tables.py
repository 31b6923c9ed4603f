"""What PostgreSQL is told of our tables after `migrate`."""

from __future__ import annotations

import logging

import pytest
from django.apps import apps
from django.db import connection

from tests.concurrency.parallel import Strand, holding
from tests.concurrency.people import people
from wagtail_triggers.engine import tables
from wagtail_triggers.engine.retention import sweep
from wagtail_triggers.events.models import Event

OURS = apps.get_app_config("wagtail_triggers")


def options(table: str) -> str:
    """The storage options of a table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [table])
        (found,) = cursor.fetchone()
    return ",".join(found or ())


def brins() -> set[str]:
    """Names of our indexes on time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'triggers%brin'")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_migrate_has_queues_cleaned_up_often_and_times_indexed() -> None:
    for model in tables.QUEUES:
        assert "autovacuum_vacuum_scale_factor=0.02" in options(model._meta.db_table)
    assert "autovacuum_vacuum_threshold=500" in options("wagtail_triggers_batchattempt")
    assert brins() == {
        "triggers_event_recorded_at_brin",
        "triggers_message_planned_at_brin",
        "triggers_messageevent_recorded_at_brin",
        "triggers_steprun_at_brin",
    }


@pytest.mark.django_db
def test_migrate_again_leaves_what_the_host_has_chosen() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE wagtail_triggers_event SET (autovacuum_vacuum_scale_factor = 0.5)"
        )
    tables.tend(OURS, "default")
    assert "autovacuum_vacuum_scale_factor=0.5" in options("wagtail_triggers_event")


@pytest.mark.django_db
def test_migrate_makes_no_index_in_a_large_table_and_says_how(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tables, "AT_ONCE", -2)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX triggers_event_recorded_at_brin")
    with caplog.at_level(logging.WARNING, "wagtail_triggers.tables"):
        tables.tend(OURS, "default")
    assert "triggers_event_recorded_at_brin" not in brins()
    assert "CREATE INDEX CONCURRENTLY" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_migrate_under_load_gives_up_after_two_seconds_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE wagtail_triggers_event RESET (autovacuum_vacuum_scale_factor,"
                       " autovacuum_analyze_scale_factor)")  # fmt: skip

    def lock() -> None:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE wagtail_triggers_event IN SHARE UPDATE EXCLUSIVE MODE")

    with holding(lock), caplog.at_level(logging.WARNING, "wagtail_triggers.tables"):
        tables.tend(OURS, "default")
    assert "Run it by hand" in caplog.text
    assert options("wagtail_triggers_event") == ""
    tables.tend(OURS, "default")
    assert "0.02" in options("wagtail_triggers_event")


@pytest.mark.django_db(transaction=True)
def test_sweep_waits_for_nobody_and_two_at_once_do_no_harm() -> None:
    (person,) = people(1)
    for number in range(40):
        Event.objects.create(
            site_id=person.site_id, name="x", dedupe_key=str(number), contact=person,
            occurred_at="2020-01-01T00:00Z", recorded_at="2020-01-01T00:00Z",
            routed_at="2020-01-01T00:00Z",
        )  # fmt: skip
    held = Event.objects.order_by("pk")[0].pk

    def hold() -> None:
        Event.objects.filter(pk=held).update(problem="being looked at")

    with holding(hold):
        strands = [Strand(lambda: sweep(chunk=7)) for _ in range(2)]
        assert [strand.settled() for strand in strands] == ["done", "done"]
        done = [strand.wait() for strand in strands]
        gone = sum(one.rows for swept in done for one in swept if one.table.name == "events")
        assert gone == 39
    assert list(Event.objects.values_list("pk", flat=True)) == [held]
    sweep()
    assert not Event.objects.exists()
