"""A shop in memory: for tests, of ours and of hosts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, Final

from .shop import CartNow, OrderNow, ProductNow, ShopAdapter

#: What the shop knows, by id. Change it as a shop would change.
carts: Final[dict[str, CartNow]] = {}
orders: Final[dict[str, OrderNow]] = {}
products: Final[dict[str, ProductNow]] = {}
#: Every question, in order: what was asked about which ids.
questions: Final[list[tuple[str, tuple[str, ...]]]] = []
_faults: Final[list[Exception]] = []


def clear() -> None:
    """Forget everything."""
    for one in (carts, orders, products):
        one.clear()
    questions.clear()
    _faults.clear()


def fail(*faults: Exception) -> None:
    """Raise these, one for each of the next questions."""
    _faults.extend(faults)


class MemoryShop(ShopAdapter):
    """Answers from this module's dictionaries."""

    remote: ClassVar[bool] = False

    def carts(self, ids: Collection[str], *, timeout: float) -> Mapping[str, CartNow]:
        """Answer from `carts`."""
        _note("carts", ids)
        return {one: carts[one] for one in ids if one in carts}

    def orders(self, ids: Collection[str], *, timeout: float) -> Mapping[str, OrderNow]:
        """Answer from `orders`."""
        _note("orders", ids)
        return {one: orders[one] for one in ids if one in orders}

    def products(self, skus: Collection[str], *, timeout: float) -> Mapping[str, ProductNow]:
        """Answer from `products`."""
        _note("products", skus)
        return {one: products[one] for one in skus if one in products}


def _note(what: str, ids: Collection[str]) -> None:
    questions.append((what, tuple(sorted(ids))))
    if _faults:
        raise _faults.pop(0)
