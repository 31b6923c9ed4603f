"""Providers' reports beside senders and each other."""

from __future__ import annotations

import pytest

from tests.concurrency.parallel import Strand, holding, together
from tests.concurrency.people import letter, people, planned
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.locking import locked
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.channels import memory
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.models import Message, MessageClass, MessageEvent
from wagtail_triggers.messages.report_effects import apply_batch
from wagtail_triggers.messages.reports import Report, record
from wagtail_triggers.messages.sender import send_batch

pytestmark = pytest.mark.django_db(transaction=True)


def delivered(row: Message, number: int = 0) -> Report:
    """A report about it."""
    return Report("delivered", "Relay", event_id=f"{row.pk}-{number}", public_id=str(row.public_id))


def test_apply_a_person_who_is_locked_elsewhere_is_left_and_found_again(
    outbox: list[Outgoing],
) -> None:
    held, free = planned(letter(), people(2))
    Message.objects.update(state=Message.State.UNKNOWN_PARKED, due_at=None, ambiguous=1)
    record([delivered(held), delivered(free)])
    with holding(lambda: list(locked(Contact.objects.filter(pk=held.contact_id)))):
        strand = Strand(apply_batch)
        assert strand.settled() == "done"
        strand.wait()
        states = dict(Message.objects.values_list("pk", "state"))
        assert states == {held.pk: "unknown_parked", free.pk: "accepted"}
    apply_batch()
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    assert Event.objects.filter(source="provider").count() == 2


def test_record_waits_for_nobody_who_holds_the_person_or_the_message(
    outbox: list[Outgoing],
) -> None:
    (row,) = planned(letter(), people(1))

    def hold() -> None:
        list(locked(Contact.objects.all()))
        Message.objects.update(priority=1)

    with holding(hold):
        strand = Strand(lambda: record([delivered(row)]))
        assert strand.settled() == "done"
        strand.wait()
    assert MessageEvent.objects.count() == 1


def test_apply_while_the_message_is_handed_over_wins_over_what_the_sender_does_not_know(
    outbox: list[Outgoing],
) -> None:
    (row,) = planned(letter(), people(1))

    def reported_before_the_answer(_outgoing: Outgoing) -> Outcome:
        record([delivered(row)])
        assert Strand(apply_batch).wait() == 1
        return Outcome(OutcomeKind.AMBIGUOUS, status="delivered", detail="no answer")

    memory.script([reported_before_the_answer])
    send_batch(MessageClass.TRANSACTIONAL)
    row.refresh_from_db()
    assert (row.state, row.ambiguous, row.due_at) == (Message.State.ACCEPTED, 0, None)
    assert send_batch(MessageClass.TRANSACTIONAL) == 0
    assert len(outbox) == 1


def test_record_and_apply_by_many_at_once_make_each_event_once(outbox: list[Outgoing]) -> None:
    rows = planned(letter(), people(30))
    Message.objects.update(state=Message.State.UNKNOWN, due_at=None, ambiguous=1)
    told = [delivered(row, number) for row in rows for number in range(3)]

    def work(order: int) -> int:
        mine = told[order:] + told[:order]
        for start in range(0, len(mine), 9):
            record(mine[start : start + 9])
            apply_batch(limit=20)
        return 0

    together(*(lambda order=order: work(order) for order in (0, 20, 40, 60)))
    while apply_batch():
        pass
    assert MessageEvent.objects.count() == 90
    assert Event.objects.filter(source="provider").count() == 90
    assert not MessageEvent.objects.exclude(due_at=None).exists()
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
