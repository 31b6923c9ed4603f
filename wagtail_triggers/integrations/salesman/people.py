"""Who is behind a basket or an order of Salesman."""

from __future__ import annotations

from typing import Any

from ...api import Who
from ...core.visitors import current_request, visitor_of


def whose_basket(basket: Any) -> Who | None:
    """The owner; of a guest's basket whoever asks now, with the address that the checkout has."""
    request = current_request()
    visitor = visitor_of(request)
    asks = getattr(request, "user", None)
    signed_in = asks is not None and asks.is_authenticated
    if basket.user_id:
        own = signed_in and asks is not None and asks.pk == basket.user_id
        return Who.of_user(basket.user, cookie_id=visitor if own else "", signed_in=own)
    email = str((basket.extra or {}).get("email") or "")
    if signed_in:
        visitor = ""  # staff who look at a guest's basket are not that guest
    return Who(cookie_id=visitor, email=email) if visitor or email else None


def whose_order(order: Any, *, placing: bool = False) -> Who | None:
    """Who ordered.

    Args:
        order: An order.
        placing: It is being placed in the request that is answered now, by its own customer.
    """
    visitor = visitor_of(current_request()) if placing else ""
    if order.user_id:
        known = Who.of_user(order.user, cookie_id=visitor, signed_in=placing and bool(visitor))
        return known if known.email else Who(user_id=known.user_id, email=order.email)
    return Who(email=order.email, cookie_id=visitor) if order.email or visitor else None
