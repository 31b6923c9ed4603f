"""Claim planned messages in one transaction, and take back what dead senders held.

Contacts are locked first, then messages; a second statement reads the messages again under the
lock, and the guards are asked in a third: one in the claiming statement would see the world from
before a concurrent unsubscribe.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_noop

from ..conf import settings
from ..consent.addresses import canonical, current_hash
from ..consent.rehash import Addressed, rehash
from ..contacts.models import Contact
from ..core import clock
from ..core.bulk import update_rows
from ..core.locking import engine_transaction, locked, retrying
from ..events.models import Event
from ..exceptions import ConfigurationError
from .channels.base import Channel, get_channel
from .guards import Guard, stopped_by
from .models import Message, MessageClass
from .outcomes import UNKNOWN, Settlement, may_repeat, unknown

#: Messages that one claim takes. Small, so that an unsubscribe or a stop reaches most of them.
BATCH: Final = 50

NO_CHANNEL: Final = gettext_noop("Its channel is not set up. Add it to WAGTAIL_TRIGGERS_CHANNELS.")
WORKERS_DIED: Final = gettext_noop("The worker died each time it was about to be sent.")

_WRITTEN: Final = (
    "state",
    "reason",
    "token",
    "due_at",
    "lease_until",
    "settled_at",
    "ambiguous",
    "tries",
)


@dataclass(slots=True)
class Claim:
    """What one sender holds.

    `handled` counts what was settled or put off at once, and so was not claimed.
    """

    token: uuid.UUID
    moment: datetime
    taken_at: float
    messages: list[Message] = field(default_factory=list)
    contacts: dict[int, Contact] = field(default_factory=dict)
    channels: dict[str, Channel | None] = field(default_factory=dict)
    handled: int = 0

    def channel(self, name: str) -> Channel | None:
        """The channel of this name, built once per claim; None where it is not set up."""
        if name not in self.channels:
            self.channels[name] = _channel_or_none(name)
        return self.channels[name]


def _channel_or_none(name: str) -> Channel | None:
    try:
        return get_channel(name)
    except ConfigurationError:
        return None


@retrying
def take(message_class: str, limit: int = BATCH) -> Claim:
    """Claim a batch of due messages of one lane; settle at once what a guard stops."""
    claim = Claim(uuid.uuid4(), clock.now(), time.monotonic())
    tried: set[int] = set()
    # Where another sender is just claiming what comes first, look behind it instead of giving up.
    for window in (limit, 2 * limit, 4 * limit):
        found = _candidates(message_class, claim.moment, window)
        candidates = dict([(pk, who) for pk, who in found.items() if pk not in tried][:limit])
        if not candidates:
            break
        tried |= candidates.keys()
        _lock_and_claim(candidates, claim)
        if claim.contacts:
            break
    return claim


def _lock_and_claim(candidates: dict[int, int], claim: Claim) -> None:
    with engine_transaction():
        people = Contact.objects.filter(pk__in=set(candidates.values()))
        claim.contacts = {row.pk: row for row in locked(people, skip_locked=True).order_by("pk")}
        if not claim.contacts:
            return
        rows = list(
            locked(
                Message.objects.filter(
                    pk__in=candidates,
                    contact_id__in=claim.contacts,
                    due_at__lte=claim.moment,
                    state__in=Message.WAITING,
                ).select_related("template_version"),
                of=("self",),
            ).order_by("-priority", "due_at", "pk")
        )
        _address(rows, claim)
        stopped = stopped_by([row.pk for row in rows], claim.moment)
        for row in rows:
            verdict_of = _settled_at_once(row, stopped.get(row.pk), claim)
            if verdict_of is not None:
                apply(row, verdict_of, claim.moment)
                claim.handled += 1
            else:
                row.state, row.token, row.due_at = Message.State.CLAIMED, claim.token, None
                row.lease_until = claim.moment + settings.lease
                claim.messages.append(row)
        update_rows(Message, rows, _WRITTEN)


def _candidates(message_class: str, moment: datetime, limit: int) -> dict[int, int]:
    """Ids of due messages with their contacts', read without a lock.

    One that may have been the cause of a worker's death is taken alone: if it was, nobody else's
    message pays for it, and if the next worker dies too, there is no doubt about the cause.
    """
    due = Message.objects.filter(
        message_class=message_class, due_at__lte=moment, state__in=Message.WAITING
    ).order_by("due_at", "-priority")
    found = list(due.values_list("pk", "contact_id", "tries")[:limit])
    alone = [row for row in found if row[2]]
    return {pk: contact for pk, contact, _tries in (alone[:1] or found)}


def _settled_at_once(row: Message, guard: Guard | None, claim: Claim) -> Settlement | None:
    if guard is not None:
        return stop(row, guard, claim.moment)
    channel = claim.channel(row.channel)
    if channel is None:
        return Settlement(Message.State.FAILED, NO_CHANNEL, ambiguous=row.ambiguous)
    if row.tries >= settings.MAX_TRIES:
        # One that died while it was handed over may have left: that must stay visible.
        state = Message.State.UNKNOWN_PARKED if row.ambiguous else Message.State.FAILED
        return Settlement(state, WORKERS_DIED, ambiguous=row.ambiguous)
    in_doubt = row.state == Message.State.UNKNOWN
    if in_doubt and not may_repeat(row, idempotent=channel.idempotent):
        return Settlement(Message.State.UNKNOWN_PARKED, UNKNOWN, ambiguous=row.ambiguous)
    return None


def _address(rows: Sequence[Message], claim: Claim) -> None:
    """Resolve where each message goes now; what is in doubt keeps the address it went to."""
    orders = dict(
        Event.objects.filter(
            pk__in={
                row.event_id
                for row in rows
                if row.message_class == MessageClass.TRANSACTIONAL and row.event_id
            }
        ).values_list("pk", "who")
    )
    open_rows = [row for row in rows if not row.ambiguous]
    for row in open_rows:
        channel = claim.channel(row.channel)
        address = channel.address_of(claim.contacts[row.contact_id]) if channel else ""
        if row.channel == "email":  # a receipt goes to the address of its own order
            address = (orders.get(row.event_id or 0) or {}).get("email") or address
        row.address = canonical(row.channel, address)
    for row in rows:
        row.address_hash = current_hash(row.channel, row.address) if row.address else ""
    rehash(Addressed(row.site_id, row.channel, row.address) for row in rows)
    update_rows(Message, rows, ["address", "address_hash"])


def stop(row: Message, guard: Guard, moment: datetime) -> Settlement:
    """What a message becomes that a guard stops."""
    if guard.state == Message.State.PLANNED:
        state = Message.State.UNKNOWN if row.ambiguous else Message.State.PLANNED
        return Settlement(
            state,
            guard.reason,
            due_at=moment + guard.hold_for,
            ambiguous=row.ambiguous,
            terminal=False,
        )
    if row.ambiguous:
        # It may have left before the guard began to stop it: that must stay visible.
        return Settlement(Message.State.UNKNOWN_PARKED, guard.reason, ambiguous=row.ambiguous)
    return Settlement(guard.state, guard.reason)


def apply(row: Message, new: Settlement, moment: datetime) -> None:
    """Put a settlement into a row; does not save."""
    row.state, row.reason, row.due_at = new.state, new.reason, new.due_at
    row.token = row.lease_until = None
    row.ambiguous = new.ambiguous
    row.settled_at = moment if new.terminal else None


@retrying
def reap(limit: int = 500) -> int:
    """Take back what dead senders held.

    A message that was only claimed is planned again. One that was being handed over is in doubt.

    Returns:
        How many messages were taken back.
    """
    with engine_transaction():
        moment = clock.now()
        rows = list(
            locked(
                Message.objects.filter(
                    lease_until__lt=moment,
                    state__in=(Message.State.CLAIMED, Message.State.SENDING),
                ).order_by("lease_until", "pk"),
                skip_locked=True,
            )[:limit]
        )
        _blame(rows)
        for row in rows:
            if row.state == Message.State.SENDING:
                channel = _channel_or_none(row.channel)
                idempotent = channel is not None and channel.idempotent
                apply(row, unknown(row, idempotent=idempotent, moment=moment), moment)
            else:
                row.state = Message.State.UNKNOWN if row.ambiguous else Message.State.PLANNED
                row.token, row.lease_until, row.due_at = None, None, moment
        update_rows(Message, rows, _WRITTEN)
    return len(rows)


def _blame(rows: Sequence[Message]) -> None:
    """Count a worker's death against the messages that may have caused it; does not save.

    Only one message is ever in `sending`: where there is one, the others of its claim were waiting
    and had no part in it. Where there is none, the worker died while it built the letters, and any
    of them may be guilty: they are suspected, once, and taken alone from then on. Otherwise workers
    that are killed for other reasons, one after the other, would have healthy messages set aside.
    """
    tokens = {row.token for row in rows}
    # By the lease, which has an index. That of the message in `sending` ends last.
    held = Message.objects.filter(lease_until__isnull=False, token__in=tokens)
    claims = Counter(held.values_list("token", flat=True))
    sending = set(held.filter(state=Message.State.SENDING).values_list("token", flat=True))
    for row in rows:
        if row.state == Message.State.SENDING or claims[row.token] == 1:
            row.tries += 1
        elif row.token not in sending:
            row.tries = max(row.tries, 1)
