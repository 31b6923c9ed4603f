"""The last look at the shop before a message leaves: is what it says still true?

It runs between the claim and the hand-over, with no transaction open. Look-ups are made for the
whole batch, and none is trusted for longer than `core.shop.MAX_AGE`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.translation import gettext_noop

from ...core.shop import TIMEOUT, CartNow, OrderNow, ProductNow, ShopAdapter, ShopSilent, ask
from ...events.models import Order
from ..models import Message, MessageClass
from ..outcomes import Settlement

#: How long marketing waits before a shop that did not answer is asked again.
ASK_AGAIN: Final = timedelta(minutes=1)

CART_GONE: Final = gettext_noop("The cart was ordered or emptied.")
SOLD_OUT: Final = gettext_noop("Everything that it is about is sold out.")
ORDER_CANCELLED: Final = gettext_noop("The order was cancelled.")
SHOP_SILENT: Final = gettext_noop("The shop could not be asked whether this is still true.")

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the shop said. None where it was not asked, or cannot say."""

    carts: Mapping[str, CartNow] | None = None
    orders: Mapping[str, OrderNow] | None = None
    products: Mapping[str, ProductNow] | None = None


def check(
    shop: ShopAdapter,
    messages: Sequence[Message],
    contexts: Mapping[int, Context],
    moment: datetime,
) -> dict[int, Settlement]:
    """Ask the shop about everything that some messages are about, and bring them up to date.

    Args:
        shop: Whom to ask: at most three questions, whatever the number of messages.
        messages: Claimed ones.
        contexts: What they are rendered from, by the message's id; changed in place.
        moment: Now.

    Returns:
        What becomes of messages that must not leave, by id.
    """
    stopped: dict[int, Settlement] = {}
    marketing = [row for row in messages if row.message_class == MessageClass.MARKETING]
    receipts = [row for row in messages if row.message_class != MessageClass.MARKETING]
    for rows, closed in ((marketing, True), (receipts, False)):
        own = {row.pk: contexts[row.pk] for row in rows if row.pk in contexts}
        try:
            answers = _ask(shop, own.values(), with_carts=closed)
        except ShopSilent:
            if closed:  # marketing rather not, receipts rather so
                hold = Settlement(
                    Message.State.PLANNED, SHOP_SILENT, due_at=moment + ASK_AGAIN, terminal=False
                )
                stopped |= {row.pk: hold for row in rows if _is_about_something(own[row.pk])}
            continue
        cancelled = _cancelled_since(own, answers)
        for row in rows:
            verdict = _verdict(own[row.pk], answers, row.pk in cancelled)
            if verdict is not None:
                stopped[row.pk] = verdict
    return stopped


def _ask(shop: ShopAdapter, contexts: Iterable[Context], *, with_carts: bool) -> _Answers:
    contexts = list(contexts)
    carts = {cart for one in contexts if (cart := _cart_id(one))} if with_carts else set()
    orders = {order for one in contexts if (order := _order_id(one))}
    found = _Answers(
        carts=ask(shop, lambda: shop.carts(carts, timeout=TIMEOUT)) if carts else None,
        orders=ask(shop, lambda: shop.orders(orders, timeout=TIMEOUT)) if orders else None,
    )
    for one in contexts:
        _take_over(one, found)
    skus = {sku for one in contexts for sku in _skus(one)} if with_carts else set()
    if not skus:
        return found
    products = ask(shop, lambda: shop.products(skus, timeout=TIMEOUT))
    return _Answers(found.carts, found.orders, products)


def _cart_id(context: Context) -> str:
    return str((context.get("cart") or {}).get("cart_id") or "")


def _order_id(context: Context) -> str:
    return str((context.get("order") or {}).get("order_id") or "")


def _lines(context: Context) -> list[dict[str, Any]]:
    return list((context.get("cart") or {}).get("lines") or ())


def _skus(context: Context) -> set[str]:
    own = str((context.get("event") or {}).get("sku") or "")
    return {own, *(str(line.get("sku") or "") for line in _lines(context))} - {""}


def _is_about_something(context: Context) -> bool:
    return bool(_cart_id(context) or _order_id(context) or _skus(context))


def _take_over(context: Context, answers: _Answers) -> None:
    """Put what the shop says of the cart and the order in the place of what events said."""
    cart = (answers.carts or {}).get(_cart_id(context))
    if cart is not None and cart.payload is not None:
        context["cart"] = {**context["cart"], **cart.payload}
    order = (answers.orders or {}).get(_order_id(context))
    if order is not None and order.payload is not None:
        context["order"] = {**context["order"], **order.payload}


def _verdict(context: Context, answers: _Answers, cancelled: bool) -> Settlement | None:
    if answers.carts is not None and (cart_id := _cart_id(context)):
        cart = answers.carts.get(cart_id)
        if cart is None or cart.status != "open" or not _lines(context):
            return Settlement(Message.State.CANCELLED, CART_GONE)
    if cancelled:
        return Settlement(Message.State.SKIPPED, ORDER_CANCELLED)
    if answers.products is not None and not _bring_up_to_date(context, answers.products):
        return Settlement(Message.State.CANCELLED, SOLD_OUT)
    return None


def _bring_up_to_date(context: Context, products: Mapping[str, ProductNow]) -> bool:
    """Drop what is sold out, and take the shop's prices; False where nothing is left to say."""
    event = context.get("event") or {}
    if own := str(event.get("sku") or ""):
        product = products.get(own)
        if product is None or not product.available:
            return False
        if product.price is not None and "price" in event:
            context["event"] = {**event, "price": dict(product.price)}
    lines = _lines(context)
    if not lines:
        return True
    kept = []
    for line in lines:
        product = products.get(str(line.get("sku") or "")) if line.get("sku") else ProductNow()
        if product is None or not product.available:
            continue
        kept.append({**line, "unit_price": dict(product.price)} if product.price else line)
    context["cart"] = {**context["cart"], "lines": kept}
    if kept != lines and (total := _total(kept)) is not None:
        context["cart"]["total"] = total
    return bool(kept)


def _total(lines: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    """The sum of lines of one currency; None where it cannot be told."""
    currencies = {(line.get("unit_price") or {}).get("currency") for line in lines}
    if len(currencies) != 1 or None in currencies:
        return None
    try:
        amounts = [Decimal(str(line["unit_price"]["amount"])) for line in lines]
        total = sum(
            (a * Decimal(str(line.get("quantity", 1))) for a, line in zip(amounts, lines,
             strict=True)), Decimal(0),
        )  # fmt: skip
    except (InvalidOperation, KeyError):
        return None
    return {"amount": str(total), "currency": str(currencies.pop())}


def _cancelled_since(contexts: Mapping[int, Context], answers: _Answers) -> set[int]:
    """Messages on orders that were cancelled, and of which we had not heard.

    One of which we had heard is known to whoever planned the message: it may be about just that.
    """
    news = {one for one, order in (answers.orders or {}).items() if order.status == "cancelled"}
    if not news:
        return set()
    heard = set(
        Order.objects.filter(order_id__in=news, status__in=("cancelled", "refunded")).values_list(
            "order_id", flat=True
        )
    )
    return {pk for pk, one in contexts.items() if _order_id(one) in news - heard}
