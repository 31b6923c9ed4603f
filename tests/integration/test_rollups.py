"""Daily numbers are added up once each, and equal to a count of the whole log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from tests.shop import journey, line, order, template
from wagtail_triggers.analytics.models import Rollup
from wagtail_triggers.analytics.rollups import Numbers, numbers, rebuild, refresh
from wagtail_triggers.api import Who, track
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Conversion, Enrolment
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

pytestmark = pytest.mark.django_db


def lives(clock: FrozenClock, first: int, people: int) -> None:
    """So many people enter, get a letter, wait; some order."""
    for number in range(first, first + people):
        who = Who(email=f"p{number}@example.com")
        track("user_registered", contact=who)
        run_until_idle()
        clock.travel(timedelta(minutes=7))
        if number % 3 == 0:
            order(str(number), line(), who=who)
            run_until_idle()


def two() -> list[Journey]:
    letter = template("Hello")
    entry = {"kind": "entry", "event": "user_registered"}
    wait = {"kind": "wait", "amount": 2, "unit": "days"}
    send = {"kind": "send", "template": letter}
    goal = {"event": "order_placed", "match": "any", "converts": True}
    return [
        journey("Long", [entry, send, wait, send], goals=[goal]),
        journey("Short", [entry, send]),
    ]


def recount(row: Journey) -> tuple[int, int, int, int, int]:
    runs = Enrolment.objects.filter(journey=row)
    sent = Message.objects.filter(journey_version__journey=row, state="accepted")
    return (
        runs.count(),
        runs.filter(ended_at__isnull=False).count(),
        Conversion.objects.filter(enrolment__journey=row).count(),
        sent.count(),
        runs.filter(state__in=Enrolment.ALIVE).count(),
    )


def told(one: Numbers) -> tuple[int, int, int, int, int]:
    return one.entered, one.ended, one.converted, one.sent, one.active


def rows(model: type[Model]) -> list[dict[str, object]]:
    found = model._default_manager.order_by("journey", "day").values()
    return [{**row, "id": 0} for row in found]


def test_numbers_are_those_of_a_recount_however_often_the_mark_is_moved() -> None:
    with travelling("2026-05-01 22:00") as clock, captured_messages():
        journeys = two()
        ids = [row.pk for row in journeys]
        for turn in range(6):
            lives(clock, 4 * turn, 4)
            if turn % 2:
                assert refresh() is True
                assert refresh() is False
            found = numbers(ids, clock.moment)
            assert {row.pk: told(found[row.pk]) for row in journeys} == {
                row.pk: recount(row) for row in journeys
            }
        clock.travel(timedelta(days=2))
        run_until_idle()
        clock.travel(timedelta(minutes=5))
        refresh()
        kept = rows(Rollup)
        assert sorted({str(row["day"]) for row in kept}) == [
            "2026-05-01",
            "2026-05-02",
            "2026-05-04",
        ]
        rebuild()
        assert rows(Rollup) == kept


def test_numbers_of_days_put_each_letter_on_its_own_day() -> None:
    with travelling("2026-05-01 23:50") as clock, captured_messages():
        first, _second = two()
        lives(clock, 1, 2)  # at 23:50 and 23:57
        clock.travel(timedelta(minutes=6))
        lives(clock, 4, 1)  # on the next day
        (found,) = numbers([first.pk], clock.moment, days=3).values()
        assert found.days == [0, 2, 1]
        clock.travel(timedelta(minutes=10))
        refresh()
        assert numbers([first.pk], clock.moment, days=3)[first.pk].days == [0, 2, 1]


def test_numbers_cost_the_same_for_any_number_of_journeys() -> None:
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        ids = [row.pk for row in two()]
        lives(clock, 1, 2)
        with CaptureQueriesContext(connection) as one:
            numbers(ids[:1], clock.moment)
        with CaptureQueriesContext(connection) as both:
            numbers(ids, clock.moment)
        assert len(one) == len(both) == 7
