"""The INSERT of an event: prepared on PostgreSQL, and never the end of the host's transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.settings import DATABASE_KIND
from tests.shop import ADA
from wagtail_triggers.api import Happened, InvalidEvent, Who, map_signal, track
from wagtail_triggers.core.prepared import known_on
from wagtail_triggers.events import outbox
from wagtail_triggers.events.models import Event

pytestmark = pytest.mark.django_db
needs_postgres = pytest.mark.skipif(DATABASE_KIND != "postgres", reason="only it prepares")

placed = Signal()


@pytest.fixture(autouse=True)
def _alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"
    monkeypatch.setattr(outbox, "_closed", False)
    yield
    placed.receivers.clear()
    placed.sender_receivers_cache.clear()


def look(key: str, **more: Any) -> bool:
    """Record that somebody looked at a page."""
    return track("page_viewed", contact=ADA, payload={"url": "/"}, key=key, **more)


def sent(call: Any) -> list[str]:
    """What goes to the server."""
    with CaptureQueriesContext(connection) as queries:
        call()
    return [query["sql"] for query in queries.captured_queries]


@needs_postgres
def test_second_event_of_a_connection_is_prepared_in_one_round_trip() -> None:
    look("1")
    look("2")
    (sql,) = sent(lambda: look("3"))
    assert sql.startswith("SAVEPOINT wt_event; EXECUTE wt_")
    assert sql.endswith("RELEASE SAVEPOINT wt_event")
    assert sorted(Event.objects.values_list("key", flat=True)) == ["1", "2", "3"]
    assert Event.objects.values("public_id").distinct().count() == 3


def test_event_that_is_known_already_is_told_apart_each_time() -> None:
    answers = [look(str(number), dedupe_key=str(number // 2)) for number in range(6)]
    assert answers == [True, False] * 3


@pytest.mark.parametrize("who", [
    Who(user_id=1), Who(email="a@b.example", cookie_id="c"),
    Who(user_id=1, external_id="x", email="a@b.example", phone="+49 30 1", cookie_id="c"),
])  # fmt: skip
def test_every_choice_of_identities_is_recorded_again_and_again(who: Who) -> None:
    for number in range(3):
        assert track("page_viewed", contact=who, payload={"url": "/"}, key=number) is True
    assert [event.who for event in Event.objects.all()] == [who.identities] * 3


@needs_postgres
def test_event_after_the_statement_was_forgotten_is_recorded_and_the_host_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    look("1")
    look("2")
    with transaction.atomic():
        User.objects.create(username="before")
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")  # as behind a pooler: another connection
        with caplog.at_level(logging.WARNING):
            assert look("3") is True
        User.objects.create(username="after")
    assert User.objects.filter(username__in=("before", "after")).count() == 2
    assert Event.objects.count() == 3
    assert "pooler" in caplog.text
    (sql,) = sent(lambda: look("4"))
    assert sql.startswith("INSERT")  # not tried again


@needs_postgres
def test_statement_that_somebody_prepared_before_us_does_not_end_the_host_s_transaction() -> None:
    look("1")
    look("2")
    # The connection is another one for us, and the server knows our statement all the same.
    known_on(connection).clear()
    look("3")
    assert look("4") is True
    User.objects.create(username="after")
    assert Event.objects.count() == 4


@needs_postgres
def test_event_that_the_database_refuses_leaves_the_host_s_transaction_as_it_was() -> None:
    look("1")
    look("2")
    User.objects.create(username="before")
    with pytest.raises(DatabaseError, match="too long"):
        look("3", source="s" * 33)
    User.objects.create(username="after")
    assert User.objects.filter(username__in=("before", "after")).count() == 2
    assert Event.objects.count() == 2


@needs_postgres
@pytest.mark.django_db(transaction=True)
def test_event_outside_a_transaction_is_recorded_alone() -> None:
    for number in range(3):
        assert look(str(number)) is True
    (sql,) = sent(lambda: look("3"))
    assert sql.startswith("EXECUTE wt_")
    assert Event.objects.count() == 4


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "\ud800", object()])
def test_what_is_no_json_is_refused_before_it_reaches_the_database(bad: Any) -> None:
    with pytest.raises(InvalidEvent, match="contact cannot be kept as JSON"):
        track("page_viewed", contact=Who(user_id=1, facts={"x": bad}), payload={"url": "/"})
    assert Event.objects.count() == 0


def nothing(sender: Any, **_kwargs: Any) -> Happened | None:
    """A signal that does not matter."""
    return None


def looks_and_fails(sender: Any, **_kwargs: Any) -> Happened | None:
    """Writes, then fails."""
    User.objects.create(username="of the mapping")
    raise KeyError("x")


def test_signal_that_does_not_matter_costs_no_round_trip() -> None:
    map_signal(placed, event="order_placed")(nothing)
    assert sent(lambda: placed.send(sender=User)) == []
    assert connection.execute_wrappers == []


def test_what_a_mapping_wrote_before_it_failed_is_undone() -> None:
    map_signal(placed, event="order_placed")(looks_and_fails)
    with transaction.atomic():
        placed.send(sender=User)
    assert not User.objects.filter(username="of the mapping").exists()


@pytest.mark.django_db(transaction=True)
def test_what_a_mapping_wrote_outside_a_transaction_is_undone_too() -> None:
    map_signal(placed, event="order_placed")(looks_and_fails)
    placed.send(sender=User)
    assert not User.objects.filter(username="of the mapping").exists()
    assert connection.get_autocommit()


@needs_postgres
def test_mapping_in_a_transaction_that_is_lost_already_leaves_it_to_the_host() -> None:
    def asks(sender: Any, **_kwargs: Any) -> Happened | None:
        User.objects.exists()
        return None

    map_signal(placed, event="order_placed")(asks)
    nested = list(connection.savepoint_ids)

    def checkout() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            with suppress(DatabaseError):
                cursor.execute("SELECT * FROM no_such_table")
            placed.send(sender=User)
            assert len(connection.savepoint_ids) == len(nested) + 1
            cursor.execute("SELECT 1")

    with pytest.raises(DatabaseError):
        checkout()
    assert connection.savepoint_ids == nested
    assert connection.execute_wrappers == []
    assert User.objects.count() == 0
