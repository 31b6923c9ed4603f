"""Saleor as the shop that is asked just before a message leaves.

::

    WAGTAIL_TRIGGERS_SHOP = {"BACKEND": "wagtail_triggers.integrations.saleor.shop.SaleorShop"}
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from ...core.shop import CartNow, OrderNow, ProductNow, ShopAdapter
from .canonical import cart_payload, order_payload
from .client import SaleorClient, client_of, installed
from .configuration import InstanceSettings, configuration
from .subscriptions import CHECKOUT, ORDER

#: Saleor limits what one question may cost; so many objects are asked for at once.
_AT_ONCE: Final = 20
_STATUS: Final[Mapping[str, str]] = {
    "CANCELED": "cancelled",
    "EXPIRED": "cancelled",
    "RETURNED": "refunded",
    "FULFILLED": "shipped",
    "PARTIALLY_FULFILLED": "shipped",
}
_VARIANTS: Final = """
query Variants($skus: [String!], $channel: String, $first: Int!) {
  productVariants(filter: {sku: $skus}, channel: $channel, first: $first) {
    edges { node {
      id sku quantityAvailable trackInventory
      pricing { price { gross { amount currency } } }
    } }
  }
}
"""


class SaleorShop(ShopAdapter):
    """Asks one Saleor about carts, orders and products.

    Args:
        api_url: Its GraphQL address; not needed where the setting names one instance.
        channel: The slug of the channel whose prices and stock count; by default the first of the
            instance's CHANNELS.
    """

    def __init__(self, api_url: str = "", channel: str = "") -> None:
        self._api_url, self._channel = api_url, channel

    def carts(self, ids: Collection[str], *, timeout: float) -> Mapping[str, CartNow] | None:
        """Look checkouts up; one that has become an order is not there any more."""
        client, known = self._open()
        found: dict[str, CartNow] = {}
        for key, checkout in _by_id(client, "checkout", CHECKOUT, ids, timeout):
            lines = checkout.get("lines") or ()
            status = "open" if lines else "empty"
            found[key] = CartNow(status, cart_payload(checkout, known))  # type: ignore[arg-type]
        # A checkout that is gone was ordered, or thrown away: either way nobody is reminded of it.
        return {key: found.get(key, CartNow("ordered")) for key in ids}

    def orders(self, ids: Collection[str], *, timeout: float) -> Mapping[str, OrderNow] | None:
        """Look orders up."""
        client, known = self._open()
        return {
            key: OrderNow(_status(order), order_payload(order, known))
            for key, order in _by_id(client, "order", f"{ORDER} isPaid", ids, timeout)
        }

    def products(self, skus: Collection[str], *, timeout: float) -> Mapping[str, ProductNow] | None:
        """Look variants up by SKU; those without one by their id."""
        client, known = self._open()
        channel = self._channel or (known.channels[0] if known.channels else None)
        found: dict[str, ProductNow] = {}
        for chunk in _chunks(sorted(skus), 100):
            variables = {"skus": chunk, "channel": channel, "first": len(chunk)}
            answer = client.query(_VARIANTS, variables, total=timeout)
            for edge in (answer.get("productVariants") or {}).get("edges") or ():
                found[str(edge["node"]["sku"])] = _product(edge["node"])
        rest = [sku for sku in skus if sku not in found]
        part = (
            "id sku trackInventory quantityAvailable "
            "pricing { price { gross { amount currency } } }"
        )
        arguments = f', channel: "{channel}"' if channel else ""
        for key, variant in _by_id(client, "productVariant", part, rest, timeout, arguments):
            found[key] = _product(variant)
        return found

    def _open(self) -> tuple[SaleorClient, InstanceSettings]:
        instance = installed(self._api_url)
        known = configuration().instance(instance.api_url)
        assert known is not None  # noqa: S101 - an instance is only installed from the settings
        return client_of(instance), known


def _by_id(
    client: SaleorClient,
    kind: str,
    part: str,
    ids: Collection[str],
    timeout: float,
    arguments: str = "",
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Ask for several objects in one question, each under an alias; ids travel as variables."""
    for chunk in _chunks([one for one in sorted(set(ids)) if _is_global_id(one)], _AT_ONCE):
        names = [f"i{number}" for number in range(len(chunk))]
        declared = ", ".join(f"${name}: ID!" for name in names)
        asked = " ".join(f"{name}: {kind}(id: ${name}{arguments}) {{ {part} }}" for name in names)
        variables = dict(zip(names, chunk, strict=True))
        answer = client.query(f"query({declared}) {{ {asked} }}", variables, total=timeout)
        for name, key in variables.items():
            if answer.get(name):
                yield key, answer[name]


def _is_global_id(value: str) -> bool:
    """Whether Saleor could read it as an id; one that it cannot read fails the whole question."""
    try:
        kind, _, key = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    return bool(kind.isalpha() and key)


def _product(variant: Mapping[str, Any]) -> ProductNow:
    stock = variant.get("quantityAvailable")
    available = not variant.get("trackInventory", True) or stock is None or stock > 0
    gross = ((variant.get("pricing") or {}).get("price") or {}).get("gross")
    # No price in this channel: it is not sold there.
    if variant.get("pricing") is None:
        return ProductNow(available=False)
    price = {"amount": str(gross["amount"]), "currency": gross["currency"]} if gross else None
    return ProductNow(available=available, price=price)


def _status(order: Mapping[str, Any]) -> str:
    known = _STATUS.get(str(order.get("status")))
    return known or ("paid" if order.get("isPaid") else "placed")


def _chunks(values: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
