"""A second statement reads again under the lock: nobody's step and nobody's message runs twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.concurrency.parallel import Strand, together
from tests.concurrency.people import enrolled, letter, people, planned
from tests.shop import journey, template
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.locking import locked
from wagtail_triggers.engine.database import DatabaseBatch, DatabaseStore, run_due
from wagtail_triggers.engine.due import due_runs
from wagtail_triggers.engine.models import Enrolment, StepRun
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages import claim, sender
from wagtail_triggers.messages.channels.base import Channel, Outcome, Outgoing, get_channel
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch

pytestmark = pytest.mark.django_db(transaction=True)


def greeting() -> Journey:
    """One message, then the end: two steps."""
    key = template("Hello")
    return journey("Hello", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": key},
    ])  # fmt: skip


def breaches(runs: int) -> dict[str, int]:
    """Steps and messages beyond the one that each run should have."""
    steps = Counter(StepRun.objects.values_list("enrolment_id", "decision"))
    messages = Counter(Message.objects.values_list("enrolment_id", flat=True))
    assert len(messages) == runs
    return {
        "steps": sum(count - 1 for count in steps.values()),
        "messages": sum(count - 1 for count in messages.values()),
    }


def _by_id_alone(
    self: DatabaseStore, candidates: dict[int, int], moment: datetime
) -> tuple[DatabaseBatch, list[int]]:
    """The claim as one would write it first: what was found to be due is taken to be due still."""
    people = Contact.objects.filter(pk__in=set(candidates.values()))
    contacts: Any = {row.pk: row for row in locked(people).order_by("pk")}
    rows: Any = {row.pk: row for row in locked(Enrolment.objects.filter(pk__in=candidates))}
    return DatabaseBatch(moment, rows, contacts, due_runs(rows, contacts, moment)), []


@pytest.mark.parametrize("reads_again", [True, False])
def test_run_that_moved_before_the_lock_was_ours_is_not_moved_again(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, reads_again: bool
) -> None:
    enrolled(greeting(), people(3))
    look: Callable[..., dict[int, int]] = DatabaseStore._candidates
    others: list[int] = []

    def look_and_be_slow(self: DatabaseStore, moment: datetime, limit: int) -> dict[int, int]:
        found = look(self, moment, limit)
        if not others:
            others.append(0)
            others[0] = Strand(run_due).wait()
        return found

    monkeypatch.setattr(DatabaseStore, "_candidates", look_and_be_slow)
    if not reads_again:
        monkeypatch.setattr(DatabaseStore, "_locked", _by_id_alone)
    mine = run_due()
    assert others == [3]
    if reads_again:
        assert mine == 0
        assert breaches(3) == {"steps": 0, "messages": 0}
    else:
        assert breaches(3) != {"steps": 0, "messages": 0}


def test_two_runners_move_each_of_300_runs_once(outbox: list[Outgoing]) -> None:
    enrolled(greeting(), people(300))
    moved = together(*[lambda: drain(lambda: run_due(20), seconds=30)] * 2)
    # Each stops when it finds nothing; what the other had announced at that moment is left.
    drain(run_due, seconds=10)
    assert sum(moved) <= 300
    assert set(Enrolment.objects.values_list("state", "seq")) == {("completed", 2)}
    assert StepRun.objects.count() == 600
    assert breaches(300) == {"steps": 0, "messages": 0}


def test_message_that_another_sender_took_first_is_not_taken_again(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(letter(), people(3))
    look = claim._candidates
    others: list[int] = []

    def look_and_be_slow(*arguments: Any) -> dict[int, int]:
        found = look(*arguments)
        if not others:
            others.append(0)
            others[0] = Strand(lambda: send_batch(MessageClass.TRANSACTIONAL)).wait()
        return found

    monkeypatch.setattr(claim, "_candidates", look_and_be_slow)
    assert send_batch(MessageClass.TRANSACTIONAL) == 0
    assert others == [3]
    assert len(outbox) == 3


def _naive() -> int:
    """What most code does: look, send, mark."""
    channel = get_channel("email")
    rows = list(Message.objects.filter(state=Message.State.PLANNED).order_by("pk"))
    for row in rows:
        if Message.objects.filter(pk=row.pk, state=Message.State.PLANNED).exists():
            channel.send(Outgoing(row.contact.email, "", "", idempotency_key=str(row.public_id)))
            Message.objects.filter(pk=row.pk).update(state=Message.State.ACCEPTED)
    return 0


@pytest.mark.parametrize("naive", [False, True])
def test_two_senders_hand_each_of_100_messages_over_once(
    outbox: list[Outgoing], naive: bool
) -> None:
    planned(letter(), people(100))
    step = _naive if naive else lambda: send_batch(MessageClass.TRANSACTIONAL, 10)
    together(*[lambda: drain(step, seconds=30)] * 2)
    drain(step, seconds=10)
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    copies = Counter(letter.idempotency_key for letter in outbox)
    assert len(copies) == 100
    twice = sum(count - 1 for count in copies.values())
    assert twice > 0 if naive else twice == 0


def test_message_whose_lease_ended_is_settled_by_whoever_holds_it_now(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that stood still comes back: its outcome must not overwrite the new holder's."""
    (row,) = planned(letter(), people(1))

    def sends_slowly(channel: Channel, outgoing: Outgoing) -> Outcome:
        Message.objects.update(lease_until=row.planned_at)
        assert claim.reap() == 1
        Message.objects.update(due_at=row.planned_at)
        return original(channel, outgoing)

    original = sender._send
    monkeypatch.setattr(sender, "_send", sends_slowly)
    send_batch(MessageClass.TRANSACTIONAL)
    row.refresh_from_db()
    assert (row.state, row.ambiguous) == ("unknown", 1)


class _Killed(BaseException):
    """What no `except Exception` catches."""


def test_sender_that_dies_in_the_middle_of_a_batch_leaves_one_message_in_doubt(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one round trip message i is settled and i + 1 moved; the rest was only claimed."""
    planned(letter(), people(10))
    original = sender._send

    def dies_at_the_fourth(channel: Channel, outgoing: Outgoing) -> Outcome:
        if len(outbox) == 3:
            raise _Killed
        return original(channel, outgoing)

    monkeypatch.setattr(sender, "_send", dies_at_the_fourth)
    with pytest.raises(_Killed):
        send_batch(MessageClass.TRANSACTIONAL)
    states = Counter(Message.objects.values_list("state", flat=True))
    assert states == {"accepted": 3, "sending": 1, "claimed": 6}
