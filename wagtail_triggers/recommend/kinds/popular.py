"""What sold best of late. Needs nothing but the shop's orders, so it is everybody's fallback."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Sum
from django.utils.translation import gettext_lazy as _

from ...events.models import OrderLine
from ..base import MAX_PRODUCTS, Product, Recommender, Wanted
from ..catalogue import look_up
from ..registry import register_recommender

#: Orders that count.
WINDOW: Final = timedelta(days=30)
#: How long the list of a site is kept: it changes slowly, and counting reads a month of orders.
KEPT: Final = timedelta(minutes=10)
_SITES: Final = 64

_kept: Final[OrderedDict[int, tuple[datetime, tuple[Product, ...]]]] = OrderedDict()


def forget() -> None:
    """Count again at the next question."""
    _kept.clear()


@register_recommender
class Popular(Recommender):
    """The best sellers of the last 30 days."""

    identifier = "popular"
    label = _("Best sellers of the last 30 days")

    def recommend(self, wanted: Sequence[Wanted]) -> Mapping[int, Sequence[Product]]:
        """The same for everybody, but for what the message is about; one query per site."""
        found = {
            site: best_sellers(site, moment)
            for site, moment in {one.site_id: one.moment for one in wanted}.items()
        }
        return {
            one.key: [product for product in found[one.site_id] if product.sku not in one.seeds]
            for one in wanted
        }


def best_sellers(site_id: int, moment: datetime) -> tuple[Product, ...]:
    """What sold most pieces, the most first; what cannot be bought any more is left out."""
    kept = _kept.get(site_id)
    if kept is not None and kept[0] <= moment < kept[0] + KEPT:
        return kept[1]
    rows = (
        OrderLine.objects.filter(
            order__site_id=site_id, order__placed_at__gt=moment - WINDOW, quantity__gt=0
        )
        .values("sku")
        .annotate(pieces=Sum("quantity"), title=Max("name"))
        .order_by("-pieces", "sku")[: MAX_PRODUCTS * 2]
    )
    sold = [Product(sku=row["sku"], name=row["title"]) for row in rows]
    found = tuple(look_up(sold))
    _kept[site_id] = (moment, found)
    while len(_kept) > _SITES:
        _kept.popitem(last=False)
    return found
