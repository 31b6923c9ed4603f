"""What the shop tells wagtail_triggers."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.shop.models import Order
from tests.benchmarks.shop.signals import order_placed, seen
from wagtail_triggers.api import Happened, Who, map_signal


@map_signal(order_placed, event="order_placed", sender=Order)
def placed(sender: type[Order], order: Order, **kwargs: Any) -> Happened:
    """An order with its lines, as any shop would map it."""
    customer = order.customer
    return Happened(
        contact=Who(
            user_id=customer.pk,
            email=customer.email,
            first_name=customer.first_name,
            last_name=customer.last_name,
            signed_in=True,
        ),
        key=str(order.pk),
        payload=payload(order),
        dedupe_key=f"order:{order.pk}:placed",
    )


@map_signal(seen, event="page_viewed")
def nothing_of_interest(sender: type[Order], order: Order, **kwargs: Any) -> Happened | None:
    """A signal that means nothing to us."""
    return None


def payload(order: Order) -> dict[str, Any]:
    """The order as the event carries it."""
    return {
        "order_id": str(order.pk),
        "number": order.number,
        "total": _money(order.total),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": _money(line.unit_price),
            }
            for line in order.lines.all()
        ],
    }


def _money(amount: Any) -> dict[str, str]:
    return {"amount": str(amount), "currency": "EUR"}
