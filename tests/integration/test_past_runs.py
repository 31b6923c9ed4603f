"""Rules of re-entry on the database, with the clock moving; several doors into one journey."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.shop import ADA, journey, line, order, publish
from wagtail_triggers.api import Who, track
from wagtail_triggers.core import clock as clocks
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.live import live_journeys
from wagtail_triggers.engine.models import Enrolment, Refusal
from wagtail_triggers.engine.past_runs import past_runs
from wagtail_triggers.testing import run_until_idle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_WEEK = {"amount": 7, "unit": "days"}


@pytest.mark.parametrize(
    ("rule", "days", "enters"),
    [
        ({"rule": "once"}, [0, 1, 30], [True, False, False]),
        ({"rule": "every", "every": A_WEEK}, [0, 6, 7, 13, 14], [True, False, True, False, True]),
        (
            {"rule": "at_most", "times": 2, "per": A_WEEK},
            [0, 1, 2, 6, 7, 7, 8, 9],
            [True, True, False, False, True, False, True, False],
        ),
        ({"rule": "one_at_a_time"}, [0, 1, 2], [True, True, True]),
        ({"rule": "each_key"}, [0, 0, 0], [True, True, True]),
        ({"rule": "each_key", "max_runs": 2}, [0, 30, 60], [True, True, False]),
    ],
)
def test_person_who_comes_again_enters_by_the_rule(
    rule: dict[str, Any], days: list[int], enters: list[bool], clock: FrozenClock
) -> None:
    """Each event is about an order of its own; a run lasts no time."""
    journey("Rule", [{"kind": "entry", "event": "order_placed", "reentry": rule}])
    start, found = clocks.now(), []
    for number, day in enumerate(days):
        clock.travel(start + day * DAY - clocks.now())
        order(str(number), line())
        run_until_idle()
        found.append(Enrolment.objects.filter(key=f"order:{number}").exists())
    assert found == enters
    assert Refusal.objects.count() == enters.count(False)


@pytest.mark.parametrize(
    ("rule", "same", "other"),
    [
        ({"rule": "each_key"}, False, True),
        ({"rule": "one_at_a_time"}, False, False),
        ({"rule": "at_most", "times": 5, "per": A_WEEK}, False, True),
        ({"rule": "every", "every": {"amount": 1, "unit": "minutes"}}, False, False),
    ],
)
def test_person_who_is_still_in_enters_again_only_about_another_object_where_the_rule_allows(
    rule: dict[str, Any], same: bool, other: bool, clock: FrozenClock
) -> None:
    journey("Rule", [
        {"kind": "entry", "event": "order_placed", "reentry": rule},
        {"kind": "wait", "amount": 30, "unit": "days"},
    ])  # fmt: skip
    order("1", line())
    run_until_idle()
    clock.travel(DAY)
    for number, enters in (("1", same), ("2", other)):
        before = Enrolment.objects.count()
        order(number, line())
        run_until_idle()
        assert Enrolment.objects.count() - before == enters
    assert set(Refusal.objects.values_list("reason", flat=True)) == {"already_in_journey"}


def test_journey_with_two_doors_takes_in_by_each_and_by_one_event_only_once() -> None:
    doors = [
        ("big", "order_placed", {"event": "total.amount", "op": "gte", "value": "100"}),
        ("any", "order_placed", None),
        ("paid", "order_paid", None),
    ]
    publish("Doors", {
        "nodes": [
            *({"id": name, "kind": "entry", "settings": {"event": event, "filter": wanted}}
              for name, event, wanted in doors),
            *({"id": f"out-{name}", "kind": "exit", "settings": {"reason": f"by {name}"}}
              for name, _event, _wanted in doors),
        ],
        "edges": [{"source": name, "target": f"out-{name}"} for name, _event, _wanted in doors],
    })  # fmt: skip
    order("1", line(price="150.00"))
    order("2", line(price="50.00"))
    track("order_paid", contact=ADA, key="3", payload={"order_id": "3"})
    track("page_viewed", contact=ADA, payload={"url": "/"})
    run_until_idle()
    assert dict(Enrolment.objects.values_list("key", "reason")) == {
        "order:1": "by big", "order:2": "by any", "order:3": "by paid",
    }  # fmt: skip


def test_past_runs_cost_two_queries_whatever_the_number_of_people_and_only_one_without_windows(
    clock: FrozenClock,
) -> None:
    rule = {"rule": "at_most", "times": 2, "per": A_WEEK}
    plan = journey("Windows", [{"kind": "entry", "event": "order_placed", "reentry": rule}])
    plain = journey("Plain", [{"kind": "entry", "event": "order_placed"}])
    for number in range(20):
        who = Who(user_id=number, email=f"p{number}@example.com")
        order(f"a{number}", line(), who=who)
        run_until_idle()
    clock.travel(3 * DAY)
    order("b0", line(), who=Who(user_id=0))
    run_until_idle()
    contacts = list(Enrolment.objects.values_list("contact_id", flat=True).distinct())
    live = {one.journey_id: one for one in live_journeys([plan.site_id])}
    with CaptureQueriesContext(connection) as queries:
        found = past_runs(contacts, [[live[plan.pk], live[plain.pk]]], clocks.now())
    assert len(queries) == 2
    first = Enrolment.objects.order_by("pk").first()
    assert first is not None
    assert found[first.contact_id][plan.pk].count == 2
    assert len(found[first.contact_id][plan.pk].recent) == 2
    assert found[first.contact_id][plain.pk].recent == ()
    with CaptureQueriesContext(connection) as queries:
        past_runs(contacts, [[live[plain.pk]]], clocks.now())
    assert len(queries) == 1
    assert past_runs(contacts, [], clocks.now()) == {}
    clock.travel(30 * DAY)
    later = past_runs(contacts, [[live[plan.pk]]], clocks.now())
    assert later[first.contact_id][plan.pk].recent == ()
