"""Claim planned messages in one transaction, and take back what dead senders held.

Contacts are locked first, then messages; a second statement reads the messages again under the
lock, and the guards are asked in a third: one in the claiming statement would see the world from
before a concurrent unsubscribe.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from ..conf import settings
from ..consent.addresses import canonical, current_hash
from ..consent.rehash import Addressed, rehash
from ..contacts.locking import lock_people
from ..contacts.models import Contact
from ..core import clock
from ..core.bulk import update_rows
from ..core.locking import engine_transaction, locked, retrying
from ..events.models import Event
from ..exceptions import ConfigurationError
from . import trail
from .channels.base import Channel, get_channel
from .guards import Guard, stopped_by
from .models import Message, MessageClass
from .outcomes import UNKNOWN, Settlement, may_repeat, unknown
from .policies import circuit, rate, slots
from .policies import digest as digests
from .policies.arbiter import arbitrate
from .policies.collapse import OVERDUE

#: Messages that one claim takes. Small, so that an unsubscribe or a stop reaches most of them.
BATCH: Final = 50

#: What is held for so long at most competes for a slot already.
SOON: Final = timedelta(minutes=1)

NO_CHANNEL: Final = gettext_noop("Its channel is not set up. Add it to WAGTAIL_TRIGGERS_CHANNELS.")
WORKERS_DIED: Final = gettext_noop("The worker died each time it was about to be sent.")

_WRITTEN: Final = (
    "state",
    "reason",
    "token",
    "due_at",
    "held_due_at",
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
    #: When the shop was asked last, by this worker's monotonic clock; None where it was not.
    asked_at: float | None = None
    #: What the provider took, and what could not even be built.
    accepted: list[Message] = field(default_factory=list)
    broken: list[Message] = field(default_factory=list)
    #: How the attempts through each channel went, and which of them had failed before.
    attempts: dict[str, str] = field(default_factory=dict)
    shaky: list[str] = field(default_factory=list)
    #: Channels that are left alone for a while.
    closed: Sequence[str] = ()

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
    claim.closed, claim.shaky = circuit.look(message_class, claim.moment)
    tried: set[int] = set()
    # Where another sender is just claiming what comes first, look behind it instead of giving up.
    for window in (limit, 2 * limit, 4 * limit):
        found = _candidates(message_class, claim.moment, window, claim.closed)
        candidates = dict([(pk, who) for pk, who in found.items() if pk not in tried][:limit])
        if not candidates:
            break
        tried |= candidates.keys()
        _lock_and_claim(candidates, claim, message_class)
        if claim.contacts:
            break
    return claim


def _lock_and_claim(candidates: dict[int, int], claim: Claim, message_class: str) -> None:
    with engine_transaction():
        people = Contact.objects.filter(pk__in=set(candidates.values()))
        claim.contacts = lock_people(people, skip_locked=True)
        if not claim.contacts:
            return
        marketing = message_class == MessageClass.MARKETING
        rows = _waiting(candidates, claim, marketing)
        _address(rows, claim)
        empty = digests.recheck(rows, claim.moment)
        stopped = stopped_by([row.pk for row in rows], claim.moment)
        free, written = [], []
        for row in rows:
            guard = stopped.get(row.pk)
            verdict_of = _settled_at_once(row, guard, claim)
            if row.pk in empty:
                verdict_of = Settlement(Message.State.CANCELLED, digests.NOTHING_LEFT)
            if verdict_of is None:
                free.append(row)
            elif verdict_of.terminal or _is_due(row, claim.moment):
                _settle(row, verdict_of, claim)
                written.append(row)
        take_them = _take_marketing if marketing else _take_all
        # What stays unknown counts; what was stopped before it left does not.
        stopped_ids = {row.pk for row in written if row.state in slots.FREE}
        written += take_them(free, claim, stopped_ids)
        update_rows(Message, written, _WRITTEN)
        trail.keep(written)


def _waiting(candidates: dict[int, int], claim: Claim, marketing: bool) -> list[Message]:
    """What may be taken, read again under the lock of the people.

    Of marketing it is everything that competes for their slots, whether it is in the batch or not,
    and due or not: only so does the most important message get the slot that has become free.
    """
    wanted = Q(pk__in=candidates, due_at__lte=claim.moment, state__in=Message.WAITING)
    if marketing:
        due = Q(due_at__lte=claim.moment, state__in=Message.WAITING)
        put_off = Q(state__in=(Message.State.DEFERRED, Message.State.RETRY))
        # Held for a moment by a guard, such as news of the person that nobody has looked at yet.
        soon = Q(state=Message.State.PLANNED, due_at__lte=claim.moment + SOON)
        wanted = Q(message_class=MessageClass.MARKETING, due_at__isnull=False) & (
            due | put_off | soon
        )
    return list(
        locked(
            Message.objects.filter(wanted, contact_id__in=claim.contacts)
            .exclude(channel__in=claim.closed)
            .select_related("template_version"),
            of=("self",),
        ).order_by("-priority", "due_at", "pk")
    )


def _take_all(free: Sequence[Message], claim: Claim, decided: Collection[int]) -> list[Message]:
    """Claim transactional messages, which wait for nothing and nobody."""
    for row in free:
        _hold(row, claim)
    rate.charge(free, claim.moment)
    return list(free)


def _take_marketing(
    free: Sequence[Message], claim: Claim, decided: Collection[int]
) -> list[Message]:
    """Claim what may leave by the policies, and put off the rest; returns what has changed."""
    if not free:
        return []
    ruling = arbitrate(free, claim.contacts, claim.moment, decided=decided)
    for row, new in ruling.settled:
        _settle(row, new, claim)
    # One that may have killed a worker goes alone; the others are left as they are.
    suspects = [entrant for entrant in ruling.go if entrant.message.tries]
    ruling.go = suspects[:1] or ruling.go
    # By what they were: the oldest of a digest's messages says whether it is overdue.
    granted = rate.grant([entrant.rows[0] for entrant in ruling.go], claim.moment)
    go = [entrant for place, entrant in enumerate(ruling.go) if place in granted]
    merged = digests.insert(go, claim.moment)
    for entrant in go:
        _hold(entrant.message, claim)
    update_rows(Message, merged, ["merged_into"])
    slots.reserve([entrant.message for entrant in go], ruling.until)
    return [
        *(row for row, _new in ruling.settled),
        *merged,
        *(entrant.message for entrant in go),
    ]


def _hold(row: Message, claim: Claim) -> None:
    row.state, row.token, row.due_at = Message.State.CLAIMED, claim.token, None
    row.lease_until = claim.moment + settings.lease
    claim.messages.append(row)


def _settle(row: Message, new: Settlement, claim: Claim) -> None:
    claim.handled += _is_due(row, claim.moment)
    apply(row, new, claim.moment)


def _is_due(row: Message, moment: datetime) -> bool:
    return row.due_at is not None and row.due_at <= moment


def _candidates(
    message_class: str, moment: datetime, limit: int, closed: Sequence[str] = ()
) -> dict[int, int]:
    """Ids of due messages with their contacts', read without a lock.

    One that may have been the cause of a worker's death is taken alone: if it was, nobody else's
    message pays for it, and if the next worker dies too, there is no doubt about the cause.
    """
    due = Message.objects.filter(
        message_class=message_class, due_at__lte=moment, state__in=Message.WAITING
    ).order_by("due_at", "-priority")
    if closed:
        due = due.exclude(channel__in=closed)
    if message_class == MessageClass.MARKETING:
        found = _with_room(due, moment, limit)
    else:
        found = list(due.values_list("pk", "contact_id", "tries")[:limit])
    alone = [row for row in found if row[2]]
    return {pk: contact for pk, contact, _tries in (alone[:1] or found)}


def _with_room(due: QuerySet[Message], moment: datetime, limit: int) -> list[tuple[int, int, int]]:
    """Due marketing that the channels' limits let through. What is overdue stands back a little.

    After an outage what was just planned does not wait behind everything from before.
    """
    room = rate.room(moment)
    if full := room.full():
        due = due.exclude(channel__in=full)
    columns = ("pk", "contact_id", "tries")
    found = list(due.values_list(*columns, "due_at")[:limit])
    late = [row for row in found if row[3] <= moment - OVERDUE]
    if not late or not room.overdue:
        return [row[:3] for row in found]
    slow = due.filter(due_at__lte=moment - OVERDUE).exclude(channel__in=room.full_for_overdue())
    most = min(limit, max(room.overdue.values()))
    fresh = due.filter(due_at__gt=moment - OVERDUE)
    chosen = list(slow.values_list(*columns)[:most])
    return chosen + list(fresh.values_list(*columns)[: limit - len(chosen)])


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
            due_at=None if guard.hold_for is None else moment + guard.hold_for,
            held_due_at=moment if guard.hold_for is None else None,
            ambiguous=row.ambiguous,
            terminal=False,
        )
    if row.ambiguous:
        # It may have left before the guard began to stop it: that must stay visible.
        return Settlement(Message.State.UNKNOWN_PARKED, guard.reason, ambiguous=row.ambiguous)
    return Settlement(guard.state, guard.reason)


def apply(row: Message, new: Settlement, moment: datetime) -> None:
    """Put a settlement into a row; does not save."""
    if not new.terminal:
        trail.note(row, new, moment)
    row.state, row.reason, row.due_at = new.state, new.reason, new.due_at
    row.held_due_at = new.held_due_at
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
        trail.keep(rows)
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
