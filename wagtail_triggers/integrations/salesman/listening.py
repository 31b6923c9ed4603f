"""Salesman's saves and its one signal, and what each of them means.

An order is saved before its items, and `status_changed` fires with none of them or not at all; so
an order is told from `populate_from_basket`, through which every checkout goes: there it has its
items, and its basket still exists. `status_changed` fires again at each later save of the same
object: each status counts once an order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal
from salesman.core.utils import get_salesman_model
from salesman.orders.signals import status_changed

from ...api import Happened, Who, map_signal
from ...core.visitors import current_request, visitor_of
from .configuration import configuration
from .payloads import cart_payload, order_payload
from .people import whose_basket, whose_order

#: Sent once an order has its items; `order`, and the `basket` that it was made from.
order_filled = Signal()

_ORDER_EVENTS = (
    "order_paid", "order_shipped", "order_delivered", "order_cancelled", "order_refunded",
)  # fmt: skip
_WRAPPED = "_triggers_wrapped"


def connect() -> None:
    """Connect every mapping. Called once, when all models are loaded."""
    # Salesman leaves accounts to the shop, which has Django's users.
    map_signal(post_save, event="user_registered", sender=get_user_model())(user_saved)
    basket, item = get_salesman_model("Basket"), get_salesman_model("BasketItem")
    map_signal(post_save, event="cart_updated", sender=item)(item_saved)
    map_signal(post_delete, event="cart_updated", sender=item)(item_removed)
    map_signal(post_delete, event="cart_updated", sender=basket)(basket_gone)
    map_signal(post_save, event="checkout_started", sender=basket)(address_given)
    map_signal(order_filled, event="order_placed")(order_placed)
    payment = get_salesman_model("OrderPayment")
    map_signal(post_save, event="order_paid", sender=payment)(payment_saved)
    for event in _ORDER_EVENTS:
        map_signal(status_changed, event=event)(status_means(event))
    _tell_when_filled(get_salesman_model("Order"))


def _tell_when_filled(order: Any) -> None:
    """Let the model say when an order has its items; nothing in Salesman does."""
    filled = order.populate_from_basket
    if getattr(filled, _WRAPPED, False):
        return

    @functools.wraps(filled)
    def populate_from_basket(self: Any, basket: Any, request: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            given = filled(self, basket, request, **kwargs)
            basket._triggers_ordered = True
            order_filled.send(type(self), order=self, basket=basket)
            return given

    setattr(populate_from_basket, _WRAPPED, True)
    order.populate_from_basket = populate_from_basket


# Customers --------------------------------------------------------------------------------------


def user_saved(
    sender: Any, instance: Any, created: bool = False, raw: bool = False, **kwargs: Any
) -> Happened | None:
    """Somebody opened an account: made in a visit to the shop, and not by staff or a command."""
    request = current_request()
    if raw or not created or request is None or getattr(request.user, "is_staff", False):
        return None
    who = Who.of_user(instance, cookie_id=visitor_of(request), signed_in=True)
    return Happened(contact=who, dedupe_key=f"user:{instance.pk}:registered")


# Baskets ----------------------------------------------------------------------------------------


def item_saved(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> Happened | None:
    """An item was added, or its quantity changed; a merge moves items, one save each."""
    return None if raw else _cart(instance.basket)


def item_removed(sender: Any, instance: Any, **kwargs: Any) -> Happened | None:
    """An item was removed, or the whole basket cleared."""
    origin = kwargs.get("origin")
    if getattr(origin, "model", type(origin)) is not sender:
        return None  # the basket goes with its items: `basket_gone` tells what that means
    return _cart(instance.basket)


def basket_gone(sender: Any, instance: Any, **kwargs: Any) -> Happened | None:
    """A basket was deleted: ordered (which is no emptied cart), merged, or thrown away."""
    if getattr(instance, "_triggers_ordered", False) or _was_ordered(instance):
        return None
    request = current_request()
    user = getattr(request, "user", None)
    if instance.user_id is None and user is not None and user.is_authenticated:
        # At sign-in the guest's basket was merged into the customer's.
        who: Who | None = Who.of_user(user, cookie_id=visitor_of(request), signed_in=True)
        return _cart(instance, who)
    return _cart(instance)


def _was_ordered(basket: Any) -> bool:
    """Whether this request has made an order of it, through another object of the same row."""
    request = current_request()
    return basket.pk in getattr(request, "_triggers_ordered", ())


def address_given(
    sender: Any, instance: Any, created: bool = False, raw: bool = False, **kwargs: Any
) -> Happened | None:
    """The checkout has an address: Salesman writes it into the basket's `extra`."""
    if raw or created or not (instance.extra or {}).get("email"):
        return None
    who = whose_basket(instance)
    if who is None:
        return None
    return Happened(contact=who, key=str(instance.pk), payload=cart_payload(instance))


def _cart(basket: Any, who: Who | None = None) -> Happened | None:
    who = who or whose_basket(basket)
    if who is None or not who.identities:
        return None
    return Happened(contact=who, key=str(basket.pk), payload=cart_payload(basket))


# Orders -----------------------------------------------------------------------------------------


def order_placed(sender: Any, order: Any, basket: Any, **kwargs: Any) -> Happened | None:
    """An order with its items, and the basket that it was made from."""
    request = current_request()
    if request is not None:
        known = getattr(request, "_triggers_ordered", ())
        request._triggers_ordered = {*known, basket.pk}  # type: ignore[attr-defined]
    return _order(order, "order_placed", placing=True, cart_id=str(basket.pk))


def payment_saved(
    sender: Any, instance: Any, created: bool = False, raw: bool = False, **kwargs: Any
) -> Happened | None:
    """The payment that completes the total; before it an order is not paid."""
    order = instance.order
    # Asked anew: `amount_paid` is remembered by the object from before.
    paid = sum(order.payments.values_list("amount", flat=True))
    return None if raw or not created or paid < order.total else _order(order, "order_paid")


def status_means(event: str) -> Callable[..., Happened | None]:
    """The mapping of a status to `event`."""

    def status_changed_to(
        sender: Any, order: Any, new_status: str, **kwargs: Any
    ) -> Happened | None:
        meant = configuration().statuses.get(new_status) == event
        return _order(order, event) if meant else None

    status_changed_to.__qualname__ = f"status_changed_to[{event}]"
    return status_changed_to


def _order(order: Any, what: str, *, placing: bool = False, cart_id: str = "") -> Happened | None:
    who = whose_order(order, placing=placing)
    if who is None or not who.identities:
        return None
    return Happened(
        contact=who,
        key=str(order.pk),
        payload=order_payload(order, cart_id=cart_id),
        dedupe_key=f"order:{order.pk}:{what}",
    )
