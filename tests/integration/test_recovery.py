"""What dead workers left behind is found again, and nothing that lives is touched."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError
from django.db.models import Count

from tests.shop import ADA, journey, line, order, template
from wagtail_triggers.api import Who
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import attempts, contact_batch
from wagtail_triggers.engine.database import DatabaseBatch, run_due
from wagtail_triggers.engine.models import BatchAttempt, Enrolment
from wagtail_triggers.engine.recovery import Reaped, reap
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages import claim, sender
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.channels.memory import MemoryChannel
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=90)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _thanks(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    """A letter for every order, and then an hour of waiting."""
    journey("Thanks", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": template("Thanks")},
        {"kind": "wait", "amount": 1, "unit": "hours"},
    ])  # fmt: skip


def buyers(count: int) -> None:
    """So many people with an order each, enrolled and due."""
    for number in range(count):
        order(str(number), line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    route_batch()


def test_reaper_finds_nothing_where_nothing_is_wrong() -> None:
    assert reap() == Reaped(0, 0, 0)


def test_claimed_message_of_a_dead_sender_is_planned_again(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    buyers(2)
    run_due()
    assert len(claim.take(MessageClass.TRANSACTIONAL).messages) == 2  # and the worker dies
    assert reap().messages == 0
    assert send_batch(MessageClass.TRANSACTIONAL) == 0
    clock.travel(LEASE + MINUTE)
    assert reap().messages == 2
    assert set(Message.objects.values_list("state", "token", "lease_until")) == {
        ("planned", None, None)
    }
    run_until_idle()
    assert len(outbox) == 2


@pytest.mark.parametrize("idempotent", [True, False])
def test_message_of_a_sender_that_died_while_handing_over_is_in_doubt(
    clock: FrozenClock, outbox: list[Outgoing], settings: Any, idempotent: bool
) -> None:
    settings.WAGTAIL_TRIGGERS_CHANNELS["email"]["OPTIONS"]["idempotent"] = idempotent
    buyers(1)
    run_due()
    Message.objects.update(
        state="sending", lease_until=clock.read() + LEASE, due_at=None, address="p0@example.com",
        context={"contact": {}, "links": {"unsubscribe": ""}}, attempts=1,
    )  # fmt: skip
    clock.travel(LEASE + MINUTE)
    assert reap().messages == 1
    row = Message.objects.get()
    assert (row.state, row.ambiguous) == ("unknown", 1)
    assert row.due_at == clock.read() + timedelta(seconds=30 if idempotent else 900)
    clock.travel(timedelta(seconds=900))
    run_until_idle()
    row.refresh_from_db()
    assert row.state == "accepted"  # transactional: once more, with the same key


def test_batch_that_nobody_finished_is_tried_again_after_its_lease(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    buyers(3)
    ids = list(Enrolment.objects.values_list("pk", flat=True))
    attempts.announce(BatchAttempt.Kind.RUNS, ids, clock.read())
    assert run_due() == 0
    assert reap().batches == 0
    clock.travel(LEASE + MINUTE)
    assert reap().batches == 1
    assert set(Enrolment.objects.values_list("seq", "tries")) == {(2, 0)}
    assert not BatchAttempt.objects.exists()


def test_contacts_of_an_abandoned_batch_are_routed_after_its_lease(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    order("1", line())
    route_batch()
    order("2", line())
    contact = Enrolment.objects.get().contact_id
    attempts.announce(BatchAttempt.Kind.CONTACTS, [contact], clock.read())
    assert route_batch() == 0
    clock.travel(LEASE + MINUTE)
    assert reap().batches == 1
    assert Enrolment.objects.count() == 2
    assert set(Event.objects.values_list("problem", flat=True)) == {""}


def test_run_whose_step_raises_is_tried_three_times_and_parked(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wagtail_triggers.journeys.steps.send import SendStep

    def raises(self: SendStep, run: Any) -> Any:
        raise ZeroDivisionError("no shop is perfect")

    buyers(1)
    monkeypatch.setattr(SendStep, "decide", raises)
    tries = []
    for _round in range(5):
        run_due()
        row = Enrolment.objects.get()
        tries.append((row.state, row.tries))
        clock.travel(MINUTE)
    assert tries == [("active", 1), ("active", 2), ("parked", 3), ("parked", 3), ("parked", 3)]
    assert row.reason == "ZeroDivisionError: no shop is perfect"
    assert row.wake_at is None


def test_run_that_the_database_refuses_is_found_by_halving_and_charged_alone(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(5)
    guilty = Enrolment.objects.get(key="order:3").pk
    save = DatabaseBatch.save

    def refuses(self: DatabaseBatch, progress: Any, failures: Any) -> None:
        save(self, progress, failures)
        if any(one.enrolment_id == guilty for one in progress):
            raise DataError("value too long")

    monkeypatch.setattr(DatabaseBatch, "save", refuses)
    run_due()
    moved = Enrolment.objects.exclude(pk=guilty)
    assert set(moved.values_list("seq", "tries")) == {(2, 0)}
    row = Enrolment.objects.get(pk=guilty)
    assert (row.seq, row.tries, row.state) == (0, 1, "active")
    assert "DataError: value too long" in row.reason
    for _round in range(5):
        clock.travel(MINUTE)
        run_due()
    row.refresh_from_db()
    assert (row.state, row.seq) == ("parked", 0)
    assert "DataError" in row.reason
    assert not BatchAttempt.objects.exists()


def test_event_whose_routing_raises_is_set_aside_after_three_tries_and_the_next_ones_go_on(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wagtail_triggers.engine.routing import route_event

    def raises(person: Any, event: Any, **more: Any) -> None:
        if more["key"] == "1":
            raise ArithmeticError("a filter of the host's")
        route_event(person, event, **more)

    monkeypatch.setattr(contact_batch, "route_event", raises)
    order("1", line())
    order("2", line())
    order("3", line(), who=Who(user_id=2, email="b@example.com"))
    route_batch()
    assert list(Enrolment.objects.values_list("key", flat=True)) == ["order:3"]
    for _round in range(2):
        route_batch()
    event = Event.objects.get(key="1")
    assert (event.tries, event.problem) == (3, "ArithmeticError: a filter of the host's")
    assert event.routed_at is not None
    assert sorted(Enrolment.objects.values_list("key", flat=True)) == ["order:2", "order:3"]
    assert ADA.email


def test_event_that_the_database_refuses_is_charged_alone(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = contact_batch.ContactBatch.save

    def refuses(self: Any) -> None:
        save(self)
        if any(event.key == "1" for event in self.events):
            raise DataError("value too long")

    monkeypatch.setattr(contact_batch.ContactBatch, "save", refuses)
    for number in range(3):
        order(str(number), line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    route_batch()
    assert sorted(Enrolment.objects.values_list("key", flat=True)) == ["order:0", "order:2"]
    for _round in range(4):
        route_batch()
    event = Event.objects.get(key="1")
    assert event.routed_at is not None
    assert "DataError: value too long" in event.problem


class _Killed(BaseException):
    """What no `except Exception` catches."""


def test_sender_that_dies_in_the_middle_leaves_one_message_in_doubt_not_a_batch(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(10)
    run_due()

    def dies_at_the_fourth(self: MemoryChannel, outgoing: Outgoing) -> Any:
        if len(outbox) == 3:
            raise _Killed
        return send(self, outgoing)

    send = MemoryChannel.send
    monkeypatch.setattr(MemoryChannel, "send", dies_at_the_fourth)
    with pytest.raises(_Killed):
        send_batch(MessageClass.TRANSACTIONAL)
    assert _states() == {"accepted": 3, "sending": 1, "claimed": 6}
    monkeypatch.setattr(MemoryChannel, "send", send)
    clock.travel(LEASE + MINUTE)
    reap()
    assert _states() == {"accepted": 3, "unknown": 1, "planned": 6}
    clock.travel(MINUTE)
    tries = Message.objects.exclude(state="accepted").values_list("state", "tries")
    assert Counter(tries) == {("unknown", 1): 1, ("planned", 0): 6}  # who only waited pays nothing
    run_until_idle()
    assert _states() == {"accepted": 10}
    assert len({letter.idempotency_key for letter in outbox}) == len(outbox) == 10


def test_message_that_only_waited_in_the_hands_of_five_dead_workers_is_sent(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(8)
    run_due()

    def dies(channel: Any, outgoing: Outgoing) -> Any:
        raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(sender, "_send", dies)
        for _death in range(5):
            with pytest.raises(_Killed):
                send_batch(MessageClass.TRANSACTIONAL)
            # Long enough for the leases, too short for those in doubt to be tried again.
            Message.objects.filter(lease_until__isnull=False).update(lease_until=clock.moment)
            clock.travel(timedelta(seconds=1))
            reap()
    tries = Message.objects.values_list("state", "tries")
    assert Counter(tries) == {("unknown", 1): 5, ("planned", 0): 3}
    clock.travel(MINUTE)
    run_until_idle()
    assert _states() == {"accepted": 8}


def test_sender_that_cannot_finish_inside_its_lease_gives_back_what_is_left(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(5)
    run_due()
    monkeypatch.setattr(sender, "_in_time", lambda held, channel: len(outbox) < 2)
    send_batch(MessageClass.TRANSACTIONAL)
    assert _states() == {"accepted": 2, "planned": 3}
    monkeypatch.undo()
    send_batch(MessageClass.TRANSACTIONAL)
    assert _states() == {"accepted": 5}
    assert len(outbox) == 5


@pytest.mark.parametrize(
    ("dies_in", "ends"), [("_prepare", "failed"), ("_hand_over_all", "unknown_parked")]
)
def test_message_that_kills_its_senders_is_set_aside_and_the_others_are_sent(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, dies_in: str,
    ends: str,
) -> None:  # fmt: skip
    buyers(8)
    run_due()
    guilty = Message.objects.get(contact__email="p5@example.com")

    def dies_before(held: Any, messages: Any) -> Any:
        if any(row.pk == guilty.pk for row in messages):
            raise _Killed
        return prepare(held, messages)

    def dies_while(channel: Any, outgoing: Outgoing) -> Any:
        if outgoing.idempotency_key == str(guilty.public_id):
            raise _Killed
        return send(channel, outgoing)

    prepare, send = sender._prepare, sender._send
    if dies_in == "_prepare":
        monkeypatch.setattr(sender, "_prepare", dies_before)
    else:
        monkeypatch.setattr(sender, "_send", dies_while)
    deaths = 0
    for _round in range(12):
        try:
            while send_batch(MessageClass.TRANSACTIONAL):
                pass
        except _Killed:
            deaths += 1
        clock.travel(LEASE + MINUTE)
        reap()
        clock.travel(MINUTE)
    assert deaths == 3
    assert _states() == {"accepted": 7, ends: 1}
    guilty.refresh_from_db()
    assert (guilty.state, guilty.reason) == (
        ends, "The worker died each time it was about to be sent.",
    )  # fmt: skip
    assert len(outbox) == 7


def _states() -> dict[str, int]:
    return dict(Message.objects.values_list("state").annotate(Count("pk")).order_by())
