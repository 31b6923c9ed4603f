"""Pause, resume, try again: what people decide about runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from wagtail.models import Site

from tests.shop import journey, line, order, template, topic
from wagtail_triggers.api import Who
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import holding
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.lifecycle import pause, resume, retry_parked
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outcome, Outgoing
from wagtail_triggers.messages.channels.memory import MemoryChannel
from wagtail_triggers.messages.models import Message, MessageClass, TriggersSettings
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def plan(clock: FrozenClock, outbox: list[Outgoing]) -> Journey:
    """An hour of waiting, then a letter."""
    return journey("Later", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait", "amount": 1, "unit": "hours"},
        {"kind": "send", "template": template("Later")},
    ])  # fmt: skip


def buy(number: int) -> None:
    """Somebody's order."""
    order(str(number), line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    run_until_idle()


def test_paused_journey_moves_nobody_takes_nobody_in_and_lets_everybody_go_on_afterwards(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "CHUNK", 2)
    for number in range(5):
        buy(number)
    wakes = set(Enrolment.objects.values_list("wake_at", flat=True))
    assert pause(plan) == 5
    assert set(Enrolment.objects.values_list("wake_at", flat=True)) == {None}
    assert set(Enrolment.objects.values_list("held_wake_at", flat=True)) == wakes
    clock.travel(2 * HOUR)
    buy(9)
    assert outbox == []
    assert Enrolment.objects.count() == 5
    plan.refresh_from_db()
    assert plan.state == Journey.State.PAUSED
    assert resume(plan) == 5
    run_until_idle()
    assert len(outbox) == 5
    assert set(Enrolment.objects.values_list("state", "held_wake_at")) == {("completed", None)}


def test_paused_journey_holds_messages_that_were_planned_before(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    soft = topic("soft", consent="soft")
    plan = journey("Now", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": template("Now", kind=MessageClass.MARKETING, topic=soft)},
    ])  # fmt: skip
    order("1", line())
    route_batch()
    run_due()
    pause(plan)
    run_until_idle()
    message = Message.objects.get()
    assert (message.state, message.due_at, message.held_due_at) == ("planned", None, clock.read())
    resume(plan)
    run_until_idle()
    assert len(outbox) == 1


def test_parked_run_that_is_tried_again_goes_on_where_it_stood(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    from wagtail_triggers.messages.models import Template

    for number in range(2):
        buy(number)
    Template.objects.update(live=False)
    clock.travel(HOUR)
    run_until_idle()
    parked = Enrolment.objects.filter(state="parked")
    assert set(parked.values_list("node", "wake_at")) == {("n2", None)}
    assert {row.reason for row in parked} == {
        "The template of this step is not published. Publish it and try again."
    }
    assert Message.objects.count() == 0
    Template.objects.update(live=True)
    run_until_idle()
    assert outbox == []  # nobody has asked for it yet
    ids = list(parked.values_list("pk", flat=True))
    assert retry_parked([*ids, 0], clock.read()) == 2
    run_until_idle()
    assert len(outbox) == 2
    assert retry_parked(ids, clock.read()) == 0
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"completed"}


def test_parked_run_of_a_paused_journey_that_is_tried_again_waits_for_the_journey(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    buy(1)
    Enrolment.objects.update(state="parked", wake_at=None, reason="look at me")
    pause(plan)
    clock.travel(HOUR)
    ids = list(Enrolment.objects.values_list("pk", flat=True))
    assert retry_parked(ids, clock.read()) == 1
    row = Enrolment.objects.get()
    assert (row.state, row.wake_at, row.held_wake_at) == ("active", None, clock.read())
    assert row.due_since == clock.read()
    run_until_idle()
    assert outbox == []
    assert resume(plan) == 1
    run_until_idle()
    assert len(outbox) == 1


def test_switch_thrown_in_the_middle_of_a_batch_stops_what_is_left_of_it(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    journey("Now", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": template("Now")},
    ])  # fmt: skip
    for number in range(5):
        order(str(number), line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    route_batch()
    run_due()
    site = Site.objects.get(is_default_site=True)

    def off_after_two(self: MemoryChannel, outgoing: Outgoing) -> Outcome:
        found = send(self, outgoing)
        if len(outbox) == 2:
            TriggersSettings.objects.update_or_create(site=site, defaults={"sending_on": False})
        return found

    send = MemoryChannel.send
    monkeypatch.setattr(MemoryChannel, "send", off_after_two)
    run_until_idle()
    assert len(outbox) == 2
    held = Message.objects.filter(state="planned")
    assert {row.reason for row in held} == {"Sending is switched off for this site."}
    assert set(held.values_list("due_at", "held_due_at")) == {(None, clock.read())}
    assert held.count() == 3
    TriggersSettings.objects.update(sending_on=True)
    run_until_idle()
    assert len(outbox) == 5
