"""What happens in this shop, told to wagtail_triggers.

Django finds this file by its name in every installed app. Each function listens to one signal of
the shop and answers with what has happened, or with None where nothing has that matters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest
from salesman.basket.models import BaseBasket, BaseBasketItem
from salesman.core.utils import get_salesman_model
from salesman.orders.models import BaseOrder
from salesman.orders.signals import status_changed

from wagtail_triggers.api import Happened, Who, map_signal, register_recipes

from . import signals
from .models import ProductPage
from .payloads import cart_payload, order_payload, product_payload
from .visitors import visitor_of

# What this shop can start from, beside the recipes that wagtail_triggers brings.
register_recipes("shop", Path(__file__).parent / "recipes")

Basket = get_salesman_model("Basket")
BasketItem = get_salesman_model("BasketItem")
Order = get_salesman_model("Order")


def who_asks(request: HttpRequest) -> Who:
    """The person behind a request: the customer who is signed in, else a cookie of our own."""
    if request.user.is_authenticated:
        return Who.of_user(request.user, cookie_id=visitor_of(request), signed_in=True)
    return Who(cookie_id=visitor_of(request))


def whose_cart(basket: BaseBasket) -> Who:
    """The person behind a cart. Guests are known by a cookie until the checkout has an address."""
    extra = basket.extra
    visitor = extra.get("visitor", "")
    if basket.user is not None:
        return Who.of_user(basket.user, cookie_id=visitor, signed_in=True)
    return _guest(visitor, extra.get("email", ""), extra)


def whose_order(order: BaseOrder, *, signed_in: bool = False) -> Who:
    """The person behind an order. What staff do to it later says nothing about a cookie."""
    extra = order.extra or {}
    visitor = extra.get("visitor", "") if signed_in or order.user is None else ""
    if order.user is not None:
        return Who.of_user(order.user, cookie_id=visitor, signed_in=signed_in)
    return _guest(visitor, order.email, extra)


def _guest(visitor: str, email: str, extra: dict[str, Any]) -> Who:
    """Somebody without an account, as the checkout knows them."""
    return Who(
        cookie_id=visitor,
        email=email,
        first_name=extra.get("first_name", ""),
        last_name=extra.get("last_name", ""),
    )


@map_signal(signals.customer_registered, event="user_registered")
def user_registered(sender: Any, user: Any, request: HttpRequest, **kwargs: Any) -> Happened:
    return Happened(contact=who_asks(request), dedupe_key=f"user:{user.pk}:registered")


@map_signal(signals.product_viewed, event="product_viewed")
def product_viewed(
    sender: Any, product: ProductPage, request: HttpRequest, **kwargs: Any
) -> Happened:
    return Happened(contact=who_asks(request), key=product.code, payload=product_payload(product))


@map_signal(signals.searched, event="search_performed")
def search_performed(
    sender: Any, query: str, results: int, request: HttpRequest, **kwargs: Any
) -> Happened:
    return Happened(contact=who_asks(request), payload={"query": query, "results": results})


@map_signal(post_save, event="cart_updated", sender=BasketItem)
def cart_changed(sender: Any, instance: BaseBasketItem, **kwargs: Any) -> Happened:
    return _cart(instance.basket)


@map_signal(post_delete, event="cart_updated", sender=BasketItem)
def cart_line_removed(sender: Any, instance: BaseBasketItem, **kwargs: Any) -> Happened | None:
    origin = kwargs["origin"]
    if getattr(origin, "model", type(origin)) is not BasketItem:
        # The whole cart goes, and its lines with it: `cart_gone` tells what that means.
        return None
    return _cart(instance.basket)


@map_signal(post_delete, event="cart_updated", sender=Basket)
def cart_gone(sender: Any, instance: BaseBasket, **kwargs: Any) -> Happened | None:
    # Salesman deletes the cart when it has become an order, and that is no emptied cart.
    if Order.objects.filter(_extra__cart_id=instance.extra.get("cart_id", "-")).exists():
        return None
    return _cart(instance)


def _cart(basket: BaseBasket) -> Happened:
    payload = cart_payload(basket)
    return Happened(contact=whose_cart(basket), key=payload["cart_id"], payload=payload)


@map_signal(signals.checkout_started, event="checkout_started")
def checkout_started(
    sender: Any, basket: BaseBasket, request: HttpRequest, **kwargs: Any
) -> Happened:
    return Happened(contact=whose_cart(basket), payload=cart_payload(basket))


@map_signal(signals.order_placed, event="order_placed")
def order_placed(sender: Any, order: BaseOrder, **kwargs: Any) -> Happened:
    return _order(order, "placed", signed_in=order.user is not None)


@map_signal(status_changed, event="order_shipped", sender=Order)
def order_shipped(sender: Any, order: BaseOrder, new_status: str, **kwargs: Any) -> Happened | None:
    return _order(order, "shipped") if new_status == "SHIPPED" else None


@map_signal(status_changed, event="order_delivered", sender=Order)
def order_delivered(
    sender: Any, order: BaseOrder, new_status: str, **kwargs: Any
) -> Happened | None:
    return _order(order, "delivered") if new_status == "COMPLETED" else None


@map_signal(status_changed, event="order_cancelled", sender=Order)
def order_cancelled(
    sender: Any, order: BaseOrder, new_status: str, **kwargs: Any
) -> Happened | None:
    return _order(order, "cancelled") if new_status == "CANCELLED" else None


@map_signal(status_changed, event="order_refunded", sender=Order)
def order_refunded(
    sender: Any, order: BaseOrder, new_status: str, **kwargs: Any
) -> Happened | None:
    return _order(order, "refunded") if new_status == "REFUNDED" else None


def _order(order: BaseOrder, what: str, *, signed_in: bool = False) -> Happened:
    return Happened(
        contact=whose_order(order, signed_in=signed_in),
        key=str(order.pk),
        payload=order_payload(order),
        # Salesman sends a status again at every later save of the same object: this counts it once.
        dedupe_key=f"order:{order.pk}:{what}",
    )
