"""What the shop says of products now: name, picture, price, and whether they can be bought."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.shop import TIMEOUT, ProductNow, ShopSilent, ask, get_shop
from .base import Product


def look_up(known: Sequence[Product]) -> list[Product]:
    """Bring products up to date; one question to the shop, whatever their number.

    Args:
        known: Their SKUs, and what is known without the shop.

    Returns:
        Those that can be bought, in their order. Where the shop cannot be asked, what was known.
        What has no name is left out.
    """
    shop = get_shop() if known else None
    answers = None
    if shop is not None:
        try:
            answers = ask(shop, lambda: shop.products({one.sku for one in known}, timeout=TIMEOUT))
        except ShopSilent:
            answers = None  # `ask` has written it into the log
    found = [one if answers is None else _now(one, answers.get(one.sku)) for one in known]
    return [one for one in found if one is not None and one.name]


def _now(known: Product, now: ProductNow | None) -> Product | None:
    if now is None or not now.available:
        return None
    return Product(
        sku=known.sku,
        name=known.name or now.name,
        url=known.url or now.url,
        image_url=known.image_url or now.image_url,
        price=now.price or known.price,
        category=known.category or now.category,
    )
