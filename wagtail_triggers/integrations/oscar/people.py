"""Who is behind a request, a basket or an order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from oscar.core.loading import get_class

from ...api import Who
from ...core.visitors import current_request, visitor_of


def who_asks(request: HttpRequest | None) -> Who | None:
    """The customer who is signed in, else the guest behind the cookie; None where nobody is known.

    A signed-in customer's cookie is theirs: what they did before they signed in joins them.
    """
    visitor = visitor_of(request)
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Who.of_user(user, cookie_id=visitor, signed_in=True)
    email = _guest_email(request)
    return Who(cookie_id=visitor, email=email) if visitor or email else None


def whose_basket(basket: Any) -> Who | None:
    """The owner of a basket; of a guest's whoever asks now, if it is their basket at all."""
    request = current_request()
    if basket.owner_id:
        owner = basket.owner
        asks = getattr(request, "user", None)
        own = asks is not None and asks.is_authenticated and asks.pk == owner.pk
        return Who.of_user(owner, cookie_id=visitor_of(request) if own else "", signed_in=own)
    user = getattr(request, "user", None)
    # Staff who look at a guest's basket, or a command, are not that guest.
    return who_asks(request) if user is None or not user.is_authenticated else None


def whose_order(order: Any, *, placing: bool = False) -> Who | None:
    """Who ordered. For a guest Oscar's `user` is a lazy anonymous one: the order's address counts.

    Args:
        order: An order.
        placing: It is being placed in the request that is answered now, by its own customer.
    """
    request = current_request()
    visitor = visitor_of(request) if placing else ""
    # Goods may go to somebody else; a guest's name is in no other place.
    address = order.billing_address or (None if order.user_id else order.shipping_address)
    first, last = (str(getattr(address, name, "") or "") for name in ("first_name", "last_name"))
    if order.user_id:
        known = Who.of_user(order.user, cookie_id=visitor, signed_in=placing and bool(visitor))
        return known if known.first_name else replace(known, first_name=first, last_name=last)
    email = order.guest_email or ""
    if not email and not visitor:
        return None
    return Who(email=email, cookie_id=visitor, first_name=first, last_name=last)


def _guest_email(request: HttpRequest | None) -> str:
    """The address that a guest gave in the checkout of this session."""
    if request is None or not hasattr(request, "session"):
        return ""
    data = get_class("checkout.utils", "CheckoutSessionData")(request)
    return data.get_guest_email() or ""
