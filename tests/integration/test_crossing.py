"""The hand-over in one round trip, on PostgreSQL: taken where it can be, left where it cannot."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

import pytest
from django.db import DataError, OperationalError, connection, connections
from django.db.models import Q

from tests.concurrency.people import letter, people, planned
from tests.settings import DATABASE_KIND
from wagtail_triggers.core import clock, locking
from wagtail_triggers.messages import crossing
from wagtail_triggers.messages.guards import Guard, guards, in_force, question_on
from wagtail_triggers.messages.models import Message
from wagtail_triggers.messages.outcomes import Settlement

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(DATABASE_KIND != "postgres", reason="the round trip is PostgreSQL's"),
    pytest.mark.django_db(transaction=True),
]

KEPT = {"context": {"event": {"name": "Sencha ✓"}}, "subject": "Hello", "body_hash": "abc"}


@pytest.fixture(params=["libpq", "cursor"])
def token(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> uuid.UUID:
    """A claim's token; the way is open again afterwards. Both ways of it come to the same."""
    monkeypatch.setattr(crossing, "_closed", False)
    if request.param == "cursor":
        monkeypatch.setattr(crossing, "_by_libpq", crossing._by_cursor)
    return uuid.uuid4()


def claimed(count: int, token: uuid.UUID) -> list[Message]:
    """Messages in the hands of one sender."""
    rows = planned(letter(), people(count))
    Message.objects.update(state="claimed", token=token, due_at=None, address="p@example.com")
    return list(Message.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))


def test_crossing_settles_one_message_and_moves_the_next_in_one_statement(
    token: uuid.UUID,
) -> None:
    first, second = claimed(2, token)
    assert crossing.cross(None, first, KEPT, token) is not None
    before = clock.now()
    sent = Settlement("accepted", provider_id="q1", provider_status="queued")
    with CaptureExecuted() as executed:
        crossed = crossing.cross((first, sent), second, KEPT, token)
    assert len(executed.statements) == 1
    assert crossed is not None
    assert (crossed.settled, crossed.moved) == (True, True)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.provider_id, first.token, first.lease_until) == (
        "accepted", "q1", None, None
    )  # fmt: skip
    assert first.settled_at is not None
    assert before <= first.settled_at <= crossed.moment <= clock.now()
    assert (second.state, second.attempts, second.context) == ("sending", 1, KEPT["context"])
    assert second.lease_until == crossed.moment + timedelta(seconds=90)


class CaptureExecuted:
    """What goes to the server."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __enter__(self) -> CaptureExecuted:
        self._wrapper = connection.execute_wrapper(self._note)
        self._wrapper.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._wrapper.__exit__(None, None, None)

    def _note(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.statements.append(sql)
        return execute(sql, params, many, context)


@pytest.mark.parametrize(
    "change",
    [
        {"token": None},
        {"state": "cancelled"},
        {"address": ""},
        {"expires_at": "past"},
    ],
)
def test_crossing_leaves_a_message_that_is_stopped_or_no_longer_ours(
    token: uuid.UUID, change: dict[str, object]
) -> None:
    (row,) = claimed(1, token)
    if change.get("expires_at"):
        change = {"expires_at": clock.now() - timedelta(seconds=1)}
    Message.objects.update(**change)
    was = Message.objects.values().get()
    crossed = crossing.cross(None, row, KEPT, token)
    assert crossed is not None
    assert crossed.moved is False
    assert Message.objects.values().get() == was


def test_crossing_leaves_the_message_of_a_person_who_was_merged(token: uuid.UUID) -> None:
    first, second = claimed(2, token)
    first.contact.merged_into_id = second.contact_id
    first.contact.save()
    crossed = crossing.cross(None, first, KEPT, token)
    assert crossed is not None
    assert crossed.moved is False
    first.refresh_from_db()
    assert first.state == "claimed"


def test_crossing_does_not_settle_what_was_taken_over(token: uuid.UUID) -> None:
    first, second = claimed(2, token)
    Message.objects.filter(pk=first.pk).update(state="unknown", token=None)
    crossed = crossing.cross((first, Settlement("accepted")), second, KEPT, token)
    assert crossed is not None
    assert (crossed.settled, crossed.moved) == (False, True)
    first.refresh_from_db()
    assert first.state == "unknown"


def test_crossing_behind_a_pooler_that_forgets_closes_itself_and_does_nothing(
    token: uuid.UUID, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = claimed(2, token)
    assert crossing.cross(None, first, KEPT, token) is not None
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # the next transaction is on another connection
    with caplog.at_level(logging.WARNING):
        assert crossing.cross(None, second, KEPT, token) is None
    assert "pooler" in caplog.text
    second.refresh_from_db()
    assert second.state == "claimed"
    assert connection.get_autocommit()
    assert crossing.cross(None, second, KEPT, token) is None  # not tried again


def test_crossing_that_fails_is_told_with_its_state_and_leaves_the_connection_in_order(
    token: uuid.UUID,
) -> None:
    first, second = claimed(2, token)
    with pytest.raises(DataError) as failed:  # a subject that does not fit, which nobody builds
        crossing.cross(None, first, {**KEPT, "subject": "x" * 300}, token)
    assert getattr(failed.value.__cause__, "sqlstate", None) == "22001"
    first.refresh_from_db()
    assert first.state == "claimed"
    crossed = crossing.cross(None, second, KEPT, token)
    assert crossed is not None
    assert crossed.moved is True


def test_crossing_waits_for_a_person_no_longer_than_the_limit(
    token: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = claimed(1, token)
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_MS", 50)
    monkeypatch.setattr(locking, "ATTEMPTS", 1)
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM wagtail_triggers_contact WHERE id = %s FOR NO KEY UPDATE",
                [row.contact_id],
            )
        with pytest.raises(OperationalError):
            crossing.cross(None, row, KEPT, token)
    finally:
        other.close()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
    row.refresh_from_db()
    assert row.state == "claimed"


def test_guards_compiled_once_ask_about_the_moment_of_each_time() -> None:
    rows = planned(letter(), people(2))
    now = clock.now()
    Message.objects.update(address="p@example.com")
    Message.objects.filter(pk=rows[0].pk).update(expires_at=now + timedelta(minutes=5))
    question = question_on("default", in_force())
    assert question is not None
    for later, stopped in ((0, ""), (10, "expired")):
        sql, params = question.about(("%s", [rows[0].pk]), ("%s", [now + timedelta(minutes=later)]))
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            assert cursor.fetchall() == [(rows[0].pk, stopped)]


def test_guard_that_looks_at_the_day_is_not_compiled_once() -> None:
    daily = Guard("daily", 1, "skipped", "x", lambda moment: Q(planned_at__date=moment.date()))
    soon = Guard(
        "soon", 1, "skipped", "x", lambda moment: Q(due_at__lt=moment + timedelta(hours=1))
    )
    everything = tuple(guards.all().values())
    assert question_on("default", (*everything, daily)) is None
    compiled = question_on("default", (*everything, soon))
    assert compiled is not None
    assert timedelta(hours=1) in compiled.moments.values()
