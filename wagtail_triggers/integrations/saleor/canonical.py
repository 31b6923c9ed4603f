"""From what Saleor says to what happened, in the words of our event types.

A subscription's body names its event in `__typename`. Saleor's static payloads do not, and the
header that does is not signed: of those only the state is taken that the body itself shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils.dateparse import parse_datetime

from ...api import Who
from ...core.adapting import filled
from ...core.money import money
from .configuration import InstanceSettings
from .exceptions import Unreadable

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of ours; the fields are those of `api.track`.

    Attributes:
        once: What makes it unique within the instance where Saleor may tell it twice, in different
            bytes; "" where each body counts.
    """

    name: str
    contact: Who | None
    key: str = ""
    payload: Json = field(default_factory=dict)
    once: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one body comes to.

    Attributes:
        event: The body's own name for it.
        issued_at: When Saleor says that it happened.
        happenings: Events of ours; none where it is of no interest.
        detail: Why there is none.
        removed_app: The id of the app that was removed, or "".
    """

    event: str
    issued_at: datetime
    happenings: tuple[Happening, ...] = ()
    detail: str = ""
    removed_app: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """Our app, or another one, was removed."""

    app_id: str


#: Gives events of ours, or says why there is none.
Reader = Callable[[Json, InstanceSettings], tuple[Happening, ...] | Removed | str]


def read(found: Any, known: InstanceSettings) -> Reading:
    """Read a parsed body.

    Args:
        found: What the JSON says, with numbers as Decimals.
        known: The instance's settings.

    Raises:
        Unreadable: It is nothing that Saleor sends.
    """
    if isinstance(found, Mapping):
        kind, issued, readers = str(found.get("__typename") or ""), found.get("issuedAt"), _SIGNED
        body = found
    elif isinstance(found, list) and len(found) == 1 and isinstance(found[0], Mapping):
        body = found[0]
        kind, issued, readers = str(body.get("type") or ""), _of(body, "meta", "issued_at"), _STATIC
    else:
        raise Unreadable("The body is neither an event nor a list of one object.")
    moment = _moment(issued)
    if not kind or moment is None:
        raise Unreadable(
            "The body does not say what happened and when. Ask for __typename and issuedAt in the "
            "subscription; our manifest does."
        )
    reader = readers.get(kind)
    if reader is None:
        return Reading(kind, moment, detail="No event type of ours.")
    channel = _of(body, "checkout", "channel", "slug") or _of(body, "order", "channel", "slug")
    channel = channel or _of(body, "channel", "slug")
    if known.channels and channel and channel not in known.channels:
        return Reading(kind, moment, detail=f"The channel {channel} is not among CHANNELS."[:300])
    answer = reader(body, known)
    if isinstance(answer, Removed):
        return Reading(kind, moment, detail="An app was removed.", removed_app=answer.app_id)
    if isinstance(answer, str):
        return Reading(kind, moment, detail=answer)
    return Reading(kind, moment, answer)


# What subscriptions bring -----------------------------------------------------------------------


def _customer(name: str) -> Reader:
    def reader(body: Json, known: InstanceSettings) -> tuple[Happening, ...] | str:
        user = _part(body, "user")
        if user is None:
            return "There is no customer any more."
        once = f"registered:{user['id']}" if name == "user_registered" else ""
        return (Happening(name, _person(user), once=once),)

    return reader


def _checkout(body: Json, known: InstanceSettings) -> tuple[Happening, ...] | str:
    checkout = _part(body, "checkout")
    if checkout is None:
        return "The checkout has become an order."
    who = _buyer(checkout, "email")
    if who is None:
        return "Nobody is known in this checkout yet."
    payload = cart_payload(checkout, known)
    return (Happening("cart_updated", who, key=str(checkout["id"]), payload=payload),)


def _order(name: str, once: str) -> Reader:
    def reader(body: Json, known: InstanceSettings) -> tuple[Happening, ...] | str:
        order = _part(body, "order")
        if order is None:
            return "There is no order any more."
        who = _buyer(order, "userEmail")
        if who is None:
            return "Nobody is known in this order."
        key = str(order["id"])
        unique = f"{once}:{key}" if once else ""
        return (Happening(name, who, key, order_payload(order, known), unique),)

    return reader


def _shipment(body: Json, known: InstanceSettings) -> tuple[Happening, ...] | str:
    order, sent = _part(body, "order"), _part(body, "fulfillment")
    if order is None or sent is None:
        return "There is no order any more."
    who = _buyer(order, "userEmail")
    if who is None:
        # Webhooks that were made with a shorter query say the order's number and no more.
        return "Nobody is known in this order. Ask for userEmail in the subscription."
    payload = {
        **order_payload(order, known),
        "tracking_number": _text(sent.get("trackingNumber")),
    }
    once = f"shipped:{sent['id']}"
    return (Happening("order_shipped", who, str(order["id"]), payload, once),)


def _in_stock(body: Json, known: InstanceSettings) -> tuple[Happening, ...] | str:
    variant = _part(body, "productVariant")
    if variant is None:
        return "There is no such product any more."
    payload = product_payload(variant, known)
    return (Happening("product_back_in_stock", None, payload["sku"], payload),)


def _nothing(words: str) -> Reader:
    return lambda body, known: words


def _removed(body: Json, known: InstanceSettings) -> Removed | str:
    app = _part(body, "app")
    if app is None:
        return "It does not say which app."
    return Removed(str(app["id"]))


_SIGNED: Final[Mapping[str, Reader]] = {
    "CustomerCreated": _customer("user_registered"),
    "CustomerUpdated": _customer("user_updated"),
    "CheckoutCreated": _checkout,
    "CheckoutUpdated": _checkout,
    "OrderCreated": _order("order_placed", "placed"),
    "OrderPaid": _order("order_paid", "paid"),
    # Marking an order as paid tells only this one.
    "OrderFullyPaid": _order("order_paid", "paid"),
    "OrderCancelled": _order("order_cancelled", "cancelled"),
    "OrderRefunded": _order("order_refunded", ""),
    "OrderFullyRefunded": _order("order_refunded", ""),
    "FulfillmentCreated": _shipment,
    "ProductVariantBackInStock": _in_stock,
    "ProductVariantOutOfStock": _nothing("What is out of stock is asked for before a send."),
    "AppDeleted": _removed,
}


# What Saleor's static payloads bring ------------------------------------------------------------


def _static_user(body: Json, known: InstanceSettings) -> tuple[Happening, ...]:
    who = Who(
        user_id=_text(body.get("id")),
        email=_text(body.get("email")),
        first_name=_text(body.get("first_name")),
        last_name=_text(body.get("last_name")),
        language=_language(body.get("language_code")),
    )
    return (Happening("user_updated", who),)


def _static_checkout(body: Json, known: InstanceSettings) -> tuple[Happening, ...] | str:
    who = _static_buyer(body, "email")
    if who is None:
        return "Nobody is known in this checkout yet."
    key = _text(body.get("id"))
    lines = [
        _line(
            sku=_text(one.get("sku")) or _text(one.get("variant_id")),
            name=_text(one.get("product_name")),
            quantity=one.get("quantity"),
            price=_money(one.get("base_price"), one.get("currency")),
        )
        for one in body.get("lines") or ()
    ]
    payload = filled(cart_id=key, checkout_id=key, lines=lines, url=known.page("CART", id=key))
    return (Happening("cart_updated", who, key, payload),)


def _static_order(body: Json, known: InstanceSettings) -> tuple[Happening, ...] | str:
    who = _static_buyer(body, "user_email")
    if who is None:
        return "Nobody is known in this order."
    key, currency = _text(body.get("id")), _of(body, "channel", "currency_code")
    lines = [
        _line(
            sku=_text(one.get("product_sku")) or _text(one.get("product_variant_id")),
            name=_text(one.get("product_name")),
            quantity=one.get("quantity"),
            price=_money(one.get("unit_price_gross_amount"), one.get("currency") or currency),
        )
        for one in body.get("lines") or ()
    ]
    payload = filled(
        order_id=key,
        number=_text(body.get("number")),
        lines=lines,
        total=_money(body.get("total_gross_amount"), currency),
        url=known.page("ORDER", id=key),
    )
    cancelled = _text(body.get("status")).lower() in ("canceled", "cancelled")
    name, once = ("order_cancelled", "cancelled") if cancelled else ("order_placed", "placed")
    return (Happening(name, who, key, payload, f"{once}:{key}"),)


_STATIC: Final[Mapping[str, Reader]] = {
    "User": _static_user,
    "Checkout": _static_checkout,
    "Order": _static_order,
    "Stock": _nothing("A static payload does not say whether stock came or went."),
}


# Parts ------------------------------------------------------------------------------------------


def cart_payload(checkout: Json, known: InstanceSettings) -> dict[str, Any]:
    """What `cart_updated` carries, of a checkout as our queries ask for it."""
    key = str(checkout["id"])
    return filled(
        cart_id=key,
        checkout_id=key,
        lines=[_checkout_line(one, known) for one in checkout.get("lines") or ()],
        total=_gross(checkout.get("totalPrice")),
        url=known.page("CART", id=key),
    )


def order_payload(order: Json, known: InstanceSettings) -> dict[str, Any]:
    """What `order_placed` carries, of an order as our queries ask for it."""
    key, cart = str(order["id"]), _text(order.get("checkoutId"))
    return filled(
        order_id=key,
        number=_text(order.get("number")),
        cart_id=cart,
        checkout_id=cart,
        lines=[_order_line(one, known) for one in order.get("lines") or ()],
        subtotal=_gross(order.get("subtotal")),
        shipping=_gross(order.get("shippingPrice")),
        tax=_money(_of(order, "total", "tax", "amount"), _of(order, "total", "tax", "currency")),
        total=_gross(order.get("total")),
        shipping_address=_address(order.get("shippingAddress")),
        url=known.page("ORDER", id=key),
    )


def _address(address: Any) -> dict[str, str] | None:
    if not isinstance(address, Mapping):
        return None
    names = (_text(address.get("firstName")), _text(address.get("lastName")))
    return filled(
        name=" ".join(one for one in names if one),
        line1=_text(address.get("streetAddress1")),
        line2=_text(address.get("streetAddress2")),
        postcode=_text(address.get("postalCode")),
        city=_text(address.get("city")),
        region=_text(address.get("countryArea")),
        country=_text(_of(address, "country", "country")),
    )


def product_payload(variant: Json, known: InstanceSettings) -> dict[str, Any]:
    """What `product_back_in_stock` carries, of a variant as our queries ask for it."""
    return filled(
        sku=_text(variant.get("sku")) or str(variant["id"]),
        name=_text(_of(variant, "product", "name")) or _text(variant.get("name")),
        url=known.page("PRODUCT", slug=_text(_of(variant, "product", "slug"))),
        image_url=_text(_of(variant, "product", "thumbnail", "url")),
        category=_text(_of(variant, "product", "category", "slug")),
    )


def _checkout_line(one: Json, known: InstanceSettings) -> dict[str, Any]:
    variant = one.get("variant") or {}
    return _line(
        sku=_text(variant.get("sku")) or _text(variant.get("id")),
        name=_text(_of(variant, "product", "name")) or _text(variant.get("name")),
        quantity=one.get("quantity"),
        price=_gross(one.get("unitPrice")),
        url=known.page("PRODUCT", slug=_text(_of(variant, "product", "slug"))),
        image_url=_text(_of(variant, "product", "thumbnail", "url")),
        category=_text(_of(variant, "product", "category", "slug")),
    )


def _order_line(one: Json, known: InstanceSettings) -> dict[str, Any]:
    variant = one.get("variant") or {}
    return _line(
        sku=_text(one.get("productSku")) or _text(variant.get("id")),
        name=_text(one.get("productName")),
        quantity=one.get("quantity"),
        price=_gross(one.get("unitPrice")),
        url=known.page("PRODUCT", slug=_text(_of(variant, "product", "slug"))),
        image_url=_text(_of(one, "thumbnail", "url")),
        category=_text(_of(variant, "product", "category", "slug")),
    )


def _line(
    *, sku: str, name: str, quantity: Any, price: dict[str, str] | None, **more: str
) -> dict[str, Any]:
    """A line; what a shorter query left out is left out here too."""
    return filled(sku=sku, name=name or sku, quantity=quantity, unit_price=price, **more)


def _person(user: Json) -> Who:
    return Who(
        user_id=str(user["id"]),
        email=_text(user.get("email")),
        first_name=_text(user.get("firstName")),
        last_name=_text(user.get("lastName")),
        language=_language(user.get("languageCode")),
    )


def _buyer(thing: Json, email: str) -> Who | None:
    """Who a checkout or an order belongs to: the customer, else the guest behind the address."""
    user, address = thing.get("user"), _text(thing.get(email))
    language = _language(thing.get("languageCode") or thing.get("languageCodeEnum"))
    if isinstance(user, Mapping) and user.get("id"):
        known = _person(user)
        return Who(
            user_id=known.user_id,
            email=known.email or address,
            first_name=known.first_name,
            last_name=known.last_name,
            language=language or known.language,
        )
    return Who(email=address, language=language) if address else None


def _static_buyer(body: Json, email: str) -> Who | None:
    user, address = body.get("user"), _text(body.get(email))
    language = _language(body.get("language_code"))
    if isinstance(user, Mapping) and user.get("id"):
        return Who(
            user_id=str(user["id"]),
            email=_text(user.get("email")) or address,
            first_name=_text(user.get("first_name")),
            last_name=_text(user.get("last_name")),
            language=language,
        )
    return Who(email=address, language=language) if address else None


def _gross(price: Any) -> dict[str, str] | None:
    return _money(_of(price, "gross", "amount"), _of(price, "gross", "currency"))


def _money(amount: Any, currency: Any) -> dict[str, str] | None:
    try:
        return money(amount, currency)
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _language(code: Any) -> str:
    """Saleor writes EN, ZH_HANS and en."""
    return _text(code).replace("_", "-").lower()


def _moment(value: Any) -> datetime | None:
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _part(body: Json, name: str) -> Json | None:
    found = body.get(name)
    if found is None:
        return None
    if not isinstance(found, Mapping) or not found.get("id"):
        raise Unreadable(f"{name} has no id. Ask for it in the subscription.")
    return found


def _of(found: Any, *path: str) -> Any:
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)
