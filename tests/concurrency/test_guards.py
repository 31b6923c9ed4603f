"""Whoever asked to be left alone, or bought, before the hand-over is not written to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection
from pytest_django import Settings

from tests.concurrency.parallel import PATIENCE, Strand, holding
from tests.concurrency.people import letter, people, planned, site, who
from tests.shop import line, order
from wagtail_triggers.conf import settings as ours
from wagtail_triggers.consent.links import Wanted, tokens_for
from wagtail_triggers.consent.models import LinkToken
from wagtail_triggers.consent.subscriptions import unsubscribe_by_link
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.core.locking import locked
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.messages import sender
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.channels.memory import MemoryChannel
from wagtail_triggers.messages.guards import Guard, guards, verdict
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 200


class TimedChannel(MemoryChannel):
    """Notes, by the database's clock, when each message was moved to `sending`."""

    moved_at: ClassVar[dict[str, datetime]] = {}

    def send(self, outgoing: Outgoing) -> Any:
        """Keep the message and the moment of the guards that let it pass."""
        row = Message.objects.get(public_id=outgoing.idempotency_key)
        assert row.lease_until is not None
        self.moved_at[row.contact.email] = row.lease_until - ours.lease
        return super().send(outgoing)


@pytest.fixture
def timed(outbox: list[Outgoing], settings: Settings) -> dict[str, datetime]:
    """The moments that `TimedChannel` notes, by address."""
    settings.WAGTAIL_TRIGGERS_CHANNELS = {
        "email": {
            "BACKEND": "tests.concurrency.test_guards.TimedChannel",
            "OPTIONS": {"identifier": "email", "idempotent": False},
        }
    }
    TimedChannel.moved_at.clear()
    return TimedChannel.moved_at


def link(row: Contact) -> LinkToken:
    """This person's unsubscribe link."""
    wanted = Wanted(site().pk, "email", None, row.email)
    tokens = tokens_for([wanted], clock.now())
    return LinkToken.objects.get(token=tokens[wanted])


def unsubscribe(row: Contact) -> None:
    """Click the link and press the button."""
    unsubscribe_by_link(link(row), everything=True, source="test")


def _locks_and_guards_at_once(ids: list[int], moment: datetime) -> dict[int, Guard]:
    """One statement fewer: the snapshot is from before the wait for the lock."""
    rows = (
        Message.objects.filter(pk__in=ids)
        .annotate(stop=verdict(moment))
        .select_related("contact")
        .select_for_update(of=("contact",), no_key=True)
    )
    return {row.pk: guards.get(row.stop) for row in rows if row.stop}


def simplify(monkeypatch: pytest.MonkeyPatch, guarded_by: str) -> None:
    """Take a part of the protocol away."""
    if guarded_by != "one round trip":
        monkeypatch.setattr(sender, "cross", lambda *args: None)
    if guarded_by in ("claiming statement", "no lock"):
        monkeypatch.setattr(sender, "_lock_person", lambda message: None)
    if guarded_by == "claiming statement":
        monkeypatch.setattr(sender, "stopped_by", _locks_and_guards_at_once)


@pytest.mark.parametrize(
    ("guarded_by", "meets", "leaves"),
    [
        ("one round trip", "blocked", 0),
        ("step by step", "blocked", 0),
        # So the test sees it when the protocol is simplified away.
        ("claiming statement", "blocked", 1),
        ("no lock", "done", 1),
    ],
)
def test_unsubscribe_that_commits_while_the_sender_waits_stops_the_message(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, guarded_by: str, meets: str,
    leaves: int,
) -> None:  # fmt: skip
    (row,) = people(1)
    planned(letter(marketing=True), [row])
    claimed, go_on = threading.Event(), threading.Event()
    prepare = sender._prepare

    def prepare_and_pause(*args: Any) -> Any:
        claimed.set()
        assert go_on.wait(PATIENCE)
        return prepare(*args)

    monkeypatch.setattr(sender, "_prepare", prepare_and_pause)
    simplify(monkeypatch, guarded_by)
    send = Strand(lambda: send_batch(MessageClass.MARKETING))
    assert claimed.wait(PATIENCE)
    with holding(lambda: unsubscribe(row)):
        go_on.set()
        assert send.settled() == meets
    send.wait()
    assert len(outbox) == leaves
    if not leaves:
        message = Message.objects.get()
        assert message.state == "skipped"
        assert message.reason == "The person unsubscribed from all marketing."


def _without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Take guards away."""
    kept = {name: guard for name, guard in guards.all().items() if name not in names}
    monkeypatch.setattr(guards, "all", lambda: kept)


def race(rows: list[Contact], act: Callable[[Contact], object]) -> dict[str, datetime]:
    """Send to everybody while `act` comes to each in some order; when each act had committed."""
    committed: dict[str, datetime] = {}

    def go_round() -> None:
        while not TimedChannel.moved_at and sends.is_alive():
            time.sleep(0.001)  # let somebody be first, or there is no race
        for row in random.Random(7).sample(rows, len(rows)):
            act(row)
            with connection.cursor() as cursor:
                cursor.execute("SELECT clock_timestamp()")
                committed[row.email] = cursor.fetchone()[0]

    sends = Strand(lambda: drain(lambda: send_batch(MessageClass.MARKETING, 10), seconds=30))
    actor = Strand(go_round)
    sends.wait()
    actor.wait()
    drain(lambda: send_batch(MessageClass.MARKETING), seconds=10)
    return committed


def late(moved_at: dict[str, datetime], committed: dict[str, datetime]) -> list[str]:
    """People whose message passed the guards although their act was committed before."""
    return [email for email, moved in moved_at.items() if committed[email] < moved]


@pytest.mark.parametrize("guarded", [True, False])
def test_unsubscribe_races_the_sender_and_nothing_passes_after_its_commit(
    timed: dict[str, datetime], outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch,
    guarded: bool,
) -> None:  # fmt: skip
    rounds = ROUNDS if guarded else 50
    rows = people(rounds)
    planned(letter(marketing=True), rows)
    if not guarded:
        _without(monkeypatch, "unsubscribed_all", "unsubscribed")
    committed = race(rows, unsubscribe)
    breaches = late(timed, committed)
    print(f"\nunsubscribe vs send: {len(outbox)} of {rounds} sent, {len(breaches)} after commit")
    assert len({letter.address for letter in outbox}) == len(outbox)
    if guarded:
        assert breaches == []
        assert 0 < len(outbox) < rounds  # it was a race, not a walk-over
        skipped = Message.objects.filter(state="skipped").count()
        assert skipped == rounds - len(outbox)
    else:
        assert breaches


@pytest.mark.parametrize("guarded", [True, False])
def test_order_races_the_reminder_and_none_leaves_after_its_commit(
    timed: dict[str, datetime], outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch,
    guarded: bool,
) -> None:  # fmt: skip
    rounds = ROUNDS if guarded else 50
    rows = people(rounds)
    planned(letter(marketing=True), rows)
    if not guarded:
        _without(monkeypatch, "unrouted_events")
    committed = race(rows, lambda row: order(str(row.pk), line(), who=who(row)))
    breaches = late(timed, committed)
    print(f"\norder vs reminder: {len(outbox)} of {rounds} sent, {len(breaches)} after commit")
    if guarded:
        assert breaches == []
        assert 0 < len(outbox) < rounds
    else:
        assert breaches


def test_unsubscribe_whose_lock_is_held_too_long_is_committed_all_the_same(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from wagtail_triggers.consent.models import Suppression
    from wagtail_triggers.core import locking

    (row,) = people(1)
    token = link(row)
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_MS", 100)
    with holding(lambda: list(locking.locked(Contact.objects.filter(pk=row.pk)))):
        unsubscribe_by_link(token, everything=True, source="test")
        assert Suppression.objects.count() == 1
    assert "without the contact's lock" in caplog.text
    planned(letter(marketing=True), [row])
    send_batch(MessageClass.MARKETING)
    assert outbox == []


def test_message_is_held_while_its_person_is_locked_elsewhere(outbox: list[Outgoing]) -> None:
    busy, free = people(2)
    planned(letter(marketing=True), [busy, free])
    with holding(lambda: list(locked(Contact.objects.filter(pk=busy.pk)))):
        assert Strand(lambda: send_batch(MessageClass.MARKETING)).wait() == 1
        assert [one.address for one in outbox] == [free.email]
    assert send_batch(MessageClass.MARKETING) == 1
    assert Message.objects.filter(due_at__lte=clock.now() + timedelta(days=9)).count() == 0
