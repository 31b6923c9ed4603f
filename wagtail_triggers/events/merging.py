"""When two contacts turn out to be one, their events, carts and orders follow."""

from __future__ import annotations

from datetime import datetime

from ..contacts.merge import on_merge
from ..contacts.models import Contact
from .models import Cart, Event, Order
from .projections import count_orders


@on_merge("events")
def follow(loser: Contact, winner: Contact, moment: datetime) -> None:
    """Point what happened to the loser at the winner, and count the orders again."""
    for model in (Event, Cart, Order):
        model._default_manager.filter(contact_id=loser.pk).update(contact_id=winner.pk)
    if Order.objects.filter(contact_id=winner.pk).exists():
        count_orders([winner.pk], {winner.pk: winner})
