"""The data that an event carries, made from the shop's own objects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from salesman.basket.models import BaseBasket
from salesman.core.utils import get_salesman_model
from salesman.orders.models import BaseOrder

from .carts import return_path
from .models import ProductPage
from .payments import order_url
from .prices import money


def product_payload(product: ProductPage) -> dict[str, Any]:
    """An article that somebody looked at."""
    return {
        "sku": product.code,
        "name": product.name,
        "url": product.absolute_url,
        "image_url": product.thumbnail_url,
        "price": money(product.price),
    }


def cart_payload(basket: BaseBasket) -> dict[str, Any]:
    """A cart as it stands now; without lines where it has been emptied."""
    lines: list[dict[str, Any]] = []
    total = Decimal(0)
    items = get_salesman_model("BasketItem").objects.filter(basket_id=basket.pk)
    for item in items.prefetch_related("product"):
        product: ProductPage = item.product
        total += product.price * item.quantity
        lines.append(
            {
                "sku": product.code,
                "name": product.name,
                "quantity": item.quantity,
                "unit_price": money(product.price),
                "url": product.absolute_url,
                "image_url": product.thumbnail_url,
            }
        )
    path = reverse("shop:cart") if basket.user_id else return_path(basket)
    return {
        "cart_id": str(basket.pk),
        "lines": lines,
        "total": money(total),
        "url": f"{settings.SHOP_URL}{path}",
    }


def order_payload(order: BaseOrder) -> dict[str, Any]:
    """An order with its items, as they were bought."""
    return {
        "order_id": str(order.pk),
        "number": order.ref,
        "cart_id": (order.extra or {}).get("cart_id", ""),
        "lines": [
            {
                "sku": item.code,
                "name": item.name,
                "quantity": item.quantity,
                "unit_price": money(item.unit_price),
                "url": item.product_data.get("url", ""),
                "image_url": item.product_data.get("image_url", ""),
            }
            for item in order.items.all()
        ],
        "subtotal": money(order.subtotal),
        "shipping": money(order.total - order.subtotal),
        "total": money(order.total),
        "shipping_address": _address(order.shipping_address),
        "url": f"{settings.SHOP_URL}{order_url(order)}",
    }


def _address(written: str) -> dict[str, str]:
    """The lines of an address, as they stand on the parcel."""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    return dict(zip(("name", "line1", "city", "country"), lines, strict=False))
