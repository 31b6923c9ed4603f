"""Oscar's signals and saves, and what each of them means.

Senders of Oscar's signals are instances (a view, a creator, an order), so none is named. Models are
loaded by name, since any of Oscar's apps may be forked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import Signal
from oscar.apps.basket import signals as basket_signals
from oscar.apps.catalogue import signals as catalogue_signals
from oscar.apps.catalogue.reviews import signals as review_signals
from oscar.apps.checkout import signals as checkout_signals
from oscar.apps.customer import signals as customer_signals
from oscar.apps.order import signals as order_signals
from oscar.apps.search import signals as search_signals
from oscar.core.loading import get_model

from ...api import Happened, Who, map_signal
from ...core.adapting import absolute
from ...core.money import money
from ...core.visitors import current_request, visitor_of
from .payloads import cart_payload, order_payload, product_payload, sku_of
from .people import who_asks, whose_basket, whose_order
from .words import words

_ORDER_EVENTS = (
    "order_paid", "order_shipped", "order_delivered", "order_cancelled", "order_refunded",
)  # fmt: skip


def connect() -> None:
    """Connect every mapping. Called once, when all models are loaded."""
    _connect_customers()
    _connect_baskets()
    _connect_orders()
    _connect_catalogue()
    _connect_wish_lists()


def _connect_customers() -> None:
    map_signal(customer_signals.user_registered, event="user_registered")(user_registered)


def _connect_baskets() -> None:
    basket, line = get_model("basket", "Basket"), get_model("basket", "Line")
    map_signal(post_save, event="cart_updated", sender=line)(line_saved)
    map_signal(post_delete, event="cart_updated", sender=line)(line_removed)
    map_signal(post_save, event="cart_updated", sender=basket)(basket_saved)
    map_signal(basket_signals.voucher_addition, event="cart_updated")(voucher_changed)
    map_signal(basket_signals.voucher_removal, event="cart_updated")(voucher_changed)
    map_signal(checkout_signals.start_checkout, event="checkout_started")(checkout_started)


def _connect_orders() -> None:
    map_signal(order_signals.order_placed, event="order_placed")(order_placed)
    for event in _ORDER_EVENTS:
        _map_order(order_signals.order_status_changed, event, status_changed(event))
        _map_order(post_save, event, shipping_event(event), get_model("order", "ShippingEvent"))
        _map_order(post_save, event, payment_event(event), get_model("order", "PaymentEvent"))


def _map_order(
    signal: Signal, event: str, mapping: Callable[..., Happened | None], sender: Any = None
) -> None:
    map_signal(signal, event=event, sender=sender)(mapping)


def _connect_catalogue() -> None:
    record = get_model("partner", "StockRecord")
    map_signal(catalogue_signals.product_viewed, event="product_viewed")(product_viewed)
    map_signal(search_signals.user_search, event="search_performed")(user_search)
    map_signal(review_signals.review_added, event="review_posted")(review_added)
    pre_save.connect(remember_stock, sender=record, dispatch_uid="triggers.oscar.stock")
    map_signal(post_save, event="product_back_in_stock", sender=record)(back_in_stock)
    map_signal(post_save, event="price_dropped", sender=record)(price_dropped)


def _connect_wish_lists() -> None:
    line = get_model("wishlists", "Line")
    map_signal(post_save, event="wishlist_updated", sender=line)(wish_list_changed)
    map_signal(post_delete, event="wishlist_updated", sender=line)(wish_list_changed)


# Customers --------------------------------------------------------------------------------------


def user_registered(sender: Any, user: Any, request: Any, **kwargs: Any) -> Happened | None:
    """Somebody opened an account; Oscar signs them in afterwards."""
    who = Who.of_user(user, cookie_id=visitor_of(request), signed_in=True)
    return Happened(contact=who, dedupe_key=f"user:{user.pk}:registered")


# Baskets ----------------------------------------------------------------------------------------


def line_saved(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> Happened | None:
    """A line was added, or its quantity changed; a merge moves lines, one save each."""
    return None if raw else _cart(instance.basket)


def line_removed(sender: Any, instance: Any, **kwargs: Any) -> Happened | None:
    """A line was removed, or the whole basket flushed."""
    origin = kwargs.get("origin")
    if getattr(origin, "model", type(origin)) is not sender:
        return None  # the basket itself goes, with its lines: expired ones are tidied away
    return _cart(instance.basket)


def basket_saved(
    sender: Any, instance: Any, created: bool = False, raw: bool = False, **kwargs: Any
) -> Happened | None:
    """A basket was merged into another one: what it held is not waiting there any more."""
    if raw or created or instance.status != instance.MERGED:
        return None
    # Whoever has just signed in was the guest whose basket it is.
    return _cart(instance, who_asks(current_request()))


def voucher_changed(sender: Any, basket: Any, voucher: Any, **kwargs: Any) -> Happened | None:
    """Somebody who tries a voucher is still at it."""
    return _cart(basket)


def checkout_started(sender: Any, request: Any, **kwargs: Any) -> Happened | None:
    """The checkout was entered; a guest has given an address, and can be written to from now on."""
    who, basket = who_asks(request), request.basket
    if who is None or not basket.pk:
        return None
    return Happened(contact=who, key=str(basket.pk), payload=cart_payload(basket))


def _cart(basket: Any, who: Who | None = None) -> Happened | None:
    who = who or whose_basket(basket)
    if who is None or not who.identities:
        return None
    return Happened(contact=who, key=str(basket.pk), payload=cart_payload(basket))


# Orders -----------------------------------------------------------------------------------------


def order_placed(sender: Any, order: Any, **kwargs: Any) -> Happened | None:
    """An order with its lines: Oscar's saves of the order itself come before those."""
    return _order(order, "placed", placing=True)


def status_changed(event: str) -> Callable[..., Happened | None]:
    """The mapping of an order's new status to `event`."""

    def order_status_changed(
        sender: Any, order: Any, new_status: str, **kwargs: Any
    ) -> Happened | None:
        return _order(order, event) if words("STATUSES").get(new_status) == event else None

    return _named(order_status_changed, event)


def shipping_event(event: str) -> Callable[..., Happened | None]:
    """The mapping of a shipping event to `event`."""

    def shipping_event_made(
        sender: Any, instance: Any, created: bool = False, raw: bool = False, **kwargs: Any
    ) -> Happened | None:
        if raw or not created:
            return None
        meant = words("SHIPPING_EVENTS").get(instance.event_type.name)
        return _order(instance.order, event) if meant == event else None

    return _named(shipping_event_made, event)


def payment_event(event: str) -> Callable[..., Happened | None]:
    """The mapping of a payment event to `event`; a refund says how much."""

    def payment_event_made(
        sender: Any, instance: Any, created: bool = False, raw: bool = False, **kwargs: Any
    ) -> Happened | None:
        if raw or not created or words("PAYMENT_EVENTS").get(instance.event_type.name) != event:
            return None
        found = _order(instance.order, event)
        if found is not None and event == "order_refunded":
            found.payload["refunded"] = money(instance.amount, instance.order.currency)
        return found

    return _named(payment_event_made, event)


def _named(mapping: Callable[..., Happened | None], event: str) -> Callable[..., Happened | None]:
    """Faults are counted by the mapping's name."""
    mapping.__qualname__ = f"{mapping.__name__}[{event}]"
    return mapping


def _order(order: Any, what: str, *, placing: bool = False) -> Happened | None:
    who = whose_order(order, placing=placing)
    if who is None or not who.identities:
        return None
    return Happened(
        contact=who,
        key=str(order.pk),
        payload=order_payload(order),
        # A status, a shipping event and a payment event may all say the same.
        dedupe_key=f"order:{order.pk}:{what}",
    )


# The catalogue ----------------------------------------------------------------------------------


def product_viewed(sender: Any, product: Any, request: Any, **kwargs: Any) -> Happened | None:
    """A product's page was looked at."""
    who = who_asks(request)
    if who is None:
        return None
    payload = product_payload(product)
    return Happened(contact=who, key=payload["sku"], payload=payload)


def user_search(sender: Any, query: str, **kwargs: Any) -> Happened | None:
    """Somebody searched; the signal carries no request."""
    who = who_asks(current_request())
    return Happened(contact=who, payload={"query": query[:2_000]}) if who and query else None


def review_added(sender: Any, review: Any, request: Any, **kwargs: Any) -> Happened | None:
    """A review was written, signed in or with a name and an address."""
    who = who_asks(request)
    if who is None:
        return None
    payload = {
        "sku": product_payload(review.product)["sku"],
        "name": review.product.get_title(),
        "rating": review.score,
        "text": review.body[:2_000],
        "url": absolute(review.get_absolute_url()),
    }
    return Happened(contact=who, key=payload["sku"], payload=payload)


def remember_stock(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Look up what stands in the database, before it is written over."""
    if raw or not instance.pk:
        instance._triggers_before = None
        return
    # Read, and not taken from the object: Oscar changes stock by UPDATE between its two signals.
    instance._triggers_before = sender._default_manager.filter(pk=instance.pk).first()


def back_in_stock(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> Happened | None:
    """A product that could not be bought can be bought again."""
    before = getattr(instance, "_triggers_before", None)
    if raw or before is None or _stock(before) > 0 or _stock(instance) <= 0:
        return None
    payload = product_payload(instance.product)
    payload["sku"] = sku_of(instance.product, instance)
    return Happened(contact=None, key=payload["sku"], payload=payload)


def price_dropped(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> Happened | None:
    """A product became cheaper."""
    before = getattr(instance, "_triggers_before", None)
    if raw or before is None or before.price is None or instance.price is None:
        return None
    if before.price_currency != instance.price_currency or instance.price >= before.price:
        return None
    payload = product_payload(instance.product)
    payload.update(
        sku=sku_of(instance.product, instance),
        price=money(instance.price, instance.price_currency),
        old_price=money(before.price, before.price_currency),
    )
    return Happened(contact=None, key=payload["sku"], payload=payload)


def _stock(record: Any) -> int:
    """What can be bought; a product whose stock nobody tracks always can."""
    if not record.product.get_product_class().track_stock:
        return 1
    return int(record.net_stock_level)


# Wish lists -------------------------------------------------------------------------------------


def wish_list_changed(
    sender: Any, instance: Any, raw: bool = False, **kwargs: Any
) -> Happened | None:
    """Something was put on a wish list, or taken off."""
    origin = kwargs.get("origin")
    if raw or (origin is not None and getattr(origin, "model", type(origin)) is not sender):
        return None
    wish_list = instance.wishlist
    if wish_list.owner is None:
        return None
    lines = [
        {
            "sku": product_payload(one.product)["sku"],
            "name": one.product.get_title(),
            "quantity": one.quantity,
            "url": absolute(one.product.get_absolute_url()),
        }
        for one in wish_list.lines.select_related("product")
        if one.product is not None
    ]
    url = absolute(wish_list.get_absolute_url())
    return Happened(contact=Who.of_user(wish_list.owner), payload={"lines": lines, "url": url})
