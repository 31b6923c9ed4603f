"""What is true in this shop at this moment: asked in the seconds before a message leaves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from salesman.core.utils import get_salesman_model

from wagtail_triggers.core.shop import CartNow, OrderNow, ProductNow, ShopAdapter

from .models import ProductPage
from .payloads import cart_payload
from .prices import money

#: Salesman's words for what wagtail_triggers wants to know of an order.
STATUS: Mapping[str, str] = {
    "CANCELLED": "cancelled",
    "REFUNDED": "refunded",
    "SHIPPED": "shipped",
    "COMPLETED": "delivered",
}


class TeaShop(ShopAdapter):
    """Looks into the shop's own tables."""

    #: It is the same database: there is nobody to wait for.
    remote: ClassVar[bool] = False

    def carts(self, ids: Collection[str], *, timeout: float) -> Mapping[str, CartNow]:
        """Salesman deletes a basket that became an order, so what is not here is gone."""
        found = get_salesman_model("Basket").objects.filter(pk__in=_numbers(ids))
        payloads = {str(basket.pk): cart_payload(basket) for basket in found}
        return {
            key: CartNow("open" if payload["lines"] else "empty", payload)
            for key, payload in payloads.items()
        }

    def orders(self, ids: Collection[str], *, timeout: float) -> Mapping[str, OrderNow]:
        """The status of orders."""
        rows = get_salesman_model("Order").objects.filter(pk__in=_numbers(ids))
        return {
            str(pk): OrderNow(STATUS.get(status, "placed"))
            for pk, status in rows.values_list("pk", "status")
        }

    def products(self, skus: Collection[str], *, timeout: float) -> Mapping[str, ProductNow]:
        """An article can be bought as long as its page is published."""
        return {
            product.code: ProductNow(
                available=product.live,
                price=money(product.price),
                name=product.name,
                url=product.absolute_url,
                image_url=product.thumbnail_url,
            )
            for product in ProductPage.objects.filter(code__in=skus).select_related("picture")
        }


def _numbers(ids: Collection[str]) -> list[int]:
    return [int(one) for one in ids if one.isdecimal()]
