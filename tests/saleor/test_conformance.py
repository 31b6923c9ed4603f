"""The script of `testing_shops` through the Saleor adapter: the same events as every shop's."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.saleor.conftest import API_URL, capture, send
from wagtail_triggers.core import clock
from wagtail_triggers.events.models import Event
from wagtail_triggers.integrations.saleor.models import Instance
from wagtail_triggers.testing_shops import CUSTOMER, GOODS, GUEST, ShopDriver, differences, play

ADA = {
    "id": "VXNlcjox",
    "email": CUSTOMER,
    "firstName": "Ada",
    "lastName": "",
    "languageCode": "EN",
}


def gross(amount: float) -> dict[str, Any]:
    return {"gross": {"amount": amount, "currency": "EUR"}}


def variant(sku: str) -> dict[str, Any]:
    name = GOODS[sku][0]
    product = {"id": f"P{sku}", "name": name, "slug": name.lower(), "category": {"slug": "Teas"}}
    return {"id": f"V{sku}", "sku": sku, "name": "Default", "product": product}


class SaleorDriver(ShopDriver):
    """Says what Saleor would send for each action, by our own subscriptions."""

    def __init__(self, client: Client) -> None:
        self.client, self.said = client, 0

    def say(self, kind: str, **body: Any) -> None:
        self.said += 1
        issued = (clock.now() + timedelta(milliseconds=self.said)).isoformat()
        raw = json.dumps({"__typename": kind, "issuedAt": issued, **body}).encode()
        mac = hmac.new(b"lab-secret", raw, hashlib.sha256).hexdigest()
        answer = send(self.client, capture("013"), body=raw, headers={"Saleor-Signature": mac})
        assert answer.json()["outcome"] == "recorded", answer.content

    def recorded(self) -> Sequence[Mapping[str, Any]]:
        rows = Event.objects.order_by("pk").values("name", "who", "key", "payload")
        return [dict(one) for one in rows]

    def register(self) -> None:
        self.say("CustomerCreated", user=ADA)

    def _checkout(self, number: int, person: dict[str, Any], **quantities: int) -> None:
        lines = [
            {
                "id": f"L{sku}",
                "quantity": quantity,
                "unitPrice": gross(float(GOODS[sku][1])),
                "variant": variant(sku),
            }
            for sku, quantity in quantities.items()
        ]
        total = sum(float(GOODS[sku][1]) * quantity for sku, quantity in quantities.items())
        checkout = {"id": f"Q2hlY2tvdXQ6{number}", "lines": lines, "totalPrice": gross(total)}
        self.say("CheckoutUpdated", checkout={**checkout, **person})

    def add_a(self) -> None:
        self._checkout(1, {"user": ADA}, A=2)

    def add_b(self) -> None:
        self._checkout(1, {"user": ADA}, A=2, B=1)

    def change_a(self) -> None:
        self._checkout(1, {"user": ADA}, A=3, B=1)

    def remove_b(self) -> None:
        self._checkout(1, {"user": ADA}, A=3)

    def guest_adds(self) -> None:
        self._checkout(2, {"email": GUEST}, B=1)

    def _order(self, kind: str, number: int, **more: Any) -> None:
        sku, quantity, person = ("A", 3, {"user": ADA}) if number == 1 else ("B", 1, {})
        price = float(GOODS[sku][1])
        line = {
            "id": "OL",
            "productName": GOODS[sku][0],
            "productSku": sku,
            "quantity": quantity,
            "unitPrice": gross(price),
            "variant": variant(sku),
        }
        order = {
            "id": f"T3JkZXI6{number}",
            "number": str(number),
            "checkoutId": f"Q2hlY2tvdXQ6{number}",
            "userEmail": CUSTOMER if number == 1 else GUEST,
            "total": gross(price * quantity),
            "lines": [line],
        }
        self.say(kind, order={**order, **person}, **more)

    def order(self) -> None:
        self._order("OrderCreated", 1)

    def pay(self) -> None:
        # Saleor tells both, one after the other.
        self._order("OrderPaid", 1)
        self._order("OrderFullyPaid", 1)

    def ship(self) -> None:
        self._order("FulfillmentCreated", 1, fulfillment={"id": "F1", "trackingNumber": "0034"})

    def refund(self) -> None:
        self._order("OrderRefunded", 1)

    def guest_orders(self) -> None:
        self._order("OrderCreated", 2)

    def cancel(self) -> None:
        self._order("OrderCancelled", 2)


@pytest.fixture
def storefront(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_SALEOR = {
        **settings.WAGTAIL_TRIGGERS_SALEOR,
        "INSTANCES": {
            API_URL: {
                "WEBHOOK_SECRETS": ["lab-secret"],
                "STOREFRONT": {"PRODUCT": "https://store.example/products/{slug}"},
            }
        },
    }


def test_saleor_tells_the_script_as_every_adapter_must(
    storefront: None, instance: Instance, client: Client
) -> None:
    different, untold = play(SaleorDriver(client))
    assert different == []
    assert untold == [
        "view_product", "search", "check_out", "deliver", "guest_checks_out", "review", "wish",
        "restock", "drop_price",
    ]  # fmt: skip


class Careless(SaleorDriver):
    """An adapter with three faults."""

    def change_a(self) -> None:
        self._checkout(1, {"user": ADA}, A=2, B=1)

    def cancel(self) -> None:
        self._order("OrderRefunded", 2)

    def ship(self) -> None:
        self.say(
            "FulfillmentCreated",
            order={"id": "T3JkZXI6MQ==", "userEmail": GUEST},
            fulfillment={"id": "F1"},
        )


def test_script_finds_the_faults_of_a_careless_adapter(
    storefront: None, instance: Instance, client: Client
) -> None:
    assert differences(Careless(client)) == [
        "change_a: lines.0.quantity is 2, and not 3",
        "change_a: total.amount is '47.00', and not '56.50'",
        f"ship: it is told of {GUEST}, and not of {CUSTOMER}",
        "ship: lines has 0 entries, and not 1",
        "ship: total is None",
        "cancel: order_refunded was told as well",
        "cancel: order_cancelled was told 0 times, and not once",
    ]
