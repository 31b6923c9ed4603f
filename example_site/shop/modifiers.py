"""What is added to a cart's sum, and taken off it."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest
from salesman.basket.models import BaseBasket
from salesman.basket.modifiers import BasketModifier

#: Codes and what they take off.
VOUCHERS = {"WARMCUP10": Decimal("0.10")}
DELIVERY = Decimal("4.90")
FREE_FROM = Decimal("49.00")


def discount(code: str) -> Decimal | None:
    """Return the share that a voucher takes off, or None where there is no such voucher."""
    return VOUCHERS.get(code.strip().upper())


class VoucherModifier(BasketModifier):
    """Takes the voucher off."""

    identifier = "voucher"

    def process_basket(self, basket: BaseBasket, request: HttpRequest) -> None:
        code = basket.extra.get("voucher", "")
        share = discount(code)
        if share and basket.subtotal:
            amount = -(basket.subtotal * share).quantize(Decimal("0.01"))
            self.add_extra_row(basket, request, f"Voucher {code}", amount)


class DeliveryModifier(BasketModifier):
    """Adds the delivery, free from a certain sum."""

    identifier = "delivery"

    def process_basket(self, basket: BaseBasket, request: HttpRequest) -> None:
        if basket.subtotal:
            amount = Decimal(0) if basket.subtotal >= FREE_FROM else DELIVERY
            self.add_extra_row(basket, request, "Delivery", amount)
