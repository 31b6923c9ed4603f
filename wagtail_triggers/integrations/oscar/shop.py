"""django-oscar as the shop that is asked just before a message leaves.

::

    WAGTAIL_TRIGGERS_SHOP = {"BACKEND": "wagtail_triggers.integrations.oscar.shop.OscarShop"}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, Final, Literal

from oscar.core.loading import get_model

from ...core.adapting import ORDER_STATES, primary_keys
from ...core.money import money
from ...core.shop import CartNow, OrderNow, ProductNow, ShopAdapter
from .payloads import cart_payload, order_payload
from .words import words

#: The states of a basket in which its owner may still buy it.
_ALIVE: Final = frozenset({"Open", "Saved", "Frozen"})


class OscarShop(ShopAdapter):
    """Looks into Oscar's own tables, in the same database."""

    remote: ClassVar[bool] = False

    def carts(self, ids: Collection[str], *, timeout: float) -> Mapping[str, CartNow]:
        """Baskets by their id; one that was merged is empty, its lines are in another one."""
        baskets = get_model("basket", "Basket").objects.filter(pk__in=primary_keys(ids))
        found = {}
        for basket in baskets:
            payload = cart_payload(basket)
            status: Literal["open", "ordered", "empty"] = "open"
            if basket.status == basket.SUBMITTED:
                status = "ordered"
            elif basket.status not in _ALIVE or not payload.get("lines"):
                status = "empty"
            found[str(basket.pk)] = CartNow(status, payload)
        return found

    def orders(self, ids: Collection[str], *, timeout: float) -> Mapping[str, OrderNow]:
        """Orders by their id."""
        known = words("STATUSES")
        orders = get_model("order", "Order").objects.filter(pk__in=primary_keys(ids))
        return {
            str(order.pk): OrderNow(
                ORDER_STATES.get(known.get(order.status, ""), "placed"), order_payload(order)
            )
            for order in orders.prefetch_related("lines__product")
        }

    def products(self, skus: Collection[str], *, timeout: float) -> Mapping[str, ProductNow]:
        """Articles by the partner's SKU, or by the UPC."""
        records = get_model("partner", "StockRecord").objects.select_related(
            "product__product_class", "product__parent__product_class"
        )
        found: dict[str, ProductNow] = {}
        wanted = list(skus)
        for record in records.filter(partner_sku__in=wanted):
            found[record.partner_sku] = _now(record)
        rest = [sku for sku in wanted if sku not in found]
        for record in records.filter(product__upc__in=rest) if rest else ():
            found[record.product.upc] = _now(record)
        return found


def _now(record: object) -> ProductNow:
    product = record.product  # type: ignore[attr-defined]
    tracked = product.get_product_class().track_stock
    stock = record.net_stock_level  # type: ignore[attr-defined]
    price = money(record.price, record.price_currency)  # type: ignore[attr-defined]
    return ProductNow(bool(product.is_public and (not tracked or stock > 0)), price)
