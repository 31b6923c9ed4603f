"""Salesman as the shop that is asked just before a message leaves.

::

    WAGTAIL_TRIGGERS_SHOP = {"BACKEND": "wagtail_triggers.integrations.salesman.shop.SalesmanShop"}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from salesman.conf import app_settings
from salesman.core.utils import get_salesman_model

from ...core.adapting import ORDER_STATES, primary_keys
from ...core.money import money
from ...core.shop import CartNow, OrderNow, ProductNow, ShopAdapter
from .configuration import configuration
from .payloads import cart_payload, order_payload, price_of


class SalesmanShop(ShopAdapter):
    """Looks into Salesman's own tables and the host's products, in the same database."""

    remote: ClassVar[bool] = False

    def carts(self, ids: Collection[str], *, timeout: float) -> Mapping[str, CartNow]:
        """Baskets by their id. One that was ordered is deleted, so it is not there any more."""
        baskets = get_salesman_model("Basket").objects.filter(pk__in=primary_keys(ids))
        payloads = {str(basket.pk): cart_payload(basket) for basket in baskets}
        return {
            key: CartNow("open" if payload.get("lines") else "empty", payload)
            for key, payload in payloads.items()
        }

    def orders(self, ids: Collection[str], *, timeout: float) -> Mapping[str, OrderNow]:
        """Orders by their id."""
        statuses = configuration().statuses
        orders = get_salesman_model("Order").objects.filter(pk__in=primary_keys(ids))
        return {
            str(order.pk): OrderNow(
                ORDER_STATES.get(statuses.get(order.status, ""), "placed"), order_payload(order)
            )
            for order in orders.prefetch_related("items")
        }

    def products(self, skus: Collection[str], *, timeout: float) -> Mapping[str, ProductNow]:
        """Products of every registered type by their code; a page is on sale while it is live."""
        currency = configuration().currency
        found: dict[str, ProductNow] = {}
        for label in app_settings.SALESMAN_PRODUCT_TYPES:
            model = app_settings._model(label)
            for product in model._default_manager.filter(code__in=list(skus)):
                on_sale = bool(getattr(product, "live", True))
                found[str(product.code)] = ProductNow(on_sale, money(price_of(product), currency))
        return found
