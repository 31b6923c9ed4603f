"""Many workers, one person's last slot: nobody gets more than the cap allows.

`TRIGGERS_CAP_PEOPLE=1000 TRIGGERS_CAP_WORKERS=50` is the full size; CI runs it small.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.concurrency.parallel import PATIENCE, Strand, holding
from tests.concurrency.people import people
from tests.integration.campaigns import news, plan, rules
from wagtail_triggers.consent.models import SendLedger
from wagtail_triggers.contacts import locking
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.core.locking import locked
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.messages import claim
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass, RateBucket
from wagtail_triggers.messages.policies.arbiter import arbitrate
from wagtail_triggers.messages.sender import send_batch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

PEOPLE = int(os.environ.get("TRIGGERS_CAP_PEOPLE", "60"))
WORKERS = int(os.environ.get("TRIGGERS_CAP_WORKERS", "6"))
CAP, EACH = 2, 5


def crowd(count: int) -> list[Contact]:
    """People with more messages than they may get, of several priorities, in no order."""
    rows = people(count)
    version, moment = news(), clock.now() - timedelta(seconds=1)
    Message.objects.bulk_create(
        Message(
            site_id=row.site_id, contact=row, template_version=version, channel="email",
            message_class=version.message_class, topic_id=version.topic_id,
            idempotency_key=f"race:{number}:{row.pk}", due_at=moment, planned_at=moment,
            expires_at=moment + timedelta(days=20), priority=(number * 7) % EACH,
        )
        for number in range(EACH) for row in rows
    )  # fmt: skip
    return rows


def race(workers: int, limit: int) -> None:
    """Let so many senders work at once, each with a connection of its own."""

    def work() -> None:
        drain(lambda: send_batch(MessageClass.MARKETING, limit), seconds=PATIENCE)

    strands = [Strand(work) for _ in range(workers)]
    for strand in strands:
        strand.join(600)
        assert not strand.is_alive()
        if strand.error is not None:
            raise strand.error
    drain(lambda: send_batch(MessageClass.MARKETING), seconds=600)


def test_workers_that_race_for_slots_never_exceed_a_cap_and_the_important_win(
    outbox: list[Outgoing],
) -> None:
    rules((CAP, 1, "days", ""))
    crowd(PEOPLE)
    race(WORKERS, 10)
    received = Counter(letter.address for letter in outbox)
    breaches = sum(count - CAP for count in received.values() if count > CAP)
    sent = Message.objects.filter(state="accepted")
    inversions = sent.exclude(priority__gte=EACH - CAP).count()
    print(f"\ncaps: people={PEOPLE} workers={WORKERS} sent={len(outbox)} breaches={breaches} "
          f"inversions={inversions}")  # fmt: skip
    assert breaches == 0
    assert inversions == 0
    assert set(received.values()) == {CAP}
    assert len(received) == PEOPLE
    assert Message.objects.filter(state="deferred").count() == PEOPLE * (EACH - CAP)
    assert SendLedger.objects.count() == PEOPLE * CAP


def _without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the contacts without locking them: the messages themselves are locked all the same."""

    def plain(rows: object, **options: object) -> object:
        return rows if getattr(rows, "model", None) is Contact else locked(rows, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(locking, "locked", plain)


@pytest.mark.parametrize("with_the_lock", [True, False])
def test_sender_leaves_a_person_alone_whom_another_is_counting(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, with_the_lock: bool
) -> None:
    """Another sender is about to take the last slot; what it has written nobody can see yet."""
    rules((1, 1, "days", ""))
    (ada,) = people(1)
    mine = plan(news("mine"), ada)
    other = plan(news("other"), ada, due_at=None, state="claimed")
    if not with_the_lock:
        _without_the_lock(monkeypatch)

    def takes_the_slot() -> None:
        list(locked(Contact.objects.filter(pk=ada.pk)))
        SendLedger.objects.create(
            site_id=ada.site_id, contact=ada, message=other, channel="email",
            at=clock.now() + timedelta(seconds=90), until=clock.now() + timedelta(seconds=90),
        )  # fmt: skip

    with holding(takes_the_slot):
        meanwhile = Strand(lambda: claim.take(MessageClass.MARKETING)).wait()
    assert len(meanwhile.messages) == (0 if with_the_lock else 1)  # one too many
    assert claim.take(MessageClass.MARKETING).messages == []
    mine.refresh_from_db()
    assert mine.state == ("deferred" if with_the_lock else "claimed")


def test_race_without_the_lock_breaches_caps(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the race above means something: without the lock of the person it is lost."""
    rules((1, 1, "days", ""))
    rows = people(20)
    version = news()
    for row in rows:
        plan(version, row)
        plan(version, row)
    _without_the_lock(monkeypatch)
    # Each sender takes one message of each person, as it would with a claim by message.
    monkeypatch.setattr(claim, "_waiting", _only_candidates)

    own = threading.local()
    monkeypatch.setattr(claim, "_candidates", lambda *args: own.ids)

    def work(number: int) -> None:
        pairs = list(Message.objects.order_by("pk").values_list("pk", "contact_id"))
        own.ids = dict(pairs[number::2])
        send_batch(MessageClass.MARKETING, 40)

    _held_open(monkeypatch)
    strands = [Strand(lambda: work(0)), Strand(lambda: work(1))]
    for strand in strands:
        strand.wait()
    received = Counter(letter.address for letter in outbox)
    assert max(received.values()) == 2


def _only_candidates(
    candidates: dict[int, int], held: claim.Claim, marketing: bool
) -> list[Message]:
    return list(
        locked(
            Message.objects.filter(
                pk__in=candidates, due_at__lte=held.moment, state__in=Message.WAITING
            ).select_related("template_version"),
            of=("self",),
        )
    )


def _held_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both senders count before either commits."""
    both = threading.Barrier(2, timeout=PATIENCE)
    decide = arbitrate

    def together(*args: object, **options: object) -> object:
        ruling = decide(*args, **options)  # type: ignore[arg-type]
        with suppress(threading.BrokenBarrierError):
            both.wait()
        return ruling

    monkeypatch.setattr(claim, "arbitrate", together)


def test_bucket_is_shared_by_workers_and_never_gives_more_than_it_holds(
    outbox: list[Outgoing], settings: Any
) -> None:
    settings.WAGTAIL_TRIGGERS_CHANNELS["email"]["RATE"] = "120/day"
    rules(weekly=None)
    crowd(10)
    race(4, 5)
    bucket = RateBucket.objects.get()
    assert len(outbox) == 9  # a tenth at once, of which a quarter is kept for receipts
    assert bucket.tokens == pytest.approx(3, abs=0.2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM wagtail_triggers_ratebucket")
        assert cursor.fetchone()[0] == 1
