"""How a cart becomes an order: the payment methods of Salesman."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from salesman.basket.models import BaseBasket
from salesman.checkout.payment import PaymentMethod
from salesman.core.utils import get_salesman_model
from salesman.orders.models import BaseOrder

from . import signals, vouchers


@transaction.atomic
def place_order(basket: BaseBasket, request: HttpRequest) -> BaseOrder:
    """Make an order of the basket, announce it, delete the basket. All of it or nothing."""
    # The order must know its cart: that is how a reminder finds out that it is no longer due.
    basket.extra["cart_id"] = str(basket.pk)
    order: BaseOrder = get_salesman_model("Order").objects.create_from_basket(basket, request)
    vouchers.use(basket.extra.get("voucher", ""))
    signals.order_placed.send(type(order), order=order, request=request)
    basket.delete()
    return order


def order_url(order: BaseOrder) -> str:
    """Return the page of an order; its token lets a guest see it."""
    url = reverse("shop:order", args=[order.ref])
    return url if order.user_id else f"{url}?token={order.token}"


class CardPayment(PaymentMethod):
    """A card that is charged nothing: the order is paid at once."""

    identifier = "card"
    label = "Card (a demonstration: nothing is charged)"

    @transaction.atomic
    def basket_payment(self, basket: BaseBasket, request: HttpRequest) -> str:
        order = place_order(basket, request)
        order.pay(amount=order.total, transaction_id=f"demo-{order.ref}", payment_method="card")
        order.status = "PROCESSING"
        order.save(update_fields=["status"])
        return order_url(order)


class InvoicePayment(PaymentMethod):
    """An invoice in the parcel."""

    identifier = "invoice"
    label = "Invoice, within 14 days"

    def basket_payment(self, basket: BaseBasket, request: HttpRequest) -> str:
        return order_url(place_order(basket, request))
