"""A forgotten cart is remembered: after an hour, a day, three days, and never once it is bought."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.shop import ADA, cart, journey, line, order, template, topic
from wagtail_triggers.api import Who, subscribe, track
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.carts import abandon_batch
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BODY = """<p>{% for line in cart.lines %}{{ line.name }}; {% endfor %}</p>"""


@pytest.fixture
def series(clock: FrozenClock, outbox: list[Outgoing]) -> list[Outgoing]:
    """Chain E7, on a topic that people must have agreed to."""
    news = topic("carts")
    first, second, third = (
        template(subject, BODY, kind=MessageClass.MARKETING, topic=news)
        for subject in ("An hour", "A day", "Three days")
    )
    journey(
        "Abandoned cart",
        [
            {"kind": "entry", "event": "cart_abandoned"},
            {"kind": "send", "template": first},
            {"kind": "wait", "amount": 1, "unit": "days"},
            {"kind": "send", "template": second},
            {"kind": "wait", "amount": 2, "unit": "days"},
            {"kind": "send", "template": third},
        ],
        goals=[{"event": "order_placed", "match": "same_object", "converts": True}],
    )
    subscribe(ADA, "carts", source="test")
    run_until_idle()
    return outbox


def test_cart_left_alone_is_remembered_after_an_hour_a_day_and_three_days(
    series: list[Outgoing], clock: FrozenClock
) -> None:
    cart("12", line())
    run_until_idle()
    assert series == []
    seen: list[tuple[str, int]] = []
    for minutes in (59, 60, 24 * 60 + 59, 25 * 60, 73 * 60 - 1, 73 * 60, 30 * 24 * 60):
        clock.moment = START + timedelta(minutes=minutes)
        run_until_idle()
        while len(seen) < len(series):
            seen.append((series[len(seen)].subject, minutes))
    assert seen == [("An hour", 60), ("A day", 60 + 24 * 60), ("Three days", 60 + 72 * 60)]
    assert "Gong Fu teapot" in series[0].text


def test_cart_touched_again_starts_the_hour_anew(
    series: list[Outgoing], clock: FrozenClock
) -> None:
    cart("12", line())
    run_until_idle()
    clock.travel(timedelta(minutes=59))
    cart("12", line(), line("Sencha"))
    run_until_idle()
    clock.travel(timedelta(minutes=59))
    run_until_idle()
    assert series == []
    clock.travel(timedelta(minutes=1))
    run_until_idle()
    assert [letter.subject for letter in series] == ["An hour"]
    assert "Sencha" in series[0].text


@pytest.mark.parametrize("after", [timedelta(minutes=59), timedelta(minutes=90), DAY + 2 * HOUR])
def test_cart_bought_is_not_remembered_again(
    series: list[Outgoing], clock: FrozenClock, after: timedelta
) -> None:
    cart("12", line())
    run_until_idle()
    while clock.moment < START + after:
        clock.moment = min(clock.moment + timedelta(minutes=30), START + after)
        run_until_idle()
    before = len(series)
    order("77", line(), cart_id="12")
    for _day in range(5):
        run_until_idle()
        clock.travel(DAY)
    assert len(series) == before
    assert not Enrolment.objects.filter(state="active").exists()


def test_cart_bought_a_moment_before_the_send_cancels_the_reminder(
    series: list[Outgoing], clock: FrozenClock
) -> None:
    cart("12", line())
    run_until_idle()
    clock.travel(HOUR)
    assert (abandon_batch(), route_batch(), run_due()) == (1, 1, 1)
    assert Message.objects.get().state == "planned"
    order("77", line(), cart_id="12")  # committed; nobody has routed it
    send_batch(MessageClass.MARKETING)
    assert series == []
    assert Message.objects.get().state == "planned"  # held until the event is looked at
    run_until_idle()
    clock.travel(timedelta(seconds=5))
    run_until_idle()
    message = Message.objects.get()
    assert (message.state, message.reason) == ("cancelled", "order_placed (goal0)")
    assert Enrolment.objects.get().state == "converted"
    assert series == []


def test_cart_emptied_is_forgotten(series: list[Outgoing], clock: FrozenClock) -> None:
    cart("12", line())
    run_until_idle()
    clock.travel(timedelta(minutes=30))
    cart("12")
    for _day in range(5):
        run_until_idle()
        clock.travel(DAY)
    assert series == []
    assert Event.objects.filter(name="cart_abandoned").count() == 0


def test_two_carts_of_one_person_are_remembered_apart(
    series: list[Outgoing], clock: FrozenClock
) -> None:
    cart("12", line("Teapot"))
    cart("13", line("Sencha"))
    run_until_idle()
    clock.travel(HOUR)
    run_until_idle()
    assert sorted(letter.text.split(";")[0].strip() for letter in series) == ["Sencha", "Teapot"]
    order("77", line("Teapot"), cart_id="12")
    run_until_idle()
    clock.travel(DAY)
    run_until_idle()
    assert [letter.subject for letter in series] == ["An hour", "An hour", "A day"]
    assert "Sencha" in series[2].text


def test_guest_cart_without_address_is_silent_until_the_checkout_gives_one(
    series: list[Outgoing], clock: FrozenClock
) -> None:
    guest = Who(cookie_id="c-1")
    cart("12", line(), who=guest)
    for _hour in range(3):
        run_until_idle()
        clock.travel(HOUR)
    assert Event.objects.filter(name="cart_abandoned").count() == 0
    here = Who(cookie_id="c-1", email="grace@example.com", first_name="Grace")
    subscribe(here, "carts", source="checkout")
    track("checkout_started", contact=here, payload={"cart_id": "12"})
    run_until_idle()
    clock.travel(HOUR)
    run_until_idle()
    assert [(letter.address, letter.subject) for letter in series] == [
        ("grace@example.com", "An hour")
    ]


def test_cart_of_a_person_who_did_not_agree_is_not_written_about(
    series: list[Outgoing], clock: FrozenClock
) -> None:
    cart("12", line(), who=Who(user_id=2, email="nobody@example.com"))
    run_until_idle()
    clock.travel(HOUR)
    run_until_idle()
    assert series == []
    message = Message.objects.get()
    assert message.state == "skipped"
    assert message.reason == "The person has not subscribed to this topic."


def test_cart_on_a_soft_topic_is_written_about_until_the_person_objects(
    series: list[Outgoing], clock: FrozenClock
) -> None:
    Topic.objects.update(consent=Topic.Consent.SOFT)
    cart("12", line(), who=Who(user_id=2, email="bob@example.com"))
    run_until_idle()
    clock.travel(HOUR)
    run_until_idle()
    assert [letter.address for letter in series] == ["bob@example.com"]
