"""Queries per batch are constant, whatever the number of people in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.shop import cart, journey, line, order, template, topic
from wagtail_triggers.api import Who, subscribe
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.claim import take
from wagtail_triggers.messages.models import MessageClass
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plans(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    """Two journeys on orders, one of which is left by a goal."""
    news = topic("letters")
    receipt = template("Receipt")
    letter = template("News", kind=MessageClass.MARKETING, topic=news)
    journey("Receipts", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": receipt},
    ])  # fmt: skip
    journey(
        "Carts",
        [
            {"kind": "entry", "event": "cart_updated"},
            {"kind": "send", "template": letter},
            {"kind": "wait", "amount": 1, "unit": "hours"},
        ],
        goals=[{"event": "order_placed", "match": "same_object", "converts": True}],
    )


def person(prefix: str, number: int) -> Who:
    """One of many."""
    return Who(user_id=f"{prefix}{number}", email=f"{prefix}{number}@example.com")


def counted(work: Callable[[], object]) -> int:
    """How many queries it takes."""
    with CaptureQueriesContext(connection) as queries:
        work()
    return len([one for one in queries if "SAVEPOINT" not in one["sql"]])


def new_carts(prefix: str, count: int) -> None:
    """So many people, each with a new cart and a yes."""
    for number in range(count):
        who = person(prefix, number)
        subscribe(who, "letters")
        cart(f"{prefix}{number}", line(), who=who)


def orders(prefix: str, count: int) -> None:
    """The same people buy what is in their carts."""
    for number in range(count):
        who = person(prefix, number)
        order(f"{prefix}{number}", line(), cart_id=f"{prefix}{number}", who=who)


def costs(prefix: str, count: int) -> dict[str, int]:
    """Queries of each batch on the way of so many people through both journeys."""
    for number in range(count):
        subscribe(person(prefix, number), "letters")
    run_until_idle()  # consent is written one by one: it is rare, and proof
    for number in range(count):
        cart(f"{prefix}{number}", line(), who=person(prefix, number))
    found = {
        "route carts": counted(route_batch),
        "run carts": counted(run_due),
        "claim marketing": counted(lambda: take(MessageClass.MARKETING)),
    }
    orders(prefix, count)
    found["route orders"] = counted(route_batch)
    found["run orders"] = counted(run_due)
    found["claim receipts"] = counted(lambda: take(MessageClass.TRANSACTIONAL))
    for number in range(count):
        cart(f"n{prefix}{number}", line(), who=person(f"n{prefix}", number))
    found["route new people"] = counted(route_batch)
    return found


def test_queries_of_a_batch_do_not_grow_with_the_people_in_it() -> None:
    costs("warm", 2)  # guards, plans and the site are looked up once per process
    few = costs("few", 5)
    many = costs("many", 50)
    print(f"\nqueries per batch: {many}")
    if connection.vendor == "postgresql":
        assert many == few
    else:  # SQLite takes only so many values in one INSERT
        assert all(many[batch] - few[batch] <= 2 for batch in few)
    assert max(many.values()) <= 45


def test_queries_of_a_batch_do_not_grow_with_the_journeys() -> None:
    def one_more(name: str) -> None:
        journey(name, [
            {"kind": "entry", "event": "cart_updated"},
            {"kind": "wait", "amount": 1, "unit": "hours"},
        ])  # fmt: skip

    costs("warm", 2)
    few = costs("few", 3)
    for number in range(8):
        one_more(f"More {number}")
    assert costs("many", 3) == few
