"""After an outage: the stale expires, what says the same becomes one, the rest leaves slowly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.concurrency.people import people
from tests.integration.campaigns import news, plan, rules, states
from tests.shop import cart, journey, line, template, topic
from wagtail_triggers.api import Who, subscribe
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.carts import abandon_batch
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass, RateBucket
from wagtail_triggers.messages.policies import rate
from wagtail_triggers.messages.policies.collapse import COLLAPSED
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _no_caps(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    rules(weekly=None)


def series() -> None:
    """Three reminders of a cart: after an hour, a day, and three days."""
    news_topic = topic("carts")
    first, second, third = (
        template(subject, kind=MessageClass.MARKETING, topic=news_topic)
        for subject in ("An hour", "A day", "Three days")
    )
    journey("Carts", [
        {"kind": "entry", "event": "cart_abandoned"},
        {"kind": "send", "template": first},
        {"kind": "wait", "amount": 1, "unit": "days"},
        {"kind": "send", "template": second},
        {"kind": "wait", "amount": 2, "unit": "days"},
        {"kind": "send", "template": third},
    ])  # fmt: skip


def shoppers(count: int, carts: int = 1) -> None:
    for number in range(count):
        who = Who(user_id=number, email=f"p{number}@example.com")
        subscribe(who, "carts", source="test")
        for one in range(carts):
            cart(f"{number}-{one}", line(), who=who)
    run_until_idle()


@pytest.mark.parametrize(("hours", "state"), [(23, "accepted"), (48, "expired")])
def test_cart_that_was_abandoned_during_an_outage_is_as_old_as_it_is(
    clock: FrozenClock, outbox: list[Outgoing], hours: int, state: str
) -> None:
    series()
    shoppers(1)
    clock.travel(HOUR + timedelta(hours=hours))  # nobody worked meanwhile
    run_until_idle()
    message = Message.objects.get()
    assert message.state == state
    assert len(outbox) == (state == "accepted")


def test_run_that_was_late_plans_a_message_as_old_as_its_step(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    series()
    shoppers(1)
    clock.travel(HOUR)
    run_until_idle()
    clock.travel(timedelta(days=1, hours=30))  # the second reminder is thirty hours late
    run_until_idle()
    second = Message.objects.order_by("pk")[1]
    assert (second.state, second.due_at, second.planned_at) == ("expired", None, clock.moment)
    assert second.expires_at == clock.moment - 6 * HOUR
    assert len(outbox) == 1


def test_overdue_messages_of_one_journey_become_the_newest(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    series()
    shoppers(3, carts=4)
    clock.travel(HOUR)
    assert (abandon_batch(), route_batch() > 0, run_due() > 0) == (12, True, True)
    clock.travel(2 * HOUR)  # senders were down
    run_until_idle()
    assert len(outbox) == 3
    assert Message.objects.filter(state="cancelled", reason=COLLAPSED).count() == 9
    # A run that was slower than the senders adds nothing to it.
    Message.objects.filter(state="cancelled").update(
        state="planned", due_at=clock.moment - 2 * HOUR, settled_at=None
    )
    run_until_idle()
    assert len(outbox) == 3


def test_reminder_that_still_waits_when_the_next_is_due_is_replaced_by_it(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""))
    (row,) = people(1)
    plan(news("first"), row)
    run_until_idle()
    one = plan(news("one"), row, enrolment_id=5)
    run_until_idle()
    clock.travel(20 * HOUR)
    two = plan(news("two"), row, enrolment_id=5)
    run_until_idle()
    assert states(one, two) == ["cancelled", "deferred"]
    clock.travel(5 * HOUR)
    run_until_idle()
    assert [sent.subject for sent in outbox] == ["first", "two"]


def test_messages_that_one_run_sends_at_once_all_leave(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    (row,) = people(1)
    for name in ("one", "two"):
        plan(news(name), row, enrolment_id=5)
    run_until_idle()
    assert [sent.subject for sent in outbox] == ["one", "two"]


def sent_by_minute(outbox: list[Outgoing], clock: FrozenClock, minutes: int) -> list[int]:
    """How many leave in each of the next minutes, of a tick every five seconds."""
    found = []
    for _minute in range(minutes):
        before = len(outbox)
        for _tick in range(12):
            while send_batch(MessageClass.MARKETING):
                pass
            clock.travel(timedelta(seconds=5))
        found.append(len(outbox) - before)
    return found


def test_what_is_overdue_leaves_under_a_limit_and_what_is_new_does_not_wait_for_it(
    clock: FrozenClock, outbox: list[Outgoing], settings: Any
) -> None:
    settings.WAGTAIL_TRIGGERS_CATCH_UP_RATE = "20/min"
    version = news()
    for row in people(50, "late"):
        plan(version, row, due_at=clock.moment - HOUR)
    for row in people(5, "new"):
        plan(version, row)
    assert send_batch(MessageClass.MARKETING) > 0
    assert {one.address for one in outbox} >= {f"new{n}@example.com" for n in range(5)}
    outbox.clear()
    by_minute = sent_by_minute(outbox, clock, 4)
    assert max(by_minute) <= 20
    assert sum(by_minute) >= 48
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}


def test_without_a_limit_everything_leaves_at_once(
    clock: FrozenClock, outbox: list[Outgoing], settings: Any
) -> None:
    settings.WAGTAIL_TRIGGERS_CATCH_UP_RATE = ""
    version = news()
    for row in people(40):
        plan(version, row, due_at=clock.moment - HOUR)
    run_until_idle()
    assert len(outbox) == 40
    assert not RateBucket.objects.exists()


def test_rate_of_an_account_is_kept_and_receipts_go_first(
    clock: FrozenClock, outbox: list[Outgoing], settings: Any
) -> None:
    from tests.concurrency.people import letter

    settings.WAGTAIL_TRIGGERS_CHANNELS["email"]["RATE"] = "60/min"
    version = news()
    for row in people(100, "bulk"):
        plan(version, row)
    for row in people(8, "buyer"):
        plan(letter("Receipt"), row)
    run_until_idle()
    receipts = [one for one in outbox if one.subject == "Receipt"]
    assert len(receipts) == 8  # they are never held
    assert len(outbox) == 8  # and took what there was
    assert rate.pause(clock.moment) == pytest.approx(60 / 55)
    outbox.clear()
    by_minute = sent_by_minute(outbox, clock, 2)
    assert max(by_minute) <= 60
    assert sum(by_minute) >= 95


def test_account_without_room_takes_no_lock_and_leaves_other_channels_alone(
    clock: FrozenClock, outbox: list[Outgoing], settings: Any
) -> None:
    email = settings.WAGTAIL_TRIGGERS_CHANNELS["email"]
    settings.WAGTAIL_TRIGGERS_CHANNELS = {
        "email": {**email, "RATE": "1/day"},
        "memory": {"BACKEND": email["BACKEND"]},
    }
    version = news()
    rows = people(3)
    mails = [plan(version, row) for row in rows]
    other = plan(version, rows[2], channel="memory")
    run_until_idle()
    assert sorted(states(*mails)) == ["accepted", "planned", "planned"]
    assert states(other) == ["accepted"]
    assert rate.pause(clock.moment) > 3600
