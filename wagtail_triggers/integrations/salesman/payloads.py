"""What events about Salesman's objects carry, in as many queries for one item as for fifty."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from salesman.core.utils import get_salesman_model

from ...core.adapting import absolute, filled
from ...core.money import money
from ...core.visitors import current_request
from .configuration import Configuration, configuration

logger = logging.getLogger("wagtail_triggers.salesman")


def cart_payload(basket: Any) -> dict[str, Any]:
    """A basket as it stands in the database; without lines where it is empty."""
    config = configuration()
    items = get_salesman_model("BasketItem").objects.filter(basket_id=basket.pk)
    lines, total = [], Decimal(0)
    for item in items.order_by("pk").prefetch_related("product"):
        if item.product is None:
            continue  # the host has deleted it; Salesman skips it as well
        price = price_of(item.product)
        total += price * item.quantity
        lines.append(_line(item.product, item.quantity, price, config))
    return filled(
        cart_id=str(basket.pk),
        lines=lines,
        total=money(total, config.currency) if lines else None,
        url=absolute(config.cart_url),
    )


def order_payload(order: Any, *, cart_id: str = "") -> dict[str, Any]:
    """An order with its items, as they were bought."""
    config = configuration()
    items = order.items.order_by("pk").prefetch_related("product")
    url = config.order_url.format(ref=order.ref, token=order.token)
    return filled(
        order_id=str(order.pk),
        number=order.ref,
        cart_id=cart_id,
        lines=[_bought(item, config) for item in items],
        subtotal=money(order.subtotal, config.currency),
        total=money(order.total, config.currency),
        url=absolute(url),
    )


def _bought(item: Any, config: Configuration) -> dict[str, Any]:
    known = dict(item.product_data or {})
    if item.product is not None:
        return _line(item.product, item.quantity, item.unit_price, config)
    return filled(
        sku=str(known.get("code") or item.product_id or "-"),
        name=str(known.get("name") or "-"),
        quantity=item.quantity,
        unit_price=money(item.unit_price, config.currency),
    )


def _line(product: Any, quantity: int, price: Decimal, config: Configuration) -> dict[str, Any]:
    return filled(
        **{
            "sku": str(product.code),
            "name": str(product.name),
            "url": absolute(_url(product)),
            **_more(product, config),
            "quantity": quantity,
            "unit_price": money(price, config.currency),
        }
    )


def _more(product: Any, config: Configuration) -> Mapping[str, Any]:
    return config.product(product) if config.product is not None else {}


def price_of(product: Any) -> Decimal:
    """What the product costs whoever asks now."""
    return Decimal(product.get_price(current_request() or HttpRequest()))


def _url(product: Any) -> str:
    """A Wagtail page says `full_url`, a plain model `get_absolute_url()`, or neither."""
    page = getattr(product, "full_url", None)
    if isinstance(page, str):
        return page
    plain = getattr(product, "get_absolute_url", None)
    return str(plain()) if callable(plain) else ""
