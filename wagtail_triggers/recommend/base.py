"""What a provider of recommendations is asked, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from django.utils.functional import Promise

#: More are never asked for at once.
MAX_PRODUCTS: Final = 12


@dataclass(frozen=True, slots=True)
class Product:
    """A product as a message shows it.

    Attributes:
        sku: As the shop's events call it.
        name: What people call it; without one it is not shown.
        url: Where it can be bought, whole; "" for no link.
        image_url: Its picture, whole; "" for none.
        price: `{"amount": "12.50", "currency": "EUR"}`, or None where it is not known.
        category: As the shop's events call it.
    """

    sku: str
    name: str
    url: str = ""
    image_url: str = ""
    price: Mapping[str, str] | None = None
    category: str = ""

    def as_line(self) -> dict[str, Any]:
        """The product as templates see it: like a line of a cart."""
        return {
            "sku": self.sku,
            "name": self.name,
            "url": self.url,
            "image_url": self.image_url,
            "unit_price": dict(self.price) if self.price else None,
            "category": self.category,
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one person should be shown.

    Attributes:
        key: Tells it from others of the same question.
        site_id: The shop's site.
        contact_id: The person; None in a preview.
        language: Of the message.
        moment: Now.
        seeds: SKUs that the message is about: the cart's, the order's, the event's.
        limit: How many at most.
    """

    key: int
    site_id: int
    contact_id: int | None
    language: str
    moment: datetime
    seeds: tuple[str, ...] = ()
    limit: int = 4


class Recommender(ABC):
    """A provider. Subclass it in your `triggers.py` and register it with `register_recommender`."""

    #: Stored in templates; never change it.
    identifier: ClassVar[str]
    #: What editors read.
    label: ClassVar[str | Promise]
    #: Whether editors can choose it.
    offered: ClassVar[bool] = True

    @abstractmethod
    def recommend(self, wanted: Sequence[Wanted]) -> Mapping[int, Sequence[Product]]:
        """Answer for a whole batch, in a fixed number of queries; no transaction is open.

        Args:
            wanted: What each person should be shown.

        Returns:
            Products by `Wanted.key`, the best first. What is missing is filled up by the fallback;
            whatever is raised counts as no answer.
        """
