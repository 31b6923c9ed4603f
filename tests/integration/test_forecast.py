"""What is forecast for a person is what then happens, letter by letter and to the second."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site

from tests.shop import ADA, journey, line, order, publish, template, topic
from wagtail_triggers.api import subscribe, track
from wagtail_triggers.consent.models import FrequencyCap, QuietHours
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.forecast import Expected, Proviso, forecast
from wagtail_triggers.engine.lifecycle import pause
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.messages.models import Message, MessageClass, TriggersSettings
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

pytestmark = pytest.mark.django_db

#: Worlds of the generated test; `TRIGGERS_FORECASTS=200` is the full size.
WORLDS = int(os.environ.get("TRIGGERS_FORECASTS", "6"))
ENTRY: dict[str, Any] = {"kind": "entry", "event": "user_registered"}
DAY = timedelta(days=1)

Sent = tuple[datetime, str, str]


def ada() -> Contact:
    return Contact.objects.get(email=ADA.email)


def live_through(clock: FrozenClock, until: datetime) -> list[Sent]:
    """Travel from one due moment to the next; what left, when, from which journey and step."""
    while True:
        run_until_idle()
        runs = Enrolment.objects.filter(wake_at__isnull=False).order_by("wake_at")
        letters = Message.objects.filter(due_at__isnull=False).order_by("due_at")
        dues = [*runs.values_list("wake_at")[:1], *letters.values_list("due_at")[:1]]
        moments = [due for (due,) in dues if due is not None]
        if not moments or min(moments) > until:
            break
        clock.travel(max(min(moments) - clock.moment, timedelta(0)))
    return sent()


def sent() -> list[Sent]:
    rows = Message.objects.filter(state=Message.State.ACCEPTED).select_related("enrolment__journey")
    return sorted(
        (row.settled_at, row.enrolment.journey.name, row.node)
        for row in rows
        if row.settled_at and row.enrolment
    )


def told(expected: list[Expected]) -> list[Sent]:
    """What is to leave if nothing else happens."""
    return sorted(
        (one.at, one.run.journey.name, one.node)
        for one in expected
        if one.at is not None and not one.provisos
    )


def test_forecast_of_a_series_is_what_then_leaves() -> None:
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        letter = template("Hello")
        wait = {"kind": "wait", "amount": 3, "unit": "days"}
        send = {"kind": "send", "template": letter}
        journey(
            "Series",
            [ENTRY, wait, send, {**wait, "amount": 10}, send, {**wait, "amount": 40}, send],
        )
        track("user_registered", contact=ADA)
        run_until_idle()
        before = clock.moment
        found = forecast(ada(), before)
        assert [(one.at, one.node) for one in found.expected] == [
            (before + 3 * DAY, "n2"),
            (before + 13 * DAY, "n4"),
        ]
        assert live_through(clock, found.until) == told(found.expected)


def test_forecast_writes_nothing_and_costs_the_same_for_many_runs() -> None:
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        letter = template("Hello")
        steps: list[dict[str, Any]] = [
            ENTRY,
            {"kind": "wait", "amount": 1, "unit": "days"},
            {"kind": "send", "template": letter},
        ]
        journey("One", steps)
        track("user_registered", contact=ADA)
        run_until_idle()
        with CaptureQueriesContext(connection) as few:
            forecast(ada(), clock.moment)
        for number in range(5):
            journey(f"More {number}", steps)
        track("user_registered", contact=ADA, key="2")
        run_until_idle()
        with CaptureQueriesContext(connection) as many:
            found = forecast(ada(), clock.moment)
        assert len(found.expected) == 7  # the first journey has two runs by now
        assert len(many) <= len(few) + 1
        assert {query["sql"].split()[0] for query in many.captured_queries} == {"SELECT"}


def test_forecast_marks_what_depends_on_something_that_may_happen() -> None:
    graph = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "user_registered"}},
            {"id": "until", "kind": "wait_for", "settings": {
                "event": "order_placed", "match": "any", "timeout": {"amount": 3, "unit": "days"}}},
            {"id": "thanks", "kind": "send", "settings": {"template": template("Thanks")}},
            {"id": "nudge", "kind": "send", "settings": {"template": template("Nudge")}},
            {"id": "out", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "port": "next", "target": "until"},
            {"source": "until", "port": "next", "target": "thanks"},
            {"source": "until", "port": "timeout", "target": "nudge"},
            {"source": "thanks", "port": "next", "target": "out"},
            {"source": "nudge", "port": "next", "target": "out"},
        ],
    }  # fmt: skip
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        publish("Order?", graph)
        track("user_registered", contact=ADA)
        run_until_idle()
        clock.travel(timedelta(hours=1))
        found = forecast(ada(), clock.moment)
        assert [(one.node, one.at, one.provisos) for one in found.expected] == [
            ("thanks", clock.moment, (Proviso("until", "next"),)),
            ("nudge", clock.moment + 3 * DAY - timedelta(hours=1), ()),
        ]
        clock.travel(timedelta(hours=5))
        order("7", line())
        run_until_idle()
        assert [(node, at) for at, _name, node in sent()] == [("thanks", clock.moment)]


def test_forecast_names_the_rule_that_would_stop_a_letter() -> None:
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        news = template("News", kind=MessageClass.MARKETING, topic=topic())
        wait = {"kind": "wait", "amount": 3, "unit": "days"}
        row = journey("News", [ENTRY, wait, {"kind": "send", "template": news}])
        track("user_registered", contact=ADA)
        run_until_idle()
        (one,) = forecast(ada(), clock.moment).expected
        assert (one.at, one.stopped_by) == (None, "no_consent")
        subscribe(ADA, "news", source="form")
        run_until_idle()
        (one,) = forecast(ada(), clock.moment).expected
        assert (one.at, one.stopped_by) == (clock.moment + 3 * DAY, "")
        pause(row)
        found = forecast(ada(), clock.moment)
        assert (found.expected, [run.journey for run in found.standing]) == ([], [row])


@pytest.mark.parametrize("seed", range(WORLDS))
def test_forecast_of_a_generated_world_is_what_then_happens(seed: int) -> None:
    chance = random.Random(seed)
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        letters = [
            template("Receipt"),
            template("News", kind=MessageClass.MARKETING, topic=topic()),
            template("Offer", kind=MessageClass.MARKETING, topic=topic()),
        ]
        subscribe(ADA, "news", source="form")
        rules = TriggersSettings.for_site(Site.objects.get(is_default_site=True))
        rules.weekly_limit = chance.choice([None, 1, 2, 3])
        rules.save()
        if chance.random() < 0.6:
            QuietHours.objects.create(settings=rules, begins=time(21), ends=time(8))
        if chance.random() < 0.4:
            FrequencyCap.objects.create(settings=rules, limit=1, amount=1, unit="days")
        for number in range(chance.randint(1, 4)):
            journey(f"J{number}", plan(chance, letters), priority=chance.randint(0, 3))
        track("user_registered", contact=ADA)
        clock.travel(timedelta(minutes=chance.randint(0, 600)))
        run_until_idle()
        already = sent()
        found = forecast(ada(), clock.moment)
        assert not found.cut_short
        expected = told(found.expected)
        left = [one for one in live_through(clock, found.until) if one not in already]
        assert left == expected
        assert left or all(one.stopped_by for one in found.expected if not one.provisos)


def plan(chance: random.Random, letters: list[str]) -> list[dict[str, Any]]:
    """A journey in a line, of waits of every kind and letters."""
    waits: list[Callable[[], dict[str, Any]]] = [
        lambda: {"kind": "wait", "amount": chance.randint(1, 90), "unit": "hours"},
        lambda: {"kind": "wait", "amount": chance.randint(1, 9), "unit": "days"},
        lambda: {
            "kind": "wait", "amount": 1, "unit": "days",
            "jitter": {"amount": 5, "unit": "hours"},
        },
        lambda: {"kind": "wait_time", "at": f"{chance.randint(6, 22):02}:30"},
        lambda: {"kind": "wait_time", "at": "09:00", "weekdays": ["mon", "thu"]},
    ]  # fmt: skip
    steps: list[dict[str, Any]] = [ENTRY]
    for _step in range(chance.randint(1, 5)):
        steps += [chance.choice(waits)(), {"kind": "send", "template": chance.choice(letters)}]
    return steps
