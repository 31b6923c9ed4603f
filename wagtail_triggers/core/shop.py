"""The shop as it is at this moment: what its adapter is asked, and what it answers.

Name yours in `WAGTAIL_TRIGGERS_SHOP`. It is asked just before a message leaves, with no transaction
open and for a whole batch at once. Without one, messages go by what the shop's events said.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeVar

from django.db import connections

from ..conf import load_backend, settings
from ..exceptions import ConfigurationError, TriggersError

logger = logging.getLogger("wagtail_triggers.shop")

T = TypeVar("T")

#: Seconds that one look-up may take.
TIMEOUT: Final = 2.0
#: Seconds for which an answer counts as the truth. Then the shop is asked again.
MAX_AGE: Final = 10.0

_SETTING: Final = "WAGTAIL_TRIGGERS_SHOP"


class ShopSilent(TriggersError):
    """The shop did not answer in time, or with an error. See the log for its words."""


@dataclass(frozen=True, slots=True)
class CartNow:
    """A cart.

    Attributes:
        status: `ordered` and `empty` carts are not reminded of.
        payload: As `cart_updated` carries it (`lines`, `total`, `url` …); None leaves what the
            events said.
    """

    status: Literal["open", "ordered", "empty"] = "open"
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OrderNow:
    """An order.

    Attributes:
        status: `placed`, `paid`, `shipped`, `delivered`, `cancelled` or `refunded`.
        payload: As `order_placed` carries it; None leaves what the events said.
    """

    status: str = "placed"
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ProductNow:
    """A product.

    Attributes:
        available: Whether it can be bought.
        price: `{"amount": "12.50", "currency": "EUR"}`; None leaves what the events said.
        name: What people call it, for blocks that show products which no event has told of.
        url: Where it can be bought, whole.
        image_url: Its picture, whole.
        category: As the shop's events call it.
    """

    available: bool = True
    price: Mapping[str, str] | None = None
    name: str = ""
    url: str = ""
    image_url: str = ""
    category: str = ""


class ShopAdapter:
    """Answers for one shop. Subclass it; a question that it does not override is not asked.

    Each answer is a mapping by id. What is missing from it does not exist in the shop.
    """

    #: Whether it asks across the network. Then each question has a thread of its own, which is
    #: abandoned after two seconds. One that only reads Django's database says False.
    remote: ClassVar[bool] = True

    def carts(self, ids: Collection[str], *, timeout: float) -> Mapping[str, CartNow] | None:
        """Look carts up. `timeout` is what to give to an HTTP client."""
        return None

    def orders(self, ids: Collection[str], *, timeout: float) -> Mapping[str, OrderNow] | None:
        """Look orders up."""
        return None

    def products(self, skus: Collection[str], *, timeout: float) -> Mapping[str, ProductNow] | None:
        """Look products up, by the SKU of cart lines and of events."""
        return None


def get_shop() -> ShopAdapter | None:
    """The adapter that the setting names; None where none is named.

    Raises:
        ConfigurationError: It cannot be built, or is none.
    """
    if not settings.SHOP:
        return None
    adapter = load_backend(settings.SHOP, setting=_SETTING)
    if not isinstance(adapter, ShopAdapter):
        raise ConfigurationError(
            f"{_SETTING} names {type(adapter).__name__}, which is no adapter. Subclass "
            "wagtail_triggers.core.shop.ShopAdapter."
        )
    return adapter


def ask(adapter: ShopAdapter, question: Callable[[], T]) -> T:
    """Ask the shop, for two seconds at most.

    Args:
        adapter: Whose question it is.
        question: A call of one of its methods.

    Raises:
        ShopSilent: It raised, or took too long.
    """
    begun = time.monotonic()
    try:
        answer = _in_thread(question) if adapter.remote else question()
    except ShopSilent:
        raise
    except Exception as error:  # whatever an adapter raises: the shop has not answered
        logger.warning("The shop could not be asked", exc_info=True)
        raise ShopSilent(f"The shop could not be asked: {type(error).__name__}.") from error
    if time.monotonic() - begun > TIMEOUT:
        logger.warning("The shop took %.1f s to answer", time.monotonic() - begun)
        raise ShopSilent("The shop took too long to answer.")
    return answer


def _in_thread(question: Callable[[], T]) -> T:
    """Ask in a daemon thread, which is left to itself if it does not end in time."""
    found: list[T] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            found.append(context.run(question))
        except BaseException as error:  # raised again by whoever waits
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, name="wagtail-triggers-shop", daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    if errors:
        raise errors[0]
    if not found:
        logger.warning("The shop did not answer within %g s", TIMEOUT)
        raise ShopSilent("The shop took too long to answer.")
    return found[0]
