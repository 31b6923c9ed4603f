"""Whether an adapter tells what every adapter must: one script of a shop, and what it comes to.

Write a `ShopDriver` that does each thing in your shop, and ask::

    def test_my_shop_conforms():
        assert differences(MyDriver()) == []

A method that raises `NotTold` says that the shop cannot tell this; it is listed, not hidden. See
ADDING_SHOPS.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: What the script buys: two articles by their code, with their prices in euros.
GOODS: Final[Mapping[str, tuple[str, str]]] = {"A": ("Assam", "9.50"), "B": ("Bowl", "28.00")}
CUSTOMER: Final = "ada@example.org"
GUEST: Final = "gwen@example.org"


class NotTold(Exception):
    """This shop does not tell that, or has no such thing."""


class ShopDriver(ABC):
    """Does things in a shop as its customers and staff would, and says what was recorded.

    The customer and the guest each have one browser. There are two articles, `GOODS`, in the
    category "Teas".
    """

    @abstractmethod
    def recorded(self) -> Sequence[Mapping[str, Any]]:
        """Every event so far, in order: `name`, `who`, `key` and `payload` of each."""

    @abstractmethod
    def register(self) -> None:
        """The customer opens an account."""

    def view_product(self) -> None:
        """The customer looks at article A."""
        raise NotTold

    def search(self) -> None:
        """The customer searches for "assam"."""
        raise NotTold

    @abstractmethod
    def add_a(self) -> None:
        """The customer puts two of A into the cart."""

    @abstractmethod
    def add_b(self) -> None:
        """The customer adds one B."""

    @abstractmethod
    def change_a(self) -> None:
        """The customer wants three of A."""

    @abstractmethod
    def remove_b(self) -> None:
        """The customer takes B out."""

    def check_out(self) -> None:
        """The customer enters the checkout."""
        raise NotTold

    @abstractmethod
    def order(self) -> None:
        """The customer orders three of A."""

    @abstractmethod
    def pay(self) -> None:
        """The customer's payment arrives in full."""

    @abstractmethod
    def ship(self) -> None:
        """The goods leave."""

    def deliver(self) -> None:
        """The goods arrive."""
        raise NotTold

    def refund(self) -> None:
        """Money goes back."""
        raise NotTold

    @abstractmethod
    def guest_adds(self) -> None:
        """A guest puts one B into a cart."""

    def guest_checks_out(self) -> None:
        """The guest gives an address in the checkout."""
        raise NotTold

    @abstractmethod
    def guest_orders(self) -> None:
        """The guest orders."""

    @abstractmethod
    def cancel(self) -> None:
        """The guest's order is cancelled."""

    def review(self) -> None:
        """The customer reviews A with five stars: "Warm and malty."."""
        raise NotTold

    def wish(self) -> None:
        """The customer puts A on a wish list."""
        raise NotTold

    def restock(self) -> None:
        """B was sold out, and can be bought again."""
        raise NotTold

    def drop_price(self) -> None:
        """B falls from 28.00 to 25.00."""
        raise NotTold


def _money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def _line(sku: str, quantity: int) -> dict[str, Any]:
    name, price = GOODS[sku]
    return {
        "sku": sku,
        "name": name,
        "quantity": quantity,
        "unit_price": _money(price),
        "category": "Teas",
    }


def _cart(total: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"cart_id": "cart", "lines": list(lines), "total": _money(total)}


def _order(total: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"order_id": "order", "lines": list(lines), "total": _money(total)}


@dataclass(frozen=True, slots=True)
class Told:
    """What one action must be told as."""

    name: str
    person: str
    payload: Mapping[str, Any]


_MINE: Final = _order("28.50", _line("A", 3))
_THEIRS: Final = _order("28.00", _line("B", 1))
_B: Final = {"sku": "B", "name": "Bowl", "category": "Teas"}
#: Each action, in order, with what it must be told as.
SCRIPT: Final[Mapping[str, Told]] = {
    "register": Told("user_registered", CUSTOMER, {}),
    "view_product": Told("product_viewed", CUSTOMER, {"sku": "A", "name": "Assam"}),
    "search": Told("search_performed", CUSTOMER, {"query": "assam"}),
    "add_a": Told("cart_updated", CUSTOMER, _cart("19.00", _line("A", 2))),
    "add_b": Told("cart_updated", CUSTOMER, _cart("47.00", _line("A", 2), _line("B", 1))),
    "change_a": Told("cart_updated", CUSTOMER, _cart("56.50", _line("A", 3), _line("B", 1))),
    "remove_b": Told("cart_updated", CUSTOMER, _cart("28.50", _line("A", 3))),
    "check_out": Told("checkout_started", CUSTOMER, _cart("28.50", _line("A", 3))),
    "order": Told("order_placed", CUSTOMER, {**_MINE, "cart_id": "cart"}),
    "pay": Told("order_paid", CUSTOMER, _MINE),
    "ship": Told("order_shipped", CUSTOMER, _MINE),
    "deliver": Told("order_delivered", CUSTOMER, _MINE),
    "refund": Told("order_refunded", CUSTOMER, _MINE),
    "guest_adds": Told("cart_updated", "", _cart("28.00", _line("B", 1))),
    "guest_checks_out": Told("checkout_started", GUEST, _cart("28.00", _line("B", 1))),
    "guest_orders": Told("order_placed", GUEST, {**_THEIRS, "cart_id": "cart"}),
    "cancel": Told("order_cancelled", GUEST, _THEIRS),
    "review": Told("review_posted", CUSTOMER, {"sku": "A", "rating": 5, "text": "Warm and malty."}),
    "wish": Told("wishlist_updated", CUSTOMER, {"lines": [{"sku": "A", "name": "Assam"}]}),
    "restock": Told("product_back_in_stock", "", {**_B, "price": _money("28.00")}),
    "drop_price": Told(
        "price_dropped", "", {**_B, "price": _money("25.00"), "old_price": _money("28.00")}
    ),
}
#: What may come beside what is wanted: a sign-in says who somebody is, and a cart that is paid for
#: may be told once more.
_BESIDE: Final = frozenset({"user_updated"})
#: Names of objects, which every shop gives in its own way.
_IDS: Final[Mapping[str, str]] = {"cart_id": "cart", "order_id": "order"}
_ADDRESS: Final = re.compile(r"https?://[^\s/]+/\S*")


def differences(driver: ShopDriver) -> list[str]:
    """Carry the script out; return every difference in a sentence, and nothing where all is well.

    Every field that `SCRIPT` names must be told with exactly that value, ids apart; what a shop
    tells beyond it is its own. Addresses must be whole ones.
    """
    return play(driver)[0]


def not_told(driver: ShopDriver) -> list[str]:
    """Carry the script out; return the actions that this shop cannot tell."""
    return play(driver)[1]


def play(driver: ShopDriver) -> tuple[list[str], list[str]]:
    """Carry the script out once: differences, and actions that are not told."""
    found: list[str] = []
    untold: list[str] = []
    for action, wanted in SCRIPT.items():
        before = len(driver.recorded())
        try:
            getattr(driver, action)()
        except NotTold:
            untold.append(action)
            continue
        events = [one for one in driver.recorded()[before:] if one["name"] not in _BESIDE]
        found += [f"{action}: {words}" for words in _judge(events, wanted)]
    return found, untold


def _judge(events: Sequence[Mapping[str, Any]], wanted: Told) -> list[str]:
    told = [one for one in events if one["name"] == wanted.name]
    others = sorted({one["name"] for one in events} - {wanted.name})
    found = [f"{name} was told as well" for name in others]
    if len(told) != 1:
        return [*found, f"{wanted.name} was told {len(told)} times, and not once"]
    (event,) = told
    person = str(event["who"].get("email", ""))
    if wanted.person and person != wanted.person:
        found.append(f"it is told of {person or 'nobody'}, and not of {wanted.person}")
    found += _compare("", event["payload"], wanted.payload)
    return found + list(_bad_addresses("", event["payload"]))


def _compare(path: str, told: Any, wanted: Any) -> list[str]:
    if isinstance(wanted, Mapping):
        if not isinstance(told, Mapping):
            return [f"{path or 'the payload'} is {told!r}"]
        return [
            words
            for name, value in wanted.items()
            for words in _compare(f"{path}.{name}".lstrip("."), told.get(name), value)
        ]
    name = path.rpartition(".")[2]
    if name in _IDS:
        return [] if told else [f"{path} is missing"]
    if isinstance(wanted, list):
        if not isinstance(told, list) or len(told) != len(wanted):
            count = len(told) if isinstance(told, list) else told
            return [f"{path} has {count} entries, and not {len(wanted)}"]
        return [
            words
            for number, (one, other) in enumerate(zip(told, wanted, strict=True))
            for words in _compare(f"{path}.{number}", one, other)
        ]
    return [] if told == wanted else [f"{path} is {told!r}, and not {wanted!r}"]


def _bad_addresses(path: str, told: Any) -> list[str]:
    if isinstance(told, Mapping):
        return [words for name, one in told.items() for words in _bad_addresses(str(name), one)]
    if isinstance(told, list):
        return [words for one in told for words in _bad_addresses(path, one)]
    if path.endswith("url") and told and not _ADDRESS.fullmatch(str(told)):
        return [f"{path} is no whole address: {told!r}"]
    return []
