"""Many workers route the same people's events at once: nobody enters twice (Q24)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.concurrency.parallel import together
from tests.concurrency.people import people, who
from tests.shop import journey
from wagtail_triggers.api import track
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.engine.models import Enrolment, Refusal
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.channels.base import Outgoing

#: The whole size by TRIGGERS_FULL=1: a thousand people.
WORKERS, PEOPLE = 50, 1_000 if os.environ.get("TRIGGERS_FULL") == "1" else 20
WAIT = {"kind": "wait", "amount": 30, "unit": "days"}
A_DAY = {"amount": 1, "unit": "days"}

#: Each rule, whether the events are about one object each, and how many may enter.
RULES = [
    ({"rule": "once"}, True, 1),
    ({"rule": "once"}, False, 1),
    ({"rule": "every", "every": A_DAY}, True, 1),
    ({"rule": "one_at_a_time"}, True, 1),
    ({"rule": "each_key"}, False, 1),
    ({"rule": "at_most", "times": 3, "per": A_DAY}, True, 3),
    ({"rule": "each_key", "max_runs": 2}, True, 2),
]


def entries() -> Counter[tuple[int, int]]:
    """How many runs each person has in each journey."""
    return Counter(Enrolment.objects.values_list("journey_id", "contact_id"))


@pytest.mark.timeout(1800)
def test_fifty_workers_racing_for_the_same_people_let_nobody_in_too_often(
    outbox: list[Outgoing],
) -> None:
    allowed = {}
    for number, (rule, by_object, most) in enumerate(RULES):
        event = "order_placed" if by_object else "order_paid"
        entry = {"kind": "entry", "event": event, "reentry": rule}
        allowed[journey(f"J{number}", [entry, WAIT]).pk] = most
    everybody = people(PEOPLE)

    def worker(number: int) -> Callable[[], int]:
        def work() -> int:
            for person in everybody[number % 7 :: 7]:  # the same people from many sides
                for name, key in (("order_placed", str(number)), ("order_paid", "1")):
                    track(name, contact=who(person), key=key, payload={"order_id": key})
                route_batch(limit=25)
            routed = 0
            for _round in range(200):
                done = route_batch(limit=25)
                routed += done
                if not done and not Event.objects.filter(routed_at=None).exists():
                    break
            return routed

        return work

    together(*(worker(number) for number in range(WORKERS)))
    while route_batch():
        pass
    found = entries()
    contacts = Contact.objects.filter(merged_into=None).count()
    wrong = sum(count != allowed[plan] for (plan, _contact), count in found.items())
    events = Event.objects.count()
    print(
        f"\n{WORKERS} workers, {PEOPLE} people, {events} events, {len(RULES)} rules: "
        f"{sum(found.values())} entries, {wrong} people let in too often or too seldom"
    )
    assert contacts == PEOPLE
    assert len(found) == PEOPLE * len(RULES)
    assert wrong == 0
    assert not Event.objects.filter(routed_at=None).exists()
    assert not Event.objects.exclude(problem="").exists()


def test_person_asked_in_by_many_workers_after_the_window_enters_again_exactly_as_often(
    outbox: list[Outgoing],
) -> None:
    rule = {"rule": "at_most", "times": 2, "per": A_DAY}
    journey("Again", [{"kind": "entry", "event": "order_placed", "reentry": rule}])
    (person,) = people(1)

    def buy(key: str) -> Callable[[], int]:
        def work() -> int:
            track("order_placed", contact=who(person), key=key, payload={"order_id": key})
            return sum(route_batch() for _round in range(10))

        return work

    together(*(buy(f"a{number}") for number in range(8)))
    while route_batch():
        pass
    assert Enrolment.objects.count() == 2
    first = Enrolment.objects.order_by("pk").first()
    assert first is not None
    Enrolment.objects.filter(pk=first.pk).update(entered_at=first.entered_at - timedelta(days=2))
    together(*(buy(f"b{number}") for number in range(8)))
    while route_batch():
        pass
    assert Enrolment.objects.count() == 3
    assert set(Refusal.objects.values_list("reason", flat=True)) == {"entered_too_often"}
