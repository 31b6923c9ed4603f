"""Several workers at once, on PostgreSQL, MariaDB and SQLite alike.

`tests/concurrency` looks into each race with PostgreSQL's own means. These ask only whether the
promise holds: each thing once, nothing left over, nobody written to after their no.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from tests.concurrency.parallel import together
from tests.concurrency.people import letter, people, planned, who
from tests.shop import journey, line, order, template
from wagtail_triggers.api import track
from wagtail_triggers.consent.links import Wanted, tokens_for
from wagtail_triggers.consent.models import LinkToken
from wagtail_triggers.consent.subscriptions import unsubscribe_by_link
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.core.locking import engine_transaction, locked, retrying
from wagtail_triggers.engine.models import BatchAttempt, Enrolment, StepRun
from wagtail_triggers.engine.retention import sweep
from wagtail_triggers.engine.scheduler import due_tasks, work_through
from wagtail_triggers.events.models import Cart, Event
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.reports import Report, record
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.tasks import forget, tick

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4


def until_idle() -> int:
    """A worker of everything, until nothing is due for it or for anybody else."""
    done = 0
    for _round in range(100):
        done += work_through(seconds=20.0).total
        if not due_tasks():
            return done
    raise AssertionError(f"still due: {due_tasks()}")


def at_once(function: Callable[[], object], times: int = WORKERS) -> None:
    """The same function in several threads with connections of their own."""
    together(*[function] * times)


def letters(outbox: list[Outgoing]) -> Counter[str]:
    """How many letters each address got."""
    return Counter(one.address for one in outbox)


def test_workers_that_share_everything_do_each_thing_once(outbox: list[Outgoing]) -> None:
    journey("Thanks", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": template("Hi")},
    ])  # fmt: skip
    everybody = people(40)
    for number, person in enumerate(everybody):
        order(str(number), line(), who=who(person))
    at_once(until_idle)
    assert letters(outbox) == {person.email: 1 for person in everybody}
    assert Enrolment.objects.filter(state="completed").count() == 40
    assert StepRun.objects.count() == 40 * 2
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    assert not Event.objects.filter(routed_at=None).exists()
    assert not BatchAttempt.objects.exists()


def test_two_beats_are_harmless(outbox: list[Outgoing]) -> None:
    journey("Carts", [
        {"kind": "entry", "event": "cart_abandoned"}, {"kind": "send", "template": template("Hi")},
    ])  # fmt: skip
    ago = clock.now() - timedelta(hours=2)
    everybody = people(20)
    for number, person in enumerate(everybody):
        Cart.objects.create(
            site_id=person.site_id, cart_id=str(number), contact=person, items=1, updated_at=ago,
            abandon_at=ago, payload={"cart_id": str(number), "lines": []},
        )  # fmt: skip

    def beat() -> None:
        for _tick in range(3):
            tick()
        forget()

    together(beat, beat, until_idle, until_idle)
    until_idle()
    assert Event.objects.filter(name="cart_abandoned").count() == 20
    assert letters(outbox) == {person.email: 1 for person in everybody}


def test_one_event_told_by_many_at_once_is_one_event(outbox: list[Outgoing]) -> None:
    (person,) = people(1)

    def tell() -> bool:
        return track(
            "order_placed", contact=who(person), key="1", payload={"order_id": "1"}, dedupe_key="1"
        )

    assert sorted(together(*[tell] * 8)) == [False] * 7 + [True]
    assert Event.objects.count() == 1


def test_new_guests_with_one_cookie_become_one_person(outbox: list[Outgoing]) -> None:
    for number in range(20):
        track("page_viewed", contact={"cookie_id": f"c{number % 4}"}, payload={"url": "https://x"})
    at_once(until_idle)
    assert Contact.objects.count() == 4
    assert not Event.objects.filter(routed_at=None).exists()


def test_whoever_unsubscribed_gets_nothing_afterwards(outbox: list[Outgoing]) -> None:
    everybody = people(30)
    version = letter(marketing=True)
    planned(version, everybody)
    wishes = [Wanted(one.site_id, "email", version.topic_id, one.email) for one in everybody]
    tokens = tokens_for(wishes, clock.now())
    after: dict[str, int] = {}

    def unsubscribe() -> None:
        for wish, token in list(tokens.items())[::-1][:20]:
            link = LinkToken.objects.get(token=token)
            unsubscribe_by_link(link, everything=False, source="smoke")
            after[wish.address] = letters(outbox)[wish.address]

    def send() -> None:
        while send_batch(MessageClass.MARKETING, limit=5):
            pass

    together(unsubscribe, send, send)
    sent = letters(outbox)
    assert {address: sent[address] for address in after} == after
    assert max(sent.values(), default=0) <= 1
    states = Counter(Message.objects.values_list("state", flat=True))
    assert states["accepted"] + states["skipped"] == 30
    assert states["accepted"] == sum(sent.values())


def test_a_deadlock_is_tried_again_and_surfaces_nowhere(outbox: list[Outgoing]) -> None:
    first, second = people(2)

    @retrying
    def swap(*ids: int) -> None:
        with engine_transaction():
            for pk in ids:
                row = locked(Contact.objects.filter(pk=pk)).get()
                row.orders_count += 1
                row.save(update_fields=["orders_count"])

    def often(*ids: int) -> None:
        for _time in range(10):
            swap(*ids)

    together(lambda: often(first.pk, second.pk), lambda: often(second.pk, first.pk))
    assert set(Contact.objects.values_list("orders_count", flat=True)) == {20}


def test_reports_that_come_at_once_have_their_effects_once(outbox: list[Outgoing]) -> None:
    rows = planned(letter(), people(10))
    Message.objects.update(state="unknown_parked", due_at=None, ambiguous=1)
    told = [
        Report("delivered", "Relay", event_id=str(row.pk), public_id=str(row.public_id))
        for row in rows
    ]

    def report() -> None:
        record(told)
        until_idle()

    at_once(report)
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    assert Event.objects.filter(name="message_delivered").count() == 10
    assert outbox == []


def test_retention_forgets_what_is_old_and_nothing_else(outbox: list[Outgoing]) -> None:
    (person,) = people(1)
    now = clock.now()
    for number in range(30):
        age = timedelta(days=500 if number < 20 else 5)
        Event.objects.create(
            site_id=person.site_id, name="x", dedupe_key=str(number), contact=person,
            occurred_at=now - age, recorded_at=now - age, routed_at=now,
        )  # fmt: skip
    at_once(lambda: sweep(chunk=7))
    assert Event.objects.count() == 10


def test_the_databases_clock_is_utc_and_finer_than_a_second() -> None:
    moments = [clock.now() for _time in range(20)]
    assert abs(moments[0] - timezone.now()) < timedelta(seconds=5)
    assert any(moment.microsecond % 1000 for moment in moments)
    assert moments == sorted(moments)


def test_every_index_that_a_model_asks_for_is_there() -> None:
    missing = []
    for model in apps.get_app_config("wagtail_triggers").get_models():
        with connection.cursor() as cursor:
            present = connection.introspection.get_constraints(cursor, model._meta.db_table)
        missing += [index.name for index in model._meta.indexes if index.name not in present]
    assert missing == []
