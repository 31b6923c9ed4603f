"""Event types: what a payload may hold, and which objects an event knows of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.events.types import CartPayload, Money, event_types, register_event
from wagtail_triggers.exceptions import RegistrationError, UnknownIdentifier


@pytest.mark.parametrize("amount", ["12.50", Decimal("12.50")])
def test_money_is_a_decimal_that_travels_as_a_string(amount: Any) -> None:
    money = Money(amount=amount, currency="EUR")
    assert money.amount == Decimal("12.50")
    assert money.model_dump(mode="json") == {"amount": "12.50", "currency": "EUR"}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"amount": 12.5, "currency": "EUR"}, "A float cannot hold money exactly"),
        ({"amount": "NaN", "currency": "EUR"}, "finite"),
        ({"amount": "1" * 20, "currency": "EUR"}, "digits"),
        ({"amount": "1", "currency": "eur"}, "pattern"),
        ({"amount": "1"}, "currency"),
    ],
)
def test_money_that_is_none_is_refused(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Money.model_validate(given)


def test_payload_takes_numbers_as_references_and_keeps_what_it_does_not_know() -> None:
    payload = CartPayload.model_validate({"cart_id": 12, "coupon": "SPRING"})
    assert payload.model_dump(mode="json")["cart_id"] == "12"
    assert payload.model_dump(mode="json")["coupon"] == "SPRING"


def test_payload_without_its_object_is_refused() -> None:
    with pytest.raises(ValidationError, match="cart_id"):
        CartPayload.model_validate({"lines": []})


@pytest.mark.parametrize(
    ("name", "key", "payload", "refs", "run_key"),
    [
        ("order_placed", "77", {"order_id": "77", "cart_id": "12"},
         ["cart:12", "order:77"], "order:77"),
        ("order_placed", "", {"order_id": "77", "cart_id": ""}, ["order:77"], "order:77"),
        ("cart_updated", "12", {"cart_id": "12", "checkout_id": "5"},
         ["cart:12", "checkout:5"], "cart:12"),
        ("checkout_started", "", {"cart_id": "12", "checkout_id": ""}, ["cart:12"], ""),
        ("user_registered", "", {}, [], ""),
        ("page_viewed", "9", {"url": "/"}, ["page_viewed:9"], "page_viewed:9"),
    ],
)  # fmt: skip
def test_event_knows_every_object_that_it_names(
    name: str, key: str, payload: dict[str, Any], refs: list[str], run_key: str
) -> None:
    kind = event_types.get(name)
    assert kind.refs(key, payload) == refs
    assert kind.run_key(key, payload) == run_key


def test_objects_of_a_type_are_told_from_its_payload() -> None:
    assert event_types.get("order_placed").objects() == {"order", "cart", "checkout"}
    assert event_types.get("product_viewed").objects() == {"product"}
    assert event_types.get("user_registered").objects() == frozenset()


def test_every_word_of_the_field_is_registered_with_a_label() -> None:
    words = {
        "user_registered", "user_updated", "subscribed", "unsubscribed", "page_viewed",
        "product_viewed", "search_performed", "cart_updated", "cart_abandoned", "checkout_started",
        "order_placed", "order_paid", "order_shipped", "order_delivered", "order_cancelled",
        "order_refunded", "review_posted", "wishlist_updated", "product_back_in_stock",
        "price_dropped", "message_delivered", "message_opened", "message_clicked",
        "message_bounced", "message_complained",
    }  # fmt: skip
    assert words <= set(event_types.all())
    assert all(str(kind.label) for kind in event_types.all().values())


def test_unknown_type_suggests_the_nearest() -> None:
    with pytest.raises(UnknownIdentifier, match="Did you mean 'order_placed'"):
        event_types.get("order_place")


def test_type_registered_after_start_is_refused_with_the_place_for_it() -> None:
    with pytest.raises(RegistrationError, match=r"`triggers\.py`"):
        register_event("quiz_finished", label="Quiz")(CartPayload)
