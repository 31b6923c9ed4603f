"""Two contacts become one: what moves, what stays, what ends."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.shop import cart, journey, line, order, template, topic
from wagtail_triggers.api import Who, track
from wagtail_triggers.contacts.merge import merge
from wagtail_triggers.contacts.models import Contact, Identity
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Cart, Event, Order
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

GUEST, CUSTOMER = Who(cookie_id="c-1", email="ada@example.com"), Who(user_id=7)
NOW_KNOWN = Who(user_id=7, cookie_id="c-1", signed_in=True)


@pytest.fixture(autouse=True)
def _world(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    """The clock stands still, and nothing leaves."""


def of(kind: str, value: str) -> Contact:
    """Whoever owns this identity."""
    return Identity.objects.get(kind=kind, value=value).contact


def test_merge_moves_events_carts_orders_runs_and_messages(clock: FrozenClock) -> None:
    key = template("Hello")
    journey("Hello", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": key},
        {"kind": "wait", "amount": 1, "unit": "days"},
    ])  # fmt: skip
    order("1", line(price="10.00"), who=GUEST)
    cart("12", line(), who=GUEST)
    order("2", line(price="5.00"), who=CUSTOMER)
    run_until_idle()
    guest, customer = of("cookie_id", "c-1"), of("user_id", "7")
    assert merge(guest.pk, customer.pk, moment=clock.read()) is True
    customer.refresh_from_db()
    for model in (Event, Cart, Order, Enrolment, Message, Identity):
        assert not model._default_manager.filter(contact_id=guest.pk).exists(), model
    assert (customer.orders_count, customer.spent) == (2, Decimal("15.00"))
    assert customer.email == "ada@example.com"
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"active"}
    clock.travel(timedelta(days=1))
    run_until_idle()
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"completed"}


def test_merge_keeps_what_the_winner_says_of_itself(clock: FrozenClock) -> None:
    row = {"site_id": _site_id(), "created_at": clock.read()}
    early = clock.read() - timedelta(days=9)
    loser = Contact.objects.create(
        **(row | {"created_at": early}), first_name="Guest", email="g@example.com",
        facts={"tier": "a", "size": "m"}, last_seen_at=clock.read(),
    )  # fmt: skip
    winner = Contact.objects.create(**row, first_name="Ada", facts={"tier": "b"})
    merge(loser.pk, winner.pk, moment=clock.read())
    winner.refresh_from_db()
    assert (winner.first_name, winner.email) == ("Ada", "g@example.com")
    assert winner.facts == {"tier": "b", "size": "m"}
    assert (winner.created_at, winner.last_seen_at) == (early, clock.read())
    loser.refresh_from_db()
    assert loser.merged_into_id == winner.pk


def test_merge_of_two_runs_about_one_cart_keeps_the_further_advanced_one(
    clock: FrozenClock,
) -> None:
    letter = template("Reminder", kind=MessageClass.MARKETING, topic=topic())
    journey("Cart", [
        {"kind": "entry", "event": "cart_updated"},
        {"kind": "wait", "amount": 1, "unit": "hours"},
        {"kind": "send", "template": letter},
        {"kind": "wait", "amount": 1, "unit": "hours"},
    ])  # fmt: skip
    cart("12", line(), who=GUEST)
    run_until_idle()
    clock.travel(timedelta(hours=1))
    run_until_idle()
    cart("12", line(), who=CUSTOMER)
    run_until_idle()
    far, near = Enrolment.objects.order_by("-seq")
    route_batch()
    track("page_viewed", contact=NOW_KNOWN, payload={"url": "/"})
    run_until_idle()
    far.refresh_from_db()
    near.refresh_from_db()
    customer = of("user_id", "7")
    assert (far.state, far.contact_id) == ("active", customer.pk)
    assert (near.state, near.reason, near.active_slot) == ("exited", "merged", None)
    assert (near.wake_at, near.contact_id) == (None, customer.pk)
    assert far.seq > near.seq


def test_merge_cancels_the_marketing_of_the_run_that_ends(clock: FrozenClock) -> None:
    letter = template("Reminder", kind=MessageClass.MARKETING, topic=topic())
    plan = journey("Cart", [
        {"kind": "entry", "event": "cart_updated"}, {"kind": "send", "template": letter},
        {"kind": "wait", "amount": 1, "unit": "hours"},
    ])  # fmt: skip
    from wagtail_triggers.engine.database import run_due

    for who in (GUEST, CUSTOMER):
        cart("12", line(), who=who)
        route_batch()
        run_due()
    assert plan.live_version is not None
    guest, customer = of("cookie_id", "c-1"), of("user_id", "7")
    merge(guest.pk, customer.pk, moment=clock.read())
    states = sorted(Message.objects.values_list("state", "reason"))
    assert states == [("cancelled", "merged"), ("planned", "")]
    alive = Enrolment.objects.get(state="active")
    assert Message.objects.get(state="planned").enrolment_id == alive.pk


def test_merge_into_a_contact_that_is_gone_or_elsewhere_does_nothing(clock: FrozenClock) -> None:
    from wagtail.models import Page, Site

    root = Page.objects.get(depth=1).get_children().get()
    other = Site.objects.create(hostname="b.example", root_page=root)
    moment = clock.read()
    first, second, third = (
        Contact.objects.create(site_id=_site_id(), created_at=moment) for _ in range(3)
    )
    abroad = Contact.objects.create(site=other, created_at=moment)
    assert merge(first.pk, abroad.pk, moment=moment) is False
    assert merge(first.pk, first.pk, moment=moment) is False
    assert merge(first.pk, 0, moment=moment) is False
    assert merge(first.pk, second.pk, moment=moment) is True
    assert merge(first.pk, third.pk, moment=moment) is False
    assert merge(third.pk, first.pk, moment=moment) is False


def test_merge_leaves_no_chain(clock: FrozenClock) -> None:
    moment = clock.read()
    first, second, third = (
        Contact.objects.create(site_id=_site_id(), created_at=moment) for _ in range(3)
    )
    merge(first.pk, second.pk, moment=moment)
    merge(second.pk, third.pk, moment=moment)
    first.refresh_from_db()
    assert first.merged_into_id == third.pk


def _site_id() -> int:
    from wagtail_triggers.core.sites import default_site_id

    return default_site_id()
