"""P12: events routed against 200 live journeys, against inserting the same events.

Every event is a product that a known person looked at, or one of nine other things; twenty of the
journeys listen to each and judge it by a filter. Ours resolves who it was, keeps the facts, judges
and writes; the baseline is `bulk_create` of the same rows.
"""

from __future__ import annotations

import time
from datetime import datetime
from itertools import count
from typing import Any

from django.db import connection
from django.test import override_settings
from wagtail.models import Site

from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.floors import reached
from tests.concurrency.people import people, site
from tests.shop import journey
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event

JOURNEYS = 200
#: Events of one person in a round.
EACH = 5
CHUNK = 1_000
_numbers = count(1)
NAMES = (
    "page_viewed", "product_viewed", "search_performed", "review_posted", "wishlist_updated",
    "product_back_in_stock", "price_dropped", "user_updated", "message_opened", "message_clicked",
)  # fmt: skip
#: What each of them carries.
PAYLOADS: dict[str, dict[str, Any]] = {
    "page_viewed": {"url": "https://shop.example/tea", "title": "Tea"},
    "search_performed": {"query": "tea", "results": 3},
    "user_updated": {},
    "wishlist_updated": {"lines": [], "url": "https://shop.example/tea"},
    "message_opened": {"message_id": "1"},
    "message_clicked": {"message_id": "1", "url": "https://shop.example/tea"},
}
PRODUCT: dict[str, Any] = {
    "sku": "tea",
    "name": "Sencha",
    "url": "https://shop.example/tea",
    "category": "tea",
}


def measure(plan: Plan) -> Report:
    """Route `plan.size` events a round."""
    for number in range(JOURNEYS):
        _journey(number)
    everybody = people(max(plan.size // EACH, 1))
    with override_settings(WAGTAIL_TRIGGERS_NUDGE="off"):
        _round(everybody, plan)
        rounds = [_round(everybody, plan) for _number in range(plan.rounds)]
    figure = Figure.of_rounds(
        "p12", rounds, goal=0.3, better="higher", unit="/s", reached=reached("p12")
    )
    return Report([figure], {"size": plan.size, "journeys": JOURNEYS, "rounds": rounds})


def _journey(number: int) -> None:
    name = NAMES[number % len(NAMES)]
    journey(
        f"Listens {number}",
        [
            {"kind": "entry", "event": name, "filter": _filter(number)},
            {"kind": "wait", "amount": 1, "unit": "days"},
        ],
        goals=[{"event": "order_placed", "match": "any", "converts": True}],
    )


def _filter(number: int) -> dict[str, Any]:
    """True for nobody: what is measured is the judgement, not the enrolment."""
    return {
        "all": [
            {"not": {"event": "url", "op": "eq", "value": f"https://shop.example/{number}"}},
            {"fact": "orders_count", "op": "gte", "value": number + 10},
        ]
    }


def _round(everybody: list[Contact], plan: Plan) -> tuple[float, float]:
    """Events a second that are routed, and that are inserted."""
    here, moment = site(), clock.now()
    rows = [_event(everybody[n % len(everybody)], n, here, moment) for n in range(plan.size)]
    began = time.perf_counter()
    for start in range(0, len(rows), CHUNK):
        Event.objects.bulk_create(rows[start : start + CHUNK])
    inserted = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE wagtail_triggers_event")
    began = time.perf_counter()
    done = 0
    while routed := route_batch():
        done += routed
        time.sleep(plan.handicap)
    taken = time.perf_counter() - began
    assert done == plan.size, done
    assert not Event.objects.filter(routed_at=None).exists()
    assert not Event.objects.exclude(problem="").exists()
    assert not Enrolment.objects.exists()
    return plan.size / taken, plan.size / inserted


def _event(contact: Contact, number: int, here: Site, moment: datetime) -> Event:
    name = NAMES[number % len(NAMES)]
    return Event(
        site=here, name=name, dedupe_key=f"m{next(_numbers)}", contact=contact,
        who={"user_id": contact.email.partition("@")[0], "email": contact.email},
        payload=PAYLOADS.get(name, PRODUCT), refs=[f"page:{number % 50}"],
        occurred_at=moment, recorded_at=moment,
    )  # fmt: skip
