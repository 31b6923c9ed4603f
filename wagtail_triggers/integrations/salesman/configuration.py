"""The setting `WAGTAIL_TRIGGERS_SALESMAN`.

Salesman's products are the host's own models and its prices are bare numbers, so the shop says::

    WAGTAIL_TRIGGERS_SALESMAN = {
        "CURRENCY": "EUR",
        "STATUSES": {"PACKED": "order_shipped"},     # added to Salesman's own
        "PRODUCT": "shop.triggers.product_payload",  # what else is known of a product
        "CART_URL": "/cart/",
        "ORDER_URL": "/orders/{ref}/?token={token}",
    }
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.module_loading import import_string

from ...conf import settings
from ...core.adapting import order_words
from ...exceptions import ConfigurationError

SETTING: Final = "WAGTAIL_TRIGGERS_SALESMAN"
_KNOWN: Final = frozenset({"CURRENCY", "STATUSES", "PRODUCT", "CART_URL", "ORDER_URL"})
_STATUSES: Final[Mapping[str, str]] = {
    "SHIPPED": "order_shipped",
    "COMPLETED": "order_delivered",
    "CANCELLED": "order_cancelled",
    "REFUNDED": "order_refunded",
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole setting.

    Attributes:
        currency: ISO 4217, of every price.
        statuses: Event types by Salesman's statuses.
        product: What is known of a product beside its code, name and price; or None.
        cart_url, order_url: Paths or addresses; the order's may hold `{ref}` and `{token}`.
    """

    currency: str
    statuses: Mapping[str, str]
    product: Callable[[Any], Mapping[str, Any]] | None
    cart_url: str
    order_url: str


def configuration() -> Configuration:
    """Read the setting.

    Raises:
        ConfigurationError: Something in it is wrong; the message says what.
    """
    given = settings.SALESMAN
    unknown = set(given) - _KNOWN
    if unknown:
        raise ConfigurationError(
            f"{SETTING} has {', '.join(sorted(map(repr, unknown)))}; it may have "
            f"{', '.join(sorted(_KNOWN))}."
        )
    currency = str(given.get("CURRENCY") or "")
    if len(currency) != 3 or not currency.isupper():
        raise ConfigurationError(
            f'{SETTING}["CURRENCY"] is {currency!r}. Salesman\'s prices name no currency: give the '
            'ISO 4217 code, such as "EUR".'
        )
    return Configuration(
        currency=currency,
        statuses=order_words(_STATUSES, given.get("STATUSES") or {}, f'{SETTING}["STATUSES"]'),
        product=_function(given.get("PRODUCT")),
        cart_url=str(given.get("CART_URL") or ""),
        order_url=_pattern(str(given.get("ORDER_URL") or "")),
    )


def _function(path: Any) -> Callable[[Any], Mapping[str, Any]] | None:
    if not path:
        return None
    try:
        found: Callable[[Any], Mapping[str, Any]] = import_string(str(path))
    except ImportError as error:
        raise ConfigurationError(
            f'{SETTING}["PRODUCT"] names {path!r}, which cannot be imported: {error}.'
        ) from error
    return found


def _pattern(pattern: str) -> str:
    try:
        pattern.format(ref="1", token="2")  # noqa: S106 - a sample
    except (LookupError, ValueError) as error:
        raise ConfigurationError(
            f'{SETTING}["ORDER_URL"]: nothing but {{ref}} and {{token}} may stand in braces.'
        ) from error
    return pattern
