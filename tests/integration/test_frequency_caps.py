"""How often a person is written to: what is over it waits, competes again, and is never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import letter, people
from tests.integration.campaigns import news, plan, rules, states
from wagtail_triggers.consent.models import SendLedger
from wagtail_triggers.contacts.merge import merge
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.messages import ledger, sender
from wagtail_triggers.messages.channels import memory
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.claim import reap, take
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.policies.arbiter import CAP_TOO_LATE, OVER_CAP
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

LEASE, DAY, WEEK = timedelta(seconds=90), timedelta(days=1), timedelta(days=7)


@pytest.fixture
def ada(clock: FrozenClock, outbox: list[Outgoing]) -> Contact:
    """Somebody to write to."""
    (row,) = people(1)
    return row


def test_message_over_the_cap_waits_until_the_first_moment_at_which_it_fits(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    first, second = plan(news("A"), ada), plan(news("B"), ada)
    run_until_idle()
    assert [one.subject for one in outbox] == ["A"]
    second.refresh_from_db()
    assert (second.state, second.reason) == ("deferred", OVER_CAP)
    assert second.due_at == clock.moment + LEASE + DAY
    clock.travel(LEASE + DAY - timedelta(seconds=1))
    run_until_idle()
    assert len(outbox) == 1
    clock.travel(timedelta(seconds=1))
    run_until_idle()
    assert [one.subject for one in outbox] == ["A", "B"]
    assert states(first, second) == ["accepted", "accepted"]


def test_site_that_set_nothing_sends_three_in_a_week(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    version = news()
    for _number in range(5):
        plan(version, ada)
    run_until_idle()
    assert len(outbox) == 3
    clock.travel(WEEK + LEASE)
    run_until_idle()
    assert len(outbox) == 5


def test_cap_of_none_lets_everything_through(ada: Contact, outbox: list[Outgoing]) -> None:
    rules(weekly=None)
    version = news()
    for _number in range(9):
        plan(version, ada)
    run_until_idle()
    assert len(outbox) == 9


def test_message_for_which_it_would_be_too_late_expires_with_its_reason(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    plan(news("A"), ada)
    run_until_idle()
    late = plan(news("B"), ada, worth=timedelta(hours=20))
    run_until_idle()
    late.refresh_from_db()
    assert (late.state, late.reason) == ("expired", CAP_TOO_LATE)
    assert late.settled_at == clock.moment
    assert len(outbox) == 1


def test_slot_that_becomes_free_goes_to_the_most_important_of_the_person_not_of_the_batch(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    version = news("first")
    plan(version, ada)
    run_until_idle()
    clock.travel(timedelta(hours=1))
    plan(news("low"), ada, priority=1)
    plan(news("high"), ada, priority=9)
    plan(news("middle"), ada, priority=5)
    run_until_idle()
    clock.travel(DAY)
    # The batch has room for one, and the one that is due first is the least important.
    newest = plan(news("newest"), ada, priority=2, due_at=clock.moment - DAY)
    assert send_batch(MessageClass.MARKETING, 1) > 0
    assert [one.subject for one in outbox] == ["first", "high"]
    assert states(newest) == ["deferred"]
    for _day in range(4):
        clock.travel(DAY + LEASE)
        run_until_idle()
    assert [one.subject for one in outbox] == ["first", "high", "middle", "newest", "low"]


def test_equally_important_messages_leave_in_the_order_of_their_age(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    for name in ("A", "B", "C"):
        plan(news(name), ada)
        clock.travel(timedelta(minutes=1))
    for _day in range(3):
        run_until_idle()
        clock.travel(DAY + LEASE)
    assert [one.subject for one in outbox] == ["A", "B", "C"]


def test_transactional_messages_neither_wait_nor_count(
    ada: Contact, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""), quiet=[("00:00", "23:59", "")])
    receipts = [plan(letter(f"Receipt {number}"), ada) for number in range(5)]
    run_until_idle()
    assert len(outbox) == 5
    assert states(*receipts) == ["accepted"] * 5
    assert not SendLedger.objects.exists()


def test_cap_of_a_channel_leaves_the_others_alone(
    ada: Contact, outbox: list[Outgoing], settings: Any
) -> None:
    rules((1, 1, "days", "sms"))
    version = news()
    for _number in range(3):
        plan(version, ada)
    run_until_idle()
    assert len(outbox) == 3


REFUSED = Outcome(OutcomeKind.REFUSED, detail="550 no such user")
NEVER_LEFT = Outcome(OutcomeKind.NEVER_LEFT, detail="DNS")


def test_slot_of_a_message_that_was_refused_goes_to_the_next_at_once(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    first, second = plan(news("A"), ada), plan(news("B"), ada)
    memory.script([REFUSED])
    run_until_idle()
    assert states(first, second) == ["failed", "accepted"]
    assert [one.subject for one in outbox] == ["B"]


def test_slot_of_a_cancelled_message_goes_to_the_next(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    first, second = plan(news("A"), ada, enrolment_id=77), plan(news("B"), ada)
    assert len(take(MessageClass.MARKETING).messages) == 1
    assert states(first, second) == ["claimed", "deferred"]
    assert ledger.cancel([77], "goal", clock.moment) == 1
    run_until_idle()
    assert states(first, second) == ["cancelled", "accepted"]


def test_message_to_be_tried_again_keeps_its_slot_unless_a_better_one_comes(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    first = plan(news("A"), ada, priority=5)
    memory.script([NEVER_LEFT])
    send_batch(MessageClass.MARKETING)
    assert states(first) == ["retry_at"]
    lesser = plan(news("B"), ada, priority=1)
    run_until_idle()
    assert states(first, lesser) == ["retry_at", "deferred"]
    better = plan(news("C"), ada, priority=9)
    run_until_idle()
    assert states(first, lesser, better) == ["deferred", "deferred", "accepted"]


def test_unknown_outcome_counts_and_goes_on_counting_when_it_is_parked(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing], settings: Any
) -> None:
    settings.WAGTAIL_TRIGGERS_CHANNELS["email"]["OPTIONS"]["idempotent"] = False
    rules((1, 1, "days", ""))
    first = plan(news("A"), ada)
    memory.script([Outcome(OutcomeKind.AMBIGUOUS, detail="timeout")])
    run_until_idle()
    second = plan(news("B"), ada)
    run_until_idle()
    assert states(first, second) == ["unknown", "deferred"]
    clock.travel(timedelta(minutes=16))
    run_until_idle()
    assert states(first, second) == ["unknown_parked", "deferred"]
    clock.travel(DAY)
    run_until_idle()
    assert states(first, second) == ["unknown_parked", "accepted"]


def test_reservation_is_one_row_however_often_it_is_claimed(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    message = plan(news(), ada)
    take(MessageClass.MARKETING)
    assert SendLedger.objects.get().at == clock.moment + LEASE
    clock.travel(LEASE + timedelta(minutes=1))
    assert reap() == 1
    take(MessageClass.MARKETING)
    row = SendLedger.objects.get()
    assert (row.message_id, row.at) == (message.pk, clock.moment + LEASE)


def test_permit_that_is_over_does_not_let_a_claimed_message_leave(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that stood still between its claim and its hand-over."""
    rules((1, 1, "days", ""))
    message = plan(news(), ada)
    prepare = sender._prepare

    def slowly(*args: object) -> object:
        clock.travel(LEASE)
        return prepare(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sender, "_prepare", slowly)
    send_batch(MessageClass.MARKETING)
    assert outbox == []
    assert states(message) == ["planned"]


def test_merged_people_are_counted_together(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    loser, winner = people(2)
    rules((2, 1, "days", ""))
    for row in (loser, winner):
        plan(news(), row)
    run_until_idle()
    assert merge(loser.pk, winner.pk, moment=clock.moment)
    third = plan(news(), winner)
    run_until_idle()
    assert len(outbox) == 2
    assert states(third) == ["deferred"]


def test_merge_between_claim_and_hand_over_is_counted_before_either_leaves(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    loser, winner = people(2)
    rules((1, 1, "days", ""))
    for row in (loser, winner):
        plan(news(), row)
    prepare = sender._prepare

    def meanwhile(*args: object) -> object:
        merge(loser.pk, winner.pk, moment=clock.moment)
        return prepare(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sender, "_prepare", meanwhile)
    send_batch(MessageClass.MARKETING)
    run_until_idle()
    assert len(outbox) == 1
    assert sorted(Message.objects.values_list("state", flat=True)) == ["accepted", "deferred"]


def counted(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len([one for one in queries if "SAVEPOINT" not in one["sql"]])


def test_queries_of_a_claim_do_not_grow_with_people_messages_or_what_waits(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""), (5, 1, "weeks", "email"), quiet=[("01:00", "02:00", "")])
    version = news()

    def batch(prefix: str, count: int) -> int:
        for row in people(count, prefix):
            for priority in range(3):
                plan(version, row, priority=priority)
        return counted(lambda: take(MessageClass.MARKETING, 3 * count))

    batch("warm", 2)
    few, many = batch("few", 3), batch("many", 16)
    assert few == many
    assert many <= 30


def test_message_that_may_have_killed_a_worker_goes_alone_among_those_that_compete(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules(weekly=None)
    version = news()
    healthy = [plan(version, row) for row in (ada, *people(3, "q"))]
    suspect = plan(version, ada, tries=1)
    Message.objects.filter(pk=suspect.pk).update(due_at=clock.moment - timedelta(seconds=1))
    claimed = take(MessageClass.MARKETING).messages
    assert [message.pk for message in claimed] == [suspect.pk]
    assert states(*healthy) == ["planned"] * 4
    run_until_idle()
    assert states(*healthy) == ["accepted"] * 4
