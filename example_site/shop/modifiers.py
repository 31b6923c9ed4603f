"""What is added to a cart's sum, and taken off it."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest
from salesman.basket.models import BaseBasket
from salesman.basket.modifiers import BasketModifier

from . import vouchers

DELIVERY = Decimal("4.90")
FREE_FROM = Decimal("49.00")


class VoucherModifier(BasketModifier):
    """Takes the voucher off."""

    identifier = "voucher"

    def process_basket(self, basket: BaseBasket, request: HttpRequest) -> None:
        code = basket.extra.get("voucher", "")
        amount = vouchers.takes_off(code, basket.subtotal)
        if amount:
            self.add_extra_row(basket, request, f"Voucher {code}", -amount)


class DeliveryModifier(BasketModifier):
    """Adds the delivery, free from a certain sum."""

    identifier = "delivery"

    def process_basket(self, basket: BaseBasket, request: HttpRequest) -> None:
        if basket.subtotal:
            is_free = basket.subtotal >= FREE_FROM or vouchers.frees_delivery(
                basket.extra.get("voucher", "")
            )
            amount = Decimal(0) if is_free else DELIVERY
            self.add_extra_row(basket, request, "Delivery", amount)
