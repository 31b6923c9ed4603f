"""Carts that nobody has touched for a while become the event `cart_abandoned`.

No shop says when a cart is abandoned (saleor/saleor#11207); the engine derives it: so many minutes
after the *last* update, set back by every update, cancelled by an order or by emptying the cart.
"""

from __future__ import annotations

from datetime import datetime

from ..conf import TASK_ROUTE, settings
from ..contacts.locking import lock_people
from ..contacts.models import Contact
from ..core import clock, sites
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from ..events.models import Cart, Event
from ..events.types import event_types


@retrying
def abandon_batch(limit: int | None = None) -> int:
    """Derive `cart_abandoned` for a batch of carts whose time has come.

    A cart whose person cannot be written to stays silent; once an address is given in the
    checkout, it is looked at again.

    Returns:
        How many carts were looked at; 0 means that none is due.
    """
    moment = clock.now()
    due = Cart.objects.filter(abandon_at__lte=moment, status=Cart.Status.OPEN)
    candidates = dict(
        due.order_by("abandon_at").values_list("pk", "contact_id")[: limit or settings.BATCH_SIZE]
    )
    if not candidates:
        return 0
    with engine_transaction():
        people = Contact.objects.filter(pk__in=set(candidates.values()))
        contacts = lock_people(people, skip_locked=True)
        carts = list(locked(due.filter(pk__in=candidates, contact_id__in=contacts)).order_by("pk"))
        # An unrouted event of that person may be the order, or another update: let it come first.
        moved = set(
            Event.objects.filter(contact_id__in=contacts, routed_at=None).values_list(
                "contact_id", flat=True
            )
        )
        ready = [cart for cart in carts if cart.contact_id not in moved]
        Event.objects.bulk_create(
            [
                _event(cart, moment)
                for cart in ready
                if contacts[cart.contact_id].email or contacts[cart.contact_id].phone
            ],
            ignore_conflicts=True,
        )
        Cart.objects.filter(pk__in=[cart.pk for cart in ready]).update(abandon_at=None)
    nudge(TASK_ROUTE)
    return len(ready)


def _event(cart: Cart, moment: datetime) -> Event:
    kind = event_types.get("cart_abandoned")
    return Event(
        site_id=sites.site_id(cart.site_id),
        name=kind.name,
        source="engine",
        dedupe_key=f"cart:{cart.cart_id}:{cart.updated_at.isoformat()}"[:200],
        contact_id=cart.contact_id,
        resolved=True,
        who={},
        key=cart.cart_id,
        refs=kind.refs(cart.cart_id, cart.payload),
        payload=cart.payload,
        occurred_at=cart.abandon_at or moment,
        recorded_at=moment,
        depth=cart.depth,
    )
