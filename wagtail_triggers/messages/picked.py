"""Products that a block shows beside what the event says: picked by hand, or recommended.

They are looked up for a whole batch when its messages are rendered. A template's version says what
it needs (`TemplateVersion.data`); one that needs nothing costs no query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ..core import clock
from ..events.models import Event
from ..recommend.base import Product, Wanted
from ..recommend.catalogue import look_up
from ..recommend.picking import pick
from .additions import adds
from .blocks.base import PICKED
from .models import Message

_SAMPLES: Final = (
    ("Linen shirt", "24.90"), ("Wool blanket", "89.00"), ("Stoneware bowl", "18.50"),
    ("Beeswax candle", "12.00"), ("Oak tray", "34.00"), ("Cotton throw", "59.00"),
)  # fmt: skip


@adds(PICKED)
def of_messages(messages: Sequence[Message]) -> Mapping[int, Mapping[str, Any]]:
    """What each message's blocks show, by the name that the block gave it."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    by_request: dict[tuple[int, str], list[Message]] = defaultdict(list)
    for message in messages:
        for name in message.template_version.data:
            by_request[message.template_version_id, name].append(message)
    seeds = _seeds(messages) if by_request else {}
    for (_version, name), rows in by_request.items():
        request = rows[0].template_version.data[name]
        shown = _shown(request, rows, seeds)
        for row in rows:
            found[row.pk][name] = [one.as_line() for one in shown[row.pk]]
    return found


def _shown(
    request: Mapping[str, Any], rows: Sequence[Message], seeds: Mapping[int, tuple[str, ...]]
) -> Mapping[int, Sequence[Product]]:
    if "products" in request:
        products = look_up([Product(**one) for one in request["products"]])
        return {row.pk: products for row in rows}
    moment = clock.now()
    return pick(
        str(request.get("recommender", "")),
        [
            Wanted(
                key=row.pk,
                site_id=row.site_id,
                contact_id=row.contact_id,
                language=row.template_version.language,
                moment=moment,
                seeds=seeds.get(row.event_id or 0, ()),
                limit=int(request.get("limit", 4)),
            )
            for row in rows
        ],
    )


def _seeds(messages: Sequence[Message]) -> dict[int, tuple[str, ...]]:
    """The SKUs that each event is about; one query."""
    wanted = {message.event_id for message in messages if message.event_id}
    rows = Event.objects.filter(pk__in=wanted).values_list("pk", "payload") if wanted else ()
    return {pk: _skus(payload) for pk, payload in rows}


def _skus(payload: Mapping[str, Any]) -> tuple[str, ...]:
    lines = payload.get("lines") or ()
    found = [payload.get("sku"), *(line.get("sku") for line in lines)]
    return tuple(str(sku) for sku in found if sku)


def samples(data: Mapping[str, Mapping[str, Any]], *, url: str, image_url: str) -> dict[str, Any]:
    """Made-up products for a preview, in the place of what would be looked up.

    Args:
        data: What the compiled template needs (`Compiled.data`).
        url: The shop's address.
        image_url: What their pictures show.
    """
    found = {}
    for name, request in data.items():
        many = len(request["products"]) if "products" in request else int(request.get("limit", 4))
        found[name] = [
            {
                "sku": f"SKU-{number + 1}",
                "name": _SAMPLES[number % len(_SAMPLES)][0],
                "url": f"{url}/sample",
                "image_url": image_url,
                "unit_price": {
                    "amount": Decimal(_SAMPLES[number % len(_SAMPLES)][1]),
                    "currency": "EUR",
                },
                "category": "",
            }
            for number in range(many)
        ]
    return found
