"""Write intents into the ledger of messages, and take them back; in sets."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from .models import Message, MessageClass
from .policies import slots

#: How long a message is still worth sending, by the event that began its run. After an outage a
#: cart reminder of the day before yesterday must not go out; a receipt must.
STALE_AFTER: Final = {
    "cart_updated": timedelta(hours=24),
    "cart_abandoned": timedelta(hours=24),
    "checkout_started": timedelta(hours=24),
    "product_viewed": timedelta(hours=12),
    "page_viewed": timedelta(hours=12),
    "product_back_in_stock": timedelta(hours=48),
    "price_dropped": timedelta(hours=48),
}
STALE_MARKETING: Final = timedelta(days=3)
STALE_TRANSACTIONAL: Final = timedelta(days=7)


def expiry(event: str, message_class: str) -> timedelta:
    """How long a message of this class, about this event, may wait before it is too late."""
    if message_class == MessageClass.TRANSACTIONAL:
        return STALE_TRANSACTIONAL
    return STALE_AFTER.get(event, STALE_MARKETING)


def insert(messages: Iterable[Message]) -> list[Message]:
    """Insert intents, in the order of their idempotency keys; the caller's transaction."""
    rows = sorted(messages, key=lambda message: message.idempotency_key)
    return Message.objects.bulk_create(rows)


def cancel(
    enrolment_ids: Iterable[int],
    reason: str,
    moment: datetime,
    *,
    keep_nodes: Collection[str] = (),
) -> int:
    """Cancel what these runs had planned and nobody has handed over; the contacts are locked.

    A receipt is not taken back because somebody reached a goal: transactional messages stay. So
    do those that were planned by one of `keep_nodes`.

    Returns:
        How many messages were cancelled.
    """
    planned = Message.objects.filter(
        enrolment_id__in=set(enrolment_ids),
        message_class=MessageClass.MARKETING,
        state__in=(
            Message.State.PLANNED,
            Message.State.CLAIMED,
            Message.State.RETRY,
            Message.State.DEFERRED,
            Message.State.MERGED,
        ),
        ambiguous=0,
    ).exclude(node__in=keep_nodes)
    rows = list(planned.values_list("pk", "contact_id", "state", "merged_into"))
    if not rows:
        return 0
    slots.revoke({digest for *_rest, digest in rows if digest is not None}, moment)
    slots.wake({contact for _pk, contact, state, _digest in rows if state in slots.HELD}, moment)
    open_ids = [pk for pk, _contact, state, _digest in rows if state != Message.State.MERGED]
    return Message.objects.filter(pk__in=open_ids).update(
        state=Message.State.CANCELLED,
        reason=reason[:255],
        due_at=None,
        held_due_at=None,
        token=None,
        lease_until=None,
        settled_at=moment,
    )
