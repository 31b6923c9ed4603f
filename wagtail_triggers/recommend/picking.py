"""Ask a provider, and fill up what it leaves open."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from .base import MAX_PRODUCTS, Product, Wanted
from .registry import recommenders

logger = logging.getLogger("wagtail_triggers.recommend")

#: Who is asked where another provider knows nothing.
FALLBACK: Final = "popular"


def pick(identifier: str, wanted: Sequence[Wanted]) -> dict[int, list[Product]]:
    """Recommend to a batch of people.

    Args:
        identifier: Of the provider; one that is not registered any more counts as silent.
        wanted: What each should be shown.

    Returns:
        Products by key, `limit` at most, none twice, none that the message is about. Where there
        are too few, best sellers follow; the list may still be empty.
    """
    found = {one.key: _fitting(one, ()) for one in wanted}
    for name in dict.fromkeys((identifier, FALLBACK)):
        short = [one for one in wanted if len(found[one.key]) < one.limit]
        answers = _answers(name, short) if short else {}
        for one in short:
            found[one.key] = _fitting(one, [*found[one.key], *answers.get(one.key, ())])
    return found


def _fitting(one: Wanted, products: Sequence[Product]) -> list[Product]:
    unlike = {
        product.sku: product
        for product in reversed(products)
        if product.name and product.sku not in one.seeds
    }
    fitting = [unlike[sku] for sku in dict.fromkeys(p.sku for p in products) if sku in unlike]
    return fitting[: min(one.limit, MAX_PRODUCTS)]


def _answers(identifier: str, wanted: Sequence[Wanted]) -> Mapping[int, Sequence[Product]]:
    if identifier not in recommenders:
        logger.warning("There is no recommender %r any more; best sellers stand in", identifier)
        return {}
    try:
        return recommenders.get(identifier)().recommend(wanted)
    except Exception:  # a host's provider: a letter without its suggestions is better than none
        logger.exception("The recommender %r failed; best sellers stand in", identifier)
        return {}
