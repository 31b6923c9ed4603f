"""A channel whose attempts fail is left alone: marketing first, everything if nothing works."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import letter, people, planned
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.health import findings
from wagtail_triggers.messages import sender
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.channels.memory import MemoryChannel
from wagtail_triggers.messages.models import Circuit, Message, MessageClass
from wagtail_triggers.messages.policies.circuit import look, note
from wagtail_triggers.messages.sender import send_batch

pytestmark = pytest.mark.django_db

BULK, FIRST = MessageClass.MARKETING, MessageClass.TRANSACTIONAL


def shut(clock: FrozenClock) -> tuple[bool, bool]:
    """Whether email is closed to marketing, and to what people wait for."""
    return tuple("email" in look(lane, clock.read())[0] for lane in (BULK, FIRST))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("letters", "closed"),
    [
        ("x" * 9, (False, False)),
        ("x" * 10, (True, False)),
        ("." * 40 + "x" * 9, (False, False)),
        ("x" * 10 + "." * 11 + "x", (False, False)),
        ("x." * 10, (True, False)),
        (".x" * 10, (True, False)),
        ("x" * 18, (True, True)),
        ("x" * 20, (True, True)),
    ],
)
def test_half_of_the_last_twenty_stop_marketing_and_nine_in_ten_stop_everything(
    clock: FrozenClock, letters: str, closed: tuple[bool, bool]
) -> None:
    for one in letters:
        note({"email": one}, ["email"])
    assert shut(clock) == closed


def test_stop_is_longer_each_time_and_three_that_work_end_it(clock: FrozenClock) -> None:
    note({"email": "x" * 10}, [])
    waits = []
    for _time in range(6):
        row = Circuit.objects.get()
        assert row.bulk_until is not None
        waits.append((row.bulk_until - clock.read()).total_seconds())
        clock.travel(row.bulk_until - clock.read())
        assert shut(clock)[0] is False  # it is tried again
        note({"email": "x"}, ["email"])
    assert waits == [60, 120, 240, 480, 600, 600]
    note({"email": ".."}, ["email"])
    assert shut(clock) == (True, False)
    note({"email": "."}, ["email"])
    row = Circuit.objects.get()
    assert (row.recent, row.openings, row.bulk_until) == ("", 0, None)


def test_marketing_waits_while_receipts_go_on_and_find_out_when_it_is_over(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    down = True
    tried: list[str] = []
    real = MemoryChannel.send

    def send(self: MemoryChannel, outgoing: Outgoing) -> Outcome:
        tried.append(outgoing.subject)
        return Outcome(OutcomeKind.NEVER_LEFT, detail="down") if down else real(self, outgoing)

    monkeypatch.setattr(MemoryChannel, "send", send)
    monkeypatch.setattr(sender, "GIVE_UP_AFTER", 100)
    planned(letter("News", marketing=True), people(12, "m"))
    planned(letter("Receipt"), people(6, "t"))
    send_batch(BULK)
    assert len(tried) == 12
    later = clock.read() + timedelta(seconds=40)
    Message.objects.update(due_at=clock.read())
    assert send_batch(BULK) == 0
    assert len(tried) == 12  # nothing is tried in vain
    down = False
    assert send_batch(FIRST) == 6
    assert later > clock.read()
    assert send_batch(BULK) == 12
    assert len(outbox) == 18


def test_channels_that_work_cost_one_look_and_no_write(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    planned(letter("Receipt"), people(2))
    with CaptureQueriesContext(connection) as queries:
        send_batch(FIRST)
    about = [one["sql"] for one in queries if "triggers_circuit" in one["sql"]]
    assert len(about) == 1
    assert about[0].startswith("SELECT")
    assert not Circuit.objects.exists()


def test_doctor_names_a_channel_that_pauses(clock: FrozenClock) -> None:
    note({"email": "x" * 10}, [])
    found = {one.topic: one for one in findings(with_broker=False)}
    assert not found["Channels"].ok
    assert "email" in found["Channels"].text
    assert found["Stopped journeys"].ok
