"""The slots that a person's messages take, as the send ledger keeps them; in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef

from ...consent.caps import Use
from ...consent.models import SendLedger
from ..models import Message, MessageClass

#: In these states a message takes no slot, whatever the ledger says: it has not left, and will not
#: before it is claimed anew. So a slot is free at the very moment at which the state is written.
FREE: Final = (
    Message.State.PLANNED,
    Message.State.DEFERRED,
    Message.State.SKIPPED,
    Message.State.EXPIRED,
    Message.State.CANCELLED,
    Message.State.FAILED,
    Message.State.MERGED,
)
_ENDED: Final = (
    Message.State.SKIPPED,
    Message.State.EXPIRED,
    Message.State.CANCELLED,
    Message.State.FAILED,
)
#: In these it has one, and may lose it.
HELD: Final = (Message.State.CLAIMED, Message.State.RETRY)
_FINAL: Final = (Message.State.ACCEPTED, Message.State.UNKNOWN_PARKED)


def uses(
    contact_ids: Collection[int], since: datetime, *, besides: Collection[int]
) -> dict[int, list[Use]]:
    """What was sent to these people, or may be on its way, since a moment; one query.

    Args:
        contact_ids: Contacts that are locked.
        since: As long ago as the longest cap looks back.
        besides: Messages that are about to be decided anew.
    """
    of_message = Message.objects.filter(pk=OuterRef("message_id"))
    rows = (
        SendLedger.objects.filter(contact_id__in=contact_ids, at__gt=since)
        .exclude(message_id__in=besides)
        .exclude(Exists(of_message.filter(state__in=FREE)))
        .annotate(final=Exists(of_message.filter(state__in=_FINAL)))
    )
    found: dict[int, list[Use]] = defaultdict(list)
    for contact, channel, at, final in rows.values_list("contact_id", "channel", "at", "final"):
        found[contact].append(Use(channel, at, final))
    return found


def reserve(messages: Iterable[Message], until: Mapping[int, datetime]) -> None:
    """Give each message its slot, and leave to be handed over until a moment; one statement.

    Args:
        messages: Messages that are being claimed.
        until: By contact: the end of the lease, or the beginning of the quiet hours.
    """
    rows = [
        SendLedger(
            site_id=message.site_id,
            contact_id=message.contact_id,
            message_id=message.pk,
            channel=message.channel,
            at=until[message.contact_id],
            until=until[message.contact_id],
        )
        for message in messages
    ]
    if not rows:
        return
    named = connection.features.supports_update_conflicts_with_target
    SendLedger.objects.bulk_create(
        sorted(rows, key=lambda row: row.message_id),
        update_conflicts=True,
        unique_fields=["message"] if named else None,
        update_fields=["contact", "channel", "at", "until"],
    )


def revoke(message_ids: Collection[int], moment: datetime) -> None:
    """End the permits of messages that have changed: what was claimed is claimed anew."""
    if message_ids:
        SendLedger.objects.filter(message_id__in=message_ids, until__gt=moment).update(until=moment)


def wake(contact_ids: Collection[int], moment: datetime) -> None:
    """Let what these people's messages wait for be looked at now: a slot has become free."""
    if contact_ids:
        Message.objects.filter(
            contact_id__in=set(contact_ids), state=Message.State.DEFERRED, due_at__gt=moment
        ).update(due_at=moment)


def freed(message: Message, state: str, moment: datetime) -> None:
    """Wake what waits for this message's slot, where it has ended without leaving."""
    if message.message_class == MessageClass.MARKETING and state in _ENDED:
        wake([message.contact_id], moment)
