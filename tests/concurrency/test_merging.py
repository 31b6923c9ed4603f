"""Two contacts become one while workers are at it: their runs and messages follow, once."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from tests.concurrency.parallel import PATIENCE, Strand, holding, together
from tests.concurrency.people import enrolled, letter, people, planned, who
from tests.shop import journey, line, order, template
from wagtail_triggers.contacts.identify import resolve
from wagtail_triggers.contacts.merge import merge
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.core.locking import locked
from wagtail_triggers.engine import router
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import BatchAttempt, Enrolment, StepRun
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages import sender
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db(transaction=True)


def greeting() -> Journey:
    """One message for every order."""
    return journey("Hello", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": template("Hello")},
    ])  # fmt: skip


def test_merge_while_runs_move_loses_no_run_and_moves_none_twice(outbox: list[Outgoing]) -> None:
    rows = people(80)
    enrolled(greeting(), rows)
    losers, winners = rows[:40], rows[40:]

    def merge_all() -> int:
        pairs = zip(losers, winners, strict=True)
        return sum(merge(one.pk, other.pk, moment=clock.now()) for one, other in pairs)

    merged, *_moved = together(
        merge_all,
        lambda: drain(lambda: run_due(7), seconds=20),
        lambda: drain(lambda: send_batch(MessageClass.TRANSACTIONAL, 7), seconds=20),
    )
    run_until_idle()
    assert merged == 40
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"completed"}
    assert StepRun.objects.count() == 160
    assert set(Enrolment.objects.values_list("contact_id", flat=True)) == {
        row.pk for row in winners
    }
    assert len(outbox) == 80
    assert set(Counter(one.idempotency_key for one in outbox).values()) == {1}
    assert not BatchAttempt.objects.exists()


def test_two_merges_of_the_same_pair_crosswise_make_one(outbox: list[Outgoing]) -> None:
    first, second = people(2)
    fates = together(
        lambda: merge(first.pk, second.pk, moment=clock.now()),
        lambda: merge(second.pk, first.pk, moment=clock.now()),
    )
    assert sorted(fates) == [False, True]
    assert Contact.objects.filter(merged_into=None).count() == 1


@pytest.mark.parametrize("reads_again", [True, False])
def test_event_resolved_just_before_a_merge_is_routed_for_the_winner(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, reads_again: bool
) -> None:
    greeting()
    loser, winner = people(2)
    order("1", line(), who=who(loser))
    # It was told before anything was known of the person. Where the hint is there, the merge
    # waits for the row.
    Event.objects.update(contact=None)

    def look_up_and_be_slow(descriptions: Any, moment: datetime) -> dict[int, int]:
        found = resolve(descriptions, moment)
        Strand(lambda: merge(loser.pk, winner.pk, moment=moment)).wait()
        return found

    monkeypatch.setattr(router, "resolve", look_up_and_be_slow)
    if not reads_again:
        monkeypatch.setattr(router, "_still_themselves", lambda contacts: contacts)
    route_batch()
    route_batch()
    assert Event.objects.get().contact_id == (winner.pk if reads_again else loser.pk)
    assert Enrolment.objects.get().contact_id == (winner.pk if reads_again else loser.pk)


def test_sender_locks_whom_the_message_is_for_now(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    loser, winner = people(2)
    planned(letter(), [loser])
    claimed, go_on = threading.Event(), threading.Event()
    prepare = sender._prepare

    def prepare_and_pause(*args: Any) -> Any:
        claimed.set()
        assert go_on.wait(PATIENCE)
        return prepare(*args)

    monkeypatch.setattr(sender, "_prepare", prepare_and_pause)
    send = Strand(lambda: send_batch(MessageClass.TRANSACTIONAL))
    assert claimed.wait(PATIENCE)
    assert merge(loser.pk, winner.pk, moment=clock.now())
    with holding(lambda: list(locked(Contact.objects.filter(pk=winner.pk)))):
        go_on.set()
        assert send.settled() == "blocked"
        assert outbox == []
    send.wait()
    assert len(outbox) == 1
    assert Message.objects.get().contact_id == winner.pk


def test_routers_that_share_the_queue_make_every_merge(outbox: list[Outgoing]) -> None:
    """A router that is left another one's remains has looked at other events than it locks."""
    from wagtail_triggers.api import Who, track

    page = {"url": "/"}
    for number in range(12):
        track("page_viewed", contact=Who(user_id=number), payload=page)
        track("page_viewed", contact=Who(cookie_id=f"c{number}"), payload=page)
    drain(route_batch, seconds=20)
    for number in range(12):
        who_ = Who(user_id=number, cookie_id=f"c{number}", signed_in=True)
        track("page_viewed", contact=who_, payload=page)
    first_four = Event.objects.filter(routed_at=None).order_by("pk")[:4]
    ids = list(first_four.values_list("pk", flat=True))
    with holding(lambda: list(locked(Event.objects.filter(pk__in=ids)))):
        Strand(lambda: route_batch(8)).wait()
    drain(lambda: route_batch(8), seconds=20)
    assert Contact.objects.filter(merged_into__isnull=False).count() == 12
    assert Contact.objects.filter(merged_into=None).count() == 12
