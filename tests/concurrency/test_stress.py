"""Everybody at once for some seconds: nothing is lost, nothing comes twice, nothing deadlocks."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Count

from tests.concurrency.parallel import Strand
from tests.concurrency.people import site
from tests.shop import cart, journey, line, order, template, topic
from wagtail_triggers.api import Who
from wagtail_triggers.consent.links import Wanted, tokens_for
from wagtail_triggers.consent.models import LinkToken, Topic
from wagtail_triggers.consent.subscriptions import unsubscribe_by_link
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.engine.carts import abandon_batch
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import BatchAttempt, Enrolment, StepRun
from wagtail_triggers.engine.recovery import reap
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

SECONDS = 8.0
PEOPLE = 12


def set_up() -> None:
    """Two journeys: a receipt for every order, and three reminders of every cart."""
    soft = topic("carts", consent=Topic.Consent.SOFT)
    receipt = template("Receipt")
    journey("Receipts", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": receipt},
    ])  # fmt: skip
    reminder = template("Reminder", kind=MessageClass.MARKETING, topic=soft)
    journey(
        "Reminders",
        [
            {"kind": "entry", "event": "cart_updated"},
            {"kind": "send", "template": reminder},
            {"kind": "wait", "amount": 1, "unit": "minutes"},
            {"kind": "send", "template": reminder},
        ],
        goals=[{"event": "order_placed", "match": "same_object", "converts": True}],
    )


class Shop:
    """Customers and guests who fill carts, buy, sign in and unsubscribe."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.number = 0

    def event(self) -> None:
        """One thing that somebody does."""
        self.number += 1
        person = self.random.randrange(PEOPLE)
        mail = f"p{person}@example.com"
        guest = Who(cookie_id=f"c{person}-{self.number // 40}", email=mail)
        customer = Who(user_id=person, email=mail, cookie_id=guest.cookie_id, signed_in=True)
        object_id = f"{self.seed}-{self.number}"
        if self.random.random() < 0.5:
            cart(object_id, line(), who=self.random.choice([guest, customer]))
        else:
            before = f"{self.seed}-{self.number - self.random.randrange(1, 5)}"
            order(object_id, line(), cart_id=before, who=self.random.choice([guest, customer]))
        time.sleep(0.002)

    def unsubscribe(self) -> None:
        """One person has enough."""
        wanted = Wanted(site().pk, "email", None, f"p{self.random.randrange(PEOPLE)}@example.com")
        token = tokens_for([wanted], clock.now())[wanted]
        link = LinkToken.objects.select_related("topic").get(token=token)
        unsubscribe_by_link(link, everything=True, source="stress")
        time.sleep(0.05)


def deadlocks() -> int:
    """How many PostgreSQL has had to break in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def look_behind() -> None:
    """What beat calls now and then."""
    reap()
    abandon_batch()
    time.sleep(0.2)


def for_some_seconds(step: Callable[[], object]) -> Callable[[], int]:
    """Repeat until the time is over; how often."""
    ends = time.monotonic() + SECONDS

    def work() -> int:
        rounds = 0
        while time.monotonic() < ends:
            step()
            rounds += 1
        return rounds

    return work


def test_everybody_at_once_loses_nothing_and_deadlocks_never(
    outbox: list[Outgoing], caplog: pytest.LogCaptureFixture
) -> None:
    set_up()
    before = deadlocks()
    first, second = Shop(1), Shop(2)
    steps: dict[str, Callable[[], object]] = {
        "shop 1": first.event,
        "shop 2": second.event,
        "unsubscribing": Shop(3).unsubscribe,
        "router 1": lambda: route_batch(20),
        "router 2": lambda: route_batch(20),
        "runner 1": lambda: run_due(20),
        "runner 2": lambda: run_due(20),
        "receipts": lambda: send_batch(MessageClass.TRANSACTIONAL, 10),
        "reminders 1": lambda: send_batch(MessageClass.MARKETING, 10),
        "reminders 2": lambda: send_batch(MessageClass.MARKETING, 10),
        "reaper": look_behind,
    }
    strands = {name: Strand(for_some_seconds(step)) for name, step in steps.items()}
    rounds = {name: strand.wait() for name, strand in strands.items()}  # raises what surfaced
    _settle()
    merged = Contact.objects.filter(merged_into__isnull=False).count()
    states = dict(Message.objects.values_list("state").annotate(Count("pk")).order_by())
    broken = deadlocks() - before
    print(
        f"\n{Event.objects.count()} events, {Enrolment.objects.count()} runs, {merged} merges, "
        f"messages {states}, surfaced 0, deadlocks {broken}, rounds {rounds}"
    )
    assert merged > 0
    assert len(outbox) > 0
    assert broken == 0
    assert "failed" not in caplog.text
    _nothing_is_lost_and_nothing_twice(outbox)


def _settle() -> None:
    """Let everything that was held back for a second or for a wait end."""
    for _round in range(3):
        run_until_idle()
        moment = clock.now()
        Enrolment.objects.filter(wake_at__isnull=False).update(
            wake_at=moment, arrived_at=moment - timedelta(hours=1)
        )
        Message.objects.filter(due_at__gt=moment).update(due_at=moment)
    run_until_idle()


def _nothing_is_lost_and_nothing_twice(outbox: list[Outgoing]) -> None:
    assert not Event.objects.filter(routed_at=None).exists()
    assert not Event.objects.exclude(problem="").exists()
    assert not BatchAttempt.objects.exists()
    assert not Enrolment.objects.filter(state__in=Enrolment.ALIVE).exists()
    assert not Enrolment.objects.filter(contact__merged_into__isnull=False).exists()
    assert not Event.objects.filter(contact__in=_gone()).exists()
    assert not Message.objects.exclude(state__in=Message.TERMINAL).exists()
    copies = Counter(letter.idempotency_key for letter in outbox)
    assert set(copies.values()) == {1}
    accepted = Message.objects.filter(state=Message.State.ACCEPTED)
    assert set(copies) == {str(key) for key in accepted.values_list("public_id", flat=True)}
    orders = Event.objects.filter(name="order_placed").count()
    receipts = Message.objects.filter(message_class=MessageClass.TRANSACTIONAL)
    assert set(receipts.values_list("state", flat=True)) == {"accepted"}
    assert receipts.count() == orders
    gaps = StepRun.objects.values("enrolment").annotate(count=Count("pk")).order_by()
    seqs = dict(Enrolment.objects.values_list("pk", "seq"))
    for row in gaps:
        assert row["count"] == seqs[row["enrolment"]]


def _gone() -> list[int]:
    return list(Contact.objects.exclude(merged_into=None).values_list("pk", flat=True))
