"""Each capture, byte for byte: what it becomes, and that a second copy changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.saleor.conftest import all_captures, capture, send
from wagtail_triggers.events.models import Event
from wagtail_triggers.integrations.saleor.models import Delivery, Instance

CHECKOUT = "Q2hlY2tvdXQ6M2RlNzBlNDQtMzUyMi00NjEwLTkwMzMtNWIxOGQ4NzE2NDky"
ORDER = "T3JkZXI6NDc2NDQyZjctY2YxMS00YmE0LTk3ZjktZjQyNDdlM2QyYThl"
ADA = "buyer-caa9d2@example.com"


def told(client: Client, name: str) -> list[Event]:
    before = set(Event.objects.values_list("pk", flat=True))
    answer = send(client, capture(name))
    assert answer.status_code == 200, answer.content
    return list(Event.objects.exclude(pk__in=before).order_by("pk"))


def as_said(event: Event) -> tuple[str, str, dict[str, Any]]:
    return event.name, event.key, event.payload


@pytest.mark.parametrize("name", all_captures())
def test_capture_is_taken_once(instance: Instance, client: Client, name: str) -> None:
    first = told(client, name)
    assert len(first) <= 1
    assert told(client, name) == []
    assert Delivery.objects.count() == 1


def test_captures_all_together_become_these_events(instance: Instance, client: Client) -> None:
    for name in all_captures():
        send(client, capture(name))
    found = [event.name for event in Event.objects.order_by("pk")]
    assert found == [
        "user_updated", "user_registered", "cart_updated", "cart_updated", "cart_updated",
        "cart_updated", "cart_updated", "order_placed", "order_paid",
    ]  # fmt: skip


def test_captures_in_another_order_become_the_same_events(
    instance: Instance, client: Client
) -> None:
    for name in reversed(all_captures()):
        send(client, capture(name))
    found = sorted(event.name for event in Event.objects.all())
    assert found == [
        "cart_updated", "cart_updated", "cart_updated", "cart_updated", "cart_updated",
        "order_paid", "order_placed", "user_registered", "user_updated",
    ]  # fmt: skip


def test_customer_created_is_a_registration(instance: Instance, client: Client) -> None:
    (event,) = told(client, "002")
    assert event.name == "user_registered"
    assert event.who == {
        "user_id": "VXNlcjo0Ng==", "email": ADA, "first_name": "Ada", "last_name": "Lab",
        "language": "en",
    }  # fmt: skip
    assert event.occurred_at.isoformat() == "2026-11-21T21:16:53.832074+00:00"


def test_checkout_updated_is_a_cart_with_exact_money(instance: Instance, client: Client) -> None:
    (event,) = told(client, "006")
    name, key, payload = as_said(event)
    assert (name, key) == ("cart_updated", CHECKOUT)
    assert payload["total"] == {"amount": "41.99", "currency": "USD"}
    assert [(one["sku"], one["quantity"]) for one in payload["lines"]] == [
        ("UHJvZHVjdFZhcmlhbnQ6Mzg0", 1), ("328223580", 2),
    ]  # fmt: skip
    assert event.who == {"email": ADA}
    assert sorted(event.refs) == [f"cart:{CHECKOUT}", f"checkout:{CHECKOUT}"]


def test_checkout_that_became_an_order_says_nothing(instance: Instance, client: Client) -> None:
    assert told(client, "009-checkout_updated") == []
    assert Delivery.objects.get().detail == "The checkout has become an order."


def test_order_created_carries_its_lines(instance: Instance, client: Client) -> None:
    (event,) = told(client, "013")
    name, key, payload = as_said(event)
    assert (name, key, payload["number"]) == ("order_placed", ORDER, "21")
    first, second = payload["lines"]
    assert (first["sku"], first["name"], first["quantity"], first["category"]) == (
        "UHJvZHVjdFZhcmlhbnQ6Mzg0", "Apple Juice", 1, "juices",
    )  # fmt: skip
    assert second["unit_price"] == {"amount": "20.00", "currency": "USD"}


def test_order_paid_before_it_was_created_is_told_all_the_same(
    instance: Instance, client: Client
) -> None:
    (paid,) = told(client, "014")
    (placed,) = told(client, "013")
    assert (paid.name, paid.key, placed.name, placed.key) == (
        "order_paid", ORDER, "order_placed", ORDER,
    )  # fmt: skip


def test_static_body_is_believed_only_as_far_as_it_is_signed(
    instance: Instance, client: Client
) -> None:
    """Its header says "paid", which nobody signed; its body says that there is an order."""
    (event,) = told(client, "011-order_fully_paid")
    assert (event.name, event.key) == ("order_placed", ORDER)
    assert told(client, "008-order_created") == []  # the same order, in other bytes


def test_shipment_that_names_nobody_is_kept_with_the_fix(
    instance: Instance, client: Client
) -> None:
    assert told(client, "016") == []
    assert Delivery.objects.get().detail == (
        "Nobody is known in this order. Ask for userEmail in the subscription."
    )


def test_anonymous_checkout_is_of_no_interest_yet(instance: Instance, client: Client) -> None:
    assert told(client, "020") == []
    assert Delivery.objects.get().outcome == "ignored"


def test_raw_body_is_kept_as_it_came(instance: Instance, client: Client) -> None:
    send(client, capture("013"))
    assert Delivery.objects.get().body.encode() == capture("013").body
