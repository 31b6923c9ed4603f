"""What a message says is true when it leaves: the shop is asked at the last moment."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection

from tests.shop import ADA, cart, journey, line, order, template, topic
from wagtail_triggers.api import Who, subscribe, track
from wagtail_triggers.core import memory_shop
from wagtail_triggers.core import shop as shops
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.shop import CartNow, OrderNow, ProductNow, ShopAdapter
from wagtail_triggers.messages import sender
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.policies.truth import (
    CART_GONE,
    ORDER_CANCELLED,
    SHOP_SILENT,
    SOLD_OUT,
    check,
)
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
BODY = (
    "<p>{% for line in cart.lines %}{{ line.name }}: {{ line.unit_price | money }}; {% endfor %}"
    "Total {{ cart.total | money }}</p>"
)
POT, TEA = line("Teapot", price="42.00"), line("Sencha", quantity=2, price="9.00")


@pytest.fixture(autouse=True)
def _shop(clock: FrozenClock, outbox: list[Outgoing], settings: Any) -> Iterator[None]:
    settings.WAGTAIL_TRIGGERS_SHOP = {"BACKEND": "wagtail_triggers.core.memory_shop.MemoryShop"}
    memory_shop.clear()
    reminder = template("Your cart", BODY, kind=MessageClass.MARKETING, topic=topic("carts"))
    back = template(
        "Back", "<p>{{ event.name }}</p>", kind=MessageClass.MARKETING, topic=topic("carts")
    )
    journey("Carts", [
        {"kind": "entry", "event": "cart_abandoned"}, {"kind": "send", "template": reminder},
    ])  # fmt: skip
    journey("Views", [
        {"kind": "entry", "event": "product_viewed"}, {"kind": "send", "template": back},
    ])  # fmt: skip
    journey("Receipts", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": template("Receipt", "<p>{{ order.number }}</p>")},
    ])  # fmt: skip
    subscribe(ADA, "carts", source="test")
    yield
    memory_shop.clear()


def in_stock(*lines: Mapping[str, Any]) -> None:
    for one in lines:
        memory_shop.products[one["sku"]] = ProductNow(price=one["unit_price"])


def left(clock: FrozenClock, *lines: Mapping[str, Any]) -> None:
    """A cart that was left an hour ago; the shop knows it and its products."""
    cart("12", *lines)
    run_until_idle()
    memory_shop.carts["12"] = CartNow()
    in_stock(*lines)
    clock.travel(HOUR)


def only() -> Message:
    return Message.objects.get()


def test_cart_that_is_as_it_was_is_reminded_of(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    left(clock, POT, TEA)
    run_until_idle()
    assert "Teapot: €42.00; Sencha: €9.00; Total €60.00" in outbox[0].text
    assert memory_shop.questions == [("carts", ("12",)), ("products", ("sencha", "teapot"))]


@pytest.mark.parametrize("now", [None, CartNow("ordered"), CartNow("empty")])
def test_cart_that_is_gone_in_the_shop_is_not_reminded_of(
    clock: FrozenClock, outbox: list[Outgoing], now: CartNow | None
) -> None:
    left(clock, POT)
    if now is None:
        del memory_shop.carts["12"]
    else:
        memory_shop.carts["12"] = now
    run_until_idle()
    assert outbox == []
    assert (only().state, only().reason) == ("cancelled", CART_GONE)


def test_prices_are_those_of_the_shop_and_what_is_sold_out_is_dropped(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    left(clock, POT, TEA)
    memory_shop.products["sencha"] = ProductNow(price={"amount": "7.50", "currency": "EUR"})
    memory_shop.products["teapot"] = ProductNow(available=False)
    run_until_idle()
    assert "Teapot" not in outbox[0].text
    assert "Sencha: €7.50; Total €15.00" in outbox[0].text
    assert only().context["cart"]["total"] == {"amount": "15.00", "currency": "EUR"}


def test_cart_as_the_shop_has_it_now_is_what_is_shown(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    left(clock, POT)
    in_stock(TEA)
    memory_shop.carts["12"] = CartNow(payload={"cart_id": "12", "lines": [TEA]})
    run_until_idle()
    assert "Sencha" in outbox[0].text
    assert "Teapot" not in outbox[0].text


def test_cart_of_which_everything_is_sold_out_is_not_reminded_of(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    left(clock, POT, TEA)
    memory_shop.products.clear()
    run_until_idle()
    assert outbox == []
    assert (only().state, only().reason) == ("cancelled", SOLD_OUT)


def test_product_that_is_sold_out_is_not_written_about(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    track("product_viewed", contact=ADA, payload={"sku": "teapot", "name": "Teapot"})
    run_until_idle()
    assert outbox == []
    assert only().reason == SOLD_OUT


def test_marketing_waits_for_a_silent_shop_and_then_expires(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    left(clock, POT)
    memory_shop.fail(*[ConnectionError("down")] * 10_000)
    run_until_idle()
    assert (only().state, only().reason) == ("planned", SHOP_SILENT)
    assert only().due_at == clock.moment + timedelta(minutes=1)
    clock.travel(23 * HOUR)
    run_until_idle()
    assert only().state == "planned"
    clock.travel(2 * HOUR)
    run_until_idle()
    assert only().state == "expired"
    assert outbox == []


def test_marketing_leaves_once_the_shop_answers_again(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    left(clock, POT)
    memory_shop.fail(ConnectionError("down"))
    run_until_idle()
    assert outbox == []
    clock.travel(timedelta(minutes=1))
    run_until_idle()
    assert len(outbox) == 1


def test_receipt_leaves_although_the_shop_is_silent(outbox: list[Outgoing]) -> None:
    memory_shop.fail(TimeoutError("slow"))
    order("77", POT)
    run_until_idle()
    assert [one.subject for one in outbox] == ["Receipt"]


def test_receipt_of_an_order_that_the_shop_has_cancelled_is_skipped(
    outbox: list[Outgoing],
) -> None:
    memory_shop.orders["77"] = OrderNow("cancelled")
    order("77", POT)
    run_until_idle()
    assert outbox == []
    assert (only().state, only().reason) == ("skipped", ORDER_CANCELLED)


def test_letter_about_a_cancellation_of_which_we_heard_leaves(outbox: list[Outgoing]) -> None:
    sorry = template("Sorry", "<p>{{ order.number }}</p>")
    journey("Sorry", [
        {"kind": "entry", "event": "order_cancelled"}, {"kind": "send", "template": sorry},
    ])  # fmt: skip
    memory_shop.orders["77"] = OrderNow("placed")
    order("77", POT)
    run_until_idle()
    memory_shop.orders["77"] = OrderNow("cancelled")
    track("order_cancelled", contact=ADA, payload={"order_id": "77", "number": "#77"})
    run_until_idle()
    assert [one.subject for one in outbox] == ["Receipt", "Sorry"]


def test_questions_are_asked_once_for_a_batch_and_outside_any_transaction(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        who = Who(user_id=f"u{number}", email=f"u{number}@example.com")
        subscribe(who, "carts", source="test")
        cart(f"c{number}", POT, TEA, who=who)
        memory_shop.carts[f"c{number}"] = CartNow()
    in_stock(POT, TEA)
    run_until_idle()
    depth = len(connection.savepoint_ids)
    seen: list[int] = []
    note = memory_shop._note

    def noted(what: str, ids: Collection[str]) -> None:
        seen.append(len(connection.savepoint_ids))
        note(what, ids)

    monkeypatch.setattr(memory_shop, "_note", noted)
    clock.travel(HOUR)
    run_until_idle()
    assert len(outbox) == 20
    assert [what for what, _ids in memory_shop.questions] == ["carts", "products"]
    assert seen == [depth, depth]


def test_answer_that_has_become_old_is_asked_for_again_before_the_next_leaves(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        who = Who(user_id=f"u{number}", email=f"u{number}@example.com")
        subscribe(who, "carts", source="test")
        cart(f"c{number}", POT, who=who)
        memory_shop.carts[f"c{number}"] = CartNow()
    in_stock(POT)
    run_until_idle()
    clock.travel(HOUR)
    send = sender._send

    def slow(*args: Any) -> Any:
        outcome = send(*args)
        memory_shop.carts.clear()
        monkeypatch.setattr(sender, "MAX_AGE", -1.0 if len(memory_shop.questions) < 3 else 99.0)
        return outcome

    def asked(*args: Any) -> Any:
        found = check(*args)
        monkeypatch.setattr(sender, "MAX_AGE", 99.0)
        return found

    monkeypatch.setattr(sender, "check", asked)
    monkeypatch.setattr(sender, "_send", slow)
    run_until_idle()
    assert len(outbox) == 1
    states = sorted(Message.objects.values_list("state", flat=True))
    assert states == ["accepted", "cancelled", "cancelled"]


class SlowShop(ShopAdapter):
    """Answers after a minute, in a thread of its own."""

    remote: ClassVar[bool] = True

    def carts(self, ids: Collection[str], *, timeout: float) -> Mapping[str, CartNow]:
        """Sleep for as long as a test can stand it."""
        time.sleep(2.0)
        return {one: CartNow() for one in ids}


def test_shop_that_hangs_is_left_alone_after_its_time(
    clock: FrozenClock, outbox: list[Outgoing], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WAGTAIL_TRIGGERS_SHOP = {"BACKEND": "tests.integration.test_truth.SlowShop"}
    monkeypatch.setattr(shops, "TIMEOUT", 0.1)
    left(clock, POT)
    begun = time.monotonic()
    run_until_idle()
    assert time.monotonic() - begun < 2.0
    assert (only().state, only().reason) == ("planned", SHOP_SILENT)
