"""The numbers at the steps of a journey are exact, whenever the mark was moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.shop import journey, line, order, template
from wagtail_triggers.analytics import step_numbers
from wagtail_triggers.analytics.models import StepNumber
from wagtail_triggers.api import Who
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import StepRun
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling


@pytest.fixture
def clock(db: None) -> Iterator[FrozenClock]:
    with travelling("2026-05-01 12:00") as moving:
        yield moving


def circle() -> Journey:
    """A letter after a day, and an exit."""
    return journey(
        "Thanks",
        [
            {"kind": "entry", "event": "order_placed"},
            {"kind": "wait", "amount": 1, "unit": "days"},
            {"kind": "send", "template": template("Thanks")},
        ],
        goals=[{"event": "order_cancelled", "match": "same_object", "converts": False}],
    )


def buy(number: int) -> None:
    order(f"o{number}", line("Shirt"), who=Who(user_id=number, email=f"p{number}@example.com"))
    run_until_idle()


@pytest.mark.parametrize("every", [0, 1, 7])
def test_numbers_are_the_same_however_often_they_are_summed_up(
    clock: FrozenClock, every: int
) -> None:
    row = circle()
    with captured_messages():
        for hour in range(60):
            if hour % 6 == 0:
                buy(hour)
            if every and hour % every == 0:
                step_numbers.refresh()
            clock.travel(timedelta(hours=1))
            run_until_idle()
    found = step_numbers.numbers(row.pk, clock.read())
    assert found["n1"] == {"entered": 10, "waiting": 3}
    assert found["n2"] == {"entered": 7, "sent": 7}
    assert found["n3"] == {"entered": 7, "left": 7}
    assert bool(StepNumber.objects.count()) is bool(every)
    step_numbers.rebuild()
    assert step_numbers.numbers(row.pk, clock.read()) == found


def test_what_is_counted_stays_when_the_log_is_forgotten(clock: FrozenClock) -> None:
    row = circle()
    with captured_messages():
        buy(1)
        clock.travel(timedelta(days=2))
        run_until_idle()
        clock.travel(timedelta(hours=1))
        step_numbers.refresh()
        StepRun.objects.all().delete()
    assert step_numbers.numbers(row.pk, clock.read())["n2"] == {"entered": 1, "sent": 1}


def test_reading_costs_the_same_number_of_queries_for_any_journey(clock: FrozenClock) -> None:
    row = circle()
    with CaptureQueriesContext(connection) as queries:
        assert step_numbers.numbers(row.pk, clock.read()) == {}
    assert len(queries) == 8


def test_second_refresh_at_once_does_nothing(clock: FrozenClock) -> None:
    circle()
    assert step_numbers.refresh()
    assert not step_numbers.refresh()
