"""What every adapter of a shop in the same database needs: addresses, ids, and words for orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from ..conf import settings
from ..exceptions import ConfigurationError

#: What becomes of an order, by event type, as `core.shop.OrderNow` calls its state.
ORDER_STATES: Final[Mapping[str, str]] = {
    "order_paid": "paid",
    "order_shipped": "shipped",
    "order_delivered": "delivered",
    "order_cancelled": "cancelled",
    "order_refunded": "refunded",
}


def absolute(path: str) -> str:
    """An address of the shop with its host; "" stays "", and a whole address stays itself."""
    if not path or path.startswith(("http://", "https://")):
        return path
    return f"{settings.base_url}{path}" if settings.base_url else ""


def filled(**fields: Any) -> dict[str, Any]:
    """The fields of a payload that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "")}


def primary_keys(ids: Collection[str]) -> list[int]:
    """The ids that can be keys of a table; what else a caller asks for does not exist there."""
    return [int(one) for one in ids if one.isdecimal() and len(one) < 19]


def order_words(known: Mapping[str, str], given: Any, where: str) -> dict[str, str]:
    """A project's own words for what becomes of an order, added to those that are known.

    Args:
        known: Event types by word.
        given: What the setting adds; an empty event type takes a word away.
        where: The setting's place, for errors.

    Raises:
        ConfigurationError: It is no mapping to event types of orders.
    """
    if not isinstance(given, Mapping):
        raise ConfigurationError(f'{where} must be a mapping such as {{"Sent": "order_shipped"}}.')
    for word, event in given.items():
        if event and event not in ORDER_STATES:
            raise ConfigurationError(
                f"{where}[{word!r}] is {event!r}; it may be {', '.join(sorted(ORDER_STATES))}, "
                'or "" for nothing.'
            )
    merged = {**known, **{str(word): str(event) for word, event in given.items()}}
    return {word: event for word, event in merged.items() if event}
