"""Queries per batch are constant, whatever the number of people in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import letter, people, planned
from tests.settings import DATABASE_KIND
from tests.shop import cart, journey, line, order, template, topic
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.models import Subscription
from wagtail_triggers.core import clock
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.claim import take
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch

pytestmark = pytest.mark.django_db
#: As many as a batch may hold.
MOST = 500


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


def say_yes(prefix: str, count: int) -> None:
    """So many people want letters. At once: what they say themselves is kept one by one."""
    news = topic("letters")
    Subscription.objects.bulk_create(
        Subscription(
            site=news.site, topic=news, address=person(prefix, number).email,
            state=Subscription.State.SUBSCRIBED, changed_at=clock.now(),
        )
        for number in range(count)
    )  # fmt: skip


def orders(prefix: str, count: int) -> None:
    """The same people buy what is in their carts."""
    for number in range(count):
        who = person(prefix, number)
        order(f"{prefix}{number}", line(), cart_id=f"{prefix}{number}", who=who)


def costs(prefix: str, count: int) -> dict[str, int]:
    """Queries of each batch on the way of so many people through both journeys."""
    say_yes(prefix, count)
    for number in range(count):
        cart(f"{prefix}{number}", line(), who=person(prefix, number))
    found = {
        "route new people": counted(lambda: route_batch(MOST)),
        "run carts": counted(lambda: run_due(MOST)),
        "claim marketing": counted(lambda: take(MessageClass.MARKETING, MOST)),
    }
    assert Message.objects.filter(state="claimed", address__startswith=prefix).count() == count
    orders(prefix, count)
    found["route orders"] = counted(lambda: route_batch(MOST))
    found["run orders"] = counted(lambda: run_due(MOST))
    found["claim receipts"] = counted(lambda: take(MessageClass.TRANSACTIONAL, MOST))
    for number in range(count):
        cart(f"n{prefix}{number}", line(), who=person(prefix, number))
    found["route known people"] = counted(lambda: route_batch(MOST))
    assert not Event.objects.filter(routed_at=None).exists()
    while run_due(MOST) or take(MessageClass.MARKETING, MOST).messages:
        continue  # nothing is left over for the next ones
    return found


def test_queries_of_a_batch_do_not_grow_with_the_people_in_it() -> None:
    costs("warm", 2)  # guards, plans and the site are looked up once per process
    few, some, many = costs("few", 5), costs("some", 50), costs("many", MOST)
    print(f"\nqueries per batch: {many}")
    if connection.vendor == "postgresql":
        assert many == some == few
    else:  # SQLite takes only so many values in one statement
        assert all(some[batch] - few[batch] <= 2 for batch in few)
    assert max(some.values()) <= 60


def test_queries_of_a_batch_do_not_grow_with_the_journeys_or_their_steps() -> None:
    def one_more(name: str, steps: int) -> None:
        waits = [{"kind": "wait", "amount": 1, "unit": "hours"}] * steps
        journey(name, [{"kind": "entry", "event": "cart_updated"}, *waits])

    one_more("Standing", 1)  # somebody who is under way costs two queries, how many ever are
    costs("warm", 2)
    few = costs("few", 3)
    for number in range(40):
        one_more(f"More {number}", 1 + number % 5)
    costs("again", 2)  # plans are compiled once per process
    many = costs("many", 3)
    if connection.vendor == "postgresql":
        assert many == few
    else:  # as above
        assert all(many[batch] - few[batch] <= 4 for batch in few)


def test_queries_of_following_a_run_do_not_grow_with_its_steps() -> None:
    def cost(steps: int) -> int:
        change = {"kind": "update", "add_tags": ["seen"], "score": 1}
        journey(f"Through {steps}", [{"kind": "entry", "event": "page_viewed"}, *[change] * steps])
        for number in range(5):
            who = person(f"s{steps}x", number)
            track("page_viewed", contact=who, payload={"url": "/"})
        route_batch()
        return counted(run_due)

    cost(1)
    assert cost(30) == cost(2)


@pytest.mark.skipif(DATABASE_KIND != "postgres", reason="only it hands over in one round trip")
@pytest.mark.django_db(transaction=True)
def test_a_message_more_costs_its_sender_one_round_trip_more() -> None:
    version = letter("Hello")

    def cost(prefix: str, count: int) -> int:
        planned(version, people(count, prefix))
        return counted(lambda: send_batch(MessageClass.TRANSACTIONAL, MOST))

    cost("warm", 3)
    few, many = cost("few", 5), cost("many", 45)
    assert many - few == 40
    assert Message.objects.filter(state="accepted").count() == 53
