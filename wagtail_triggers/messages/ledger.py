"""Write intents into the ledger of messages, and take them back; in sets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from .models import Message, MessageClass

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


def cancel(enrolment_ids: Iterable[int], reason: str, moment: datetime) -> int:
    """Cancel what these runs had planned and nobody has handed over; the contacts are locked.

    A receipt is not taken back because somebody reached a goal: transactional messages stay.

    Returns:
        How many messages were cancelled.
    """
    return (
        Message.objects.filter(
            enrolment_id__in=set(enrolment_ids),
            message_class=MessageClass.MARKETING,
            state__in=(
                Message.State.PLANNED,
                Message.State.CLAIMED,
                Message.State.RETRY,
                Message.State.DEFERRED,
            ),
            ambiguous=0,
        )
    ).update(
        state=Message.State.CANCELLED,
        reason=reason[:255],
        due_at=None,
        token=None,
        lease_until=None,
        settled_at=moment,
    )
