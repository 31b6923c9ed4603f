"""Carts and orders are as the shop's own clock has it, in whatever order the news comes in."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from tests.shop import ADA, line, total
from wagtail_triggers.api import track
from wagtail_triggers.core import clock
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Cart

pytestmark = pytest.mark.django_db

#: Minutes, what happened, and how many things are in the cart then.
FILLED, EMPTIED, ORDERED = (0, "cart_updated", 2), (10, "cart_updated", 0), (20, "order_placed", 2)
USED_AGAIN = (30, "cart_updated", 1)


def bring_in(news: tuple[int, str, int]) -> None:
    """One of them, whenever it comes."""
    minutes, name, quantity = news
    lines = [line(quantity=quantity)] if quantity else []
    payload = {"cart_id": "c1", "lines": lines, "total": total(lines)}
    if name == "order_placed":
        payload |= {"order_id": "o1", "number": "#1"}
    at = clock.now() - timedelta(days=1) + timedelta(minutes=minutes)
    key = "c1" if name == "cart_updated" else "o1"
    track(name, contact=ADA, key=key, payload=payload, occurred_at=at)


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one by one"])
@pytest.mark.parametrize(
    ("happened", "ends"),
    [
        ((FILLED, EMPTIED), "empty"),
        ((FILLED, EMPTIED, ORDERED), "ordered"),
        ((FILLED, ORDERED), "ordered"),
        ((FILLED, ORDERED, USED_AGAIN), "open"),
    ],
)
def test_cart_whose_news_comes_in_any_order_is_as_its_last_news_says(
    happened: tuple[tuple[int, str, int], ...], ends: str, together: bool
) -> None:
    for order in permutations(happened):
        Cart.objects.all().delete()
        for news in order:
            bring_in(news)
            if not together:
                route_batch()
        route_batch()
        cart = Cart.objects.get()
        assert cart.status == ends, order
        assert (cart.abandon_at is not None) == (ends == "open"), order
