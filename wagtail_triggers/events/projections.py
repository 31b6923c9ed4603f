"""Carts and orders as real columns, projected from events; in sets, under the contacts' locks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, Sum

from ..conf import settings
from ..contacts.models import Contact
from ..core.bulk import update_rows
from .models import Cart, Event, Order, OrderLine
from .rows import EventRow

ORDER_EVENTS = {
    "order_placed": "placed",
    "order_paid": "paid",
    "order_shipped": "shipped",
    "order_delivered": "delivered",
    "order_cancelled": "cancelled",
    "order_refunded": "refunded",
}
CART_EVENTS = ("cart_updated", "checkout_started")

#: Everything that is read here; other events cost this module nothing.
PROJECTED = frozenset((*ORDER_EVENTS, *CART_EVENTS))


def project(events: Sequence[EventRow], contacts: dict[int, Contact]) -> None:
    """Bring carts, orders and the contacts' order facts up to date.

    Args:
        events: Events of locked contacts, each contact's in the order of their ids.
        contacts: Those contacts by id; their order facts are changed in place, not saved.
    """
    relevant = [event for event in events if event.name in PROJECTED]
    if not relevant:
        return
    carts = Carts(relevant)
    orders = _Orders(relevant)
    for event in relevant:
        if event.name in CART_EVENTS:
            carts.touch(event)
        else:
            carts.close(event)
            orders.apply(event)
    carts.save()
    orders.save()
    count_orders({event.contact_id for event in relevant if event.name in ORDER_EVENTS}, contacts)


class Carts:
    """Carts as events leave them. `Carts(())` begins with none, and asks no database."""

    def __init__(self, events: Sequence[EventRow]) -> None:
        ids = {cart for event in events if (cart := event.payload.get("cart_id"))}
        sites = {event.site_id for event in events}
        self.rows = {
            (row.site_id, row.cart_id): row
            for row in Cart.objects.filter(site_id__in=sites, cart_id__in=ids)
        }
        self.changed: dict[tuple[int, str], Cart] = {}

    def touch(self, event: Event | EventRow) -> None:
        """A cart was changed, or somebody went to the checkout with it."""
        row = self._row(event)
        if row is None:
            return
        if event.occurred_at < row.updated_at:  # also of one that this very batch has made
            return
        lines = event.payload.get("lines") or []
        if event.name == "checkout_started" and not lines:
            # It says where the person is, not what the cart holds.
            if row.status != Cart.Status.OPEN or not row.items:
                return
        elif row.status == Cart.Status.ORDERED and not lines:
            return  # shops empty a cart behind an order; it was bought, not given up
        else:
            row.payload = _cart_payload(event)
            row.items = sum(int(line.get("quantity", 1)) for line in lines)
            row.total, row.currency = _money(event.payload.get("total"))
            row.status = Cart.Status.OPEN if lines else Cart.Status.EMPTY
        row.contact_id = event.contact_id or row.contact_id
        row.updated_at = event.occurred_at
        row.depth = event.depth
        row.abandon_at = (
            event.occurred_at + timedelta(minutes=settings.CART_IDLE_MINUTES)
            if row.status == Cart.Status.OPEN
            else None
        )

    def close(self, event: Event | EventRow) -> None:
        """A cart became an order; kept even if the cart was never heard of."""
        row = self._row(event)
        if row is None:
            return
        # An order is the stronger news: a cart touched in the same minute is sold. One that was
        # touched later is in use again under the same id.
        in_use_again = row.updated_at - event.occurred_at > timedelta(minutes=1)
        if row.status == Cart.Status.OPEN and in_use_again:
            return
        row.status = Cart.Status.ORDERED
        row.abandon_at = None
        row.updated_at = max(row.updated_at, event.occurred_at)

    def _row(self, event: Event | EventRow) -> Cart | None:
        cart_id = event.payload.get("cart_id")
        if not cart_id or event.contact_id is None:
            return None
        key = (event.site_id, str(cart_id))
        if key not in self.rows:
            self.rows[key] = Cart(
                site_id=event.site_id,
                cart_id=cart_id,
                contact_id=event.contact_id,
                updated_at=event.occurred_at,
                status=Cart.Status.EMPTY,
            )
        self.changed[key] = self.rows[key]
        return self.rows[key]

    def save(self) -> None:
        _save_all(
            Cart,
            [self.changed[key] for key in sorted(self.changed)],
            ["contact", "status", "payload", "items", "total", "currency", "updated_at",
             "abandon_at", "depth"],
        )  # fmt: skip


class _Orders:
    def __init__(self, events: Sequence[EventRow]) -> None:
        ids = {order for event in events if (order := event.payload.get("order_id"))}
        sites = {event.site_id for event in events}
        self.rows = {
            (row.site_id, row.order_id): row
            for row in Order.objects.filter(site_id__in=sites, order_id__in=ids)
        }
        self.changed: dict[tuple[int, str], Order] = {}
        self.lines: dict[tuple[int, str], list[dict[str, Any]]] = {}

    def apply(self, event: Event | EventRow) -> None:
        """An order was placed, or moved on."""
        order_id = event.payload.get("order_id")
        if not order_id or event.contact_id is None:
            return
        key = (event.site_id, str(order_id))
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Order(
                site_id=event.site_id,
                order_id=order_id,
                contact_id=event.contact_id,
                updated_at=event.occurred_at,
                status=ORDER_EVENTS[event.name],
            )
        self.changed[key] = row
        if event.occurred_at >= row.updated_at:
            row.status = ORDER_EVENTS[event.name]
            row.updated_at = event.occurred_at
        row.number = row.number or str(event.payload.get("number") or "")
        row.cart_id = row.cart_id or str(event.payload.get("cart_id") or "")
        if row.total is None:
            row.total, row.currency = _money(event.payload.get("total"))
        if event.name == "order_placed" and row.placed_at is None:
            row.placed_at = event.occurred_at
            self.lines[key] = event.payload.get("lines") or []

    def save(self) -> None:
        _save_all(
            Order,
            [self.changed[key] for key in sorted(self.changed)],
            ["status", "number", "cart_id", "total", "currency", "placed_at", "updated_at"],
        )
        OrderLine.objects.bulk_create(
            [
                OrderLine(
                    order=self.rows[key],
                    position=position,
                    sku=line["sku"],
                    name=line["name"][:255],
                    category=(line.get("category") or "")[:255],
                    quantity=line.get("quantity", 1),
                    unit_price=_money(line.get("unit_price"))[0],
                )
                for key in sorted(self.lines)
                for position, line in enumerate(self.lines[key])
            ],
            ignore_conflicts=True,
        )


def _save_all(model: Any, rows: list[Any], fields: list[str]) -> None:
    # Told apart first: once inserted, the new ones have a key as well.
    new, known = [row for row in rows if row.pk is None], [row for row in rows if row.pk]
    model.objects.bulk_create(new)
    update_rows(model, known, fields)


def count_orders(ids: Iterable[int | None], contacts: dict[int, Contact]) -> None:
    """Count again from the rows: adding up events would count a repeated one twice."""
    wanted = [pk for pk in ids if pk is not None]
    if not wanted:
        return
    rows = (
        Order.objects.filter(Q(contact_id__in=wanted, placed_at__isnull=False))
        .exclude(status="cancelled")
        .values("contact_id", "currency")
        .annotate(count=Count("pk"), spent=Sum("total"), last=Max("placed_at"))
        .order_by("contact_id", "last")
    )
    for pk in wanted:
        contacts[pk].orders_count, contacts[pk].spent = 0, Decimal(0)
    for row in rows:  # the currency of the latest order comes last, and stays
        contact = contacts[row["contact_id"]]
        contact.orders_count += row["count"]
        contact.spent = row["spent"] or Decimal(0)
        contact.currency = row["currency"]
        contact.last_order_at = _latest(contact.last_order_at, row["last"])


def _latest(first: datetime | None, second: datetime) -> datetime:
    return max(first, second) if first else second


def _money(value: Any) -> tuple[Decimal | None, str]:
    if not value:
        return None, ""
    return Decimal(str(value["amount"])), str(value["currency"])


def _cart_payload(event: Event | EventRow) -> dict[str, Any]:
    kept = ("cart_id", "checkout_id", "lines", "total", "url")
    return {name: event.payload[name] for name in kept if name in event.payload}
