"""Let providers' reports have their effects: heal messages in doubt, stop addresses, make events.

In sets, and like everything that changes what may happen to a person under that contact's lock. A
contact that is locked elsewhere is left; its reports stay due.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext_noop

from ..conf import TASK_ROUTE, settings
from ..consent.models import Suppression
from ..consent.stopping import Stop, stop_addresses
from ..contacts.locking import lock_ids
from ..contacts.models import Contact
from ..core import clock
from ..core.bulk import update_rows
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from ..events.models import Event
from ..events.types import EventType, event_types
from .models import Message, MessageEvent
from .outcomes import Settlement
from .policies.slots import wake

Kind = MessageEvent.Kind

REFUSED: Final = gettext_noop("The provider refused it.")

#: Each of these proves that the message left.
_LEFT: Final = frozenset(
    {
        Kind.SENT,
        Kind.DELIVERED,
        Kind.DEFERRED,
        Kind.BOUNCED,
        Kind.COMPLAINED,
        Kind.UNSUBSCRIBED,
        Kind.OPENED,
        Kind.CLICKED,
    }
)
#: States in which nobody knows whether it left.
_IN_DOUBT: Final = frozenset(
    {Message.State.SENDING, Message.State.UNKNOWN, Message.State.UNKNOWN_PARKED}
)
#: The event that a report becomes. What journeys have no use for is kept as a report alone.
_EVENT_OF: Final[Mapping[str, str]] = {
    Kind.DELIVERED: "message_delivered",
    Kind.OPENED: "message_opened",
    Kind.CLICKED: "message_clicked",
    Kind.BOUNCED: "message_bounced",
    Kind.REJECTED: "message_rejected",
    Kind.COMPLAINED: "message_complained",
}

#: A report may overtake the outcome that tells us the provider's id: it is looked at again.
LOOK_AGAIN: Final = timedelta(minutes=1)
#: After so long a report about a message that nobody knows is about none of ours.
GIVE_UP: Final = timedelta(minutes=15)

_WRITTEN: Final = (
    "state",
    "reason",
    "due_at",
    "token",
    "lease_until",
    "settled_at",
    "provider_id",
    "provider_status",
)


def due() -> bool:
    """Whether any report waits for `apply_batch`."""
    return MessageEvent.objects.filter(due_at__lte=clock.now()).exists()


@retrying
def apply_batch(limit: int | None = None) -> int:
    """Let a batch of reports have their effects; a fixed number of queries, whatever their number.

    Returns:
        How many reports were looked at; 0 means that none is due, or that others work on them.
    """
    moment = clock.now()
    waiting = MessageEvent.objects.filter(due_at__lte=moment)
    reports = list(waiting.order_by("due_at", "pk")[: limit or settings.BATCH_SIZE])
    if not reports:
        return 0
    found = _messages_of(reports)
    with engine_transaction():
        people = Contact.objects.filter(pk__in={contact for _pk, contact in found.values()})
        contacts = lock_ids(people, skip_locked=True)
        messages = {
            row.pk: row
            for row in locked(
                Message.objects.filter(
                    pk__in={pk for pk, _contact in found.values()}, contact_id__in=contacts
                )
            ).order_by("pk")
        }
        # Under the lock: what the first look saw may have had its effects meanwhile.
        mine = list(
            locked(waiting.filter(pk__in=[row.pk for row in reports]), skip_locked=True).order_by(
                "at", "pk"
            )
        )
        _apply(mine, found, messages, moment)
    return len(mine)


def _messages_of(reports: Sequence[MessageEvent]) -> dict[int, tuple[int, int]]:
    """The message and its contact for each report, by our id or by the provider's."""
    names = {row.public_id for row in reports if row.public_id}
    theirs = {row.provider_message_id for row in reports if row.provider_message_id}
    rows = Message.objects.filter(
        Q(public_id__in=names) | (Q(provider_id__in=theirs) & ~Q(provider_id=""))
    ).values_list("pk", "contact_id", "public_id", "provider_id")
    by_name: dict[uuid.UUID, tuple[int, int]] = {}
    by_theirs: dict[str, list[tuple[int, int]]] = {}
    for pk, contact, name, provider_id in rows:
        by_name[name] = (pk, contact)
        by_theirs.setdefault(provider_id, []).append((pk, contact))
    found = {}
    for row in reports:
        guesses = by_theirs.get(row.provider_message_id, []) if row.provider_message_id else []
        match = by_name.get(row.public_id) if row.public_id else None
        if match is None and len(guesses) == 1:  # an id that two messages share says nothing
            match = guesses[0]
        if match is not None:
            found[row.pk] = match
    return found


def _apply(
    reports: Sequence[MessageEvent],
    found: Mapping[int, tuple[int, int]],
    messages: Mapping[int, Message],
    moment: datetime,
) -> None:
    known: list[tuple[MessageEvent, Message]] = []
    changed: list[MessageEvent] = []
    for report in reports:
        match = found.get(report.pk)
        if match is None:
            early = moment - report.recorded_at < GIVE_UP
            report.due_at = moment + LOOK_AGAIN if early else None
            changed.append(report)
        elif match[0] in messages:  # otherwise somebody else holds that person: it stays due
            message = messages[match[0]]
            report.message, report.site_id, report.due_at = message, message.site_id, None
            known.append((report, message))
            changed.append(report)
    _forget(known)
    _heal(known, moment)
    stop_addresses([_stop(report, row) for report, row in known if report.stops], moment)
    events = [_event(report, row, moment) for report, row in known if report.kind in _EVENT_OF]
    Event.objects.bulk_create(events, ignore_conflicts=True)
    update_rows(MessageEvent, changed, ["message", "site", "due_at"])
    if events:
        nudge(TASK_ROUTE)


def _forget(known: Iterable[tuple[MessageEvent, Message]]) -> None:
    """Keep no words about a letter whose recipient was erased since: it has no address any more."""
    gone = [report for report, row in known if not row.address]
    for report in gone:
        report.detail = report.url = ""
    if gone:
        MessageEvent.objects.filter(pk__in=[report.pk for report in gone]).update(detail="", url="")


def _heal(known: Iterable[tuple[MessageEvent, Message]], moment: datetime) -> None:
    """Settle messages of which nobody knew whether they left; the caller holds their locks.

    The sender writes by compare-and-set on the token that is taken away here, so whoever comes
    later with less knowledge changes nothing.
    """
    healed: dict[int, Message] = {}
    for report, row in known:
        new = _settlement(report, row)
        if new is None:
            continue
        row.state, row.reason, row.settled_at = new.state, new.reason, moment
        row.due_at = row.token = row.lease_until = None
        row.provider_id = report.provider_message_id or row.provider_id
        row.provider_status = report.kind
        healed[row.pk] = row
    update_rows(Message, list(healed.values()), _WRITTEN)
    # What counted as sent was not: others may have its slot.
    failed = [row for row in healed.values() if row.state == Message.State.FAILED]
    wake([row.contact_id for row in failed], moment)


def _settlement(report: MessageEvent, row: Message) -> Settlement | None:
    """What the report makes of a message in doubt, or None where it tells nothing new.

    An attempt whose outcome was not known may lie behind any later state: a retry that never left,
    an expiry. What left has left, whatever was tried afterwards.
    """
    if report.kind in _LEFT:
        doubtful = row.state in _IN_DOUBT or row.ambiguous > 0
        if doubtful and row.state != Message.State.ACCEPTED:
            return Settlement(Message.State.ACCEPTED)
    elif report.kind == Kind.REJECTED and row.state in _IN_DOUBT:
        return Settlement(Message.State.FAILED, report.detail or REFUSED)
    return None


def _stop(report: MessageEvent, row: Message) -> Stop:
    return Stop(
        site_id=row.site_id,
        channel=row.channel,
        address=row.address,
        address_hash=row.address_hash,
        reason=report.stops,
        at=report.at,
        source=f"{report.provider}: {report.kind}",
        topic_id=row.topic_id,
    )


def _event(report: MessageEvent, row: Message, moment: datetime) -> Event:
    kind: EventType = event_types.get(_EVENT_OF[report.kind])
    key = str(row.public_id)
    payload: dict[str, Any] = kind.payload.model_validate(
        {
            "message_id": key,
            "run": row.enrolment_id or 0,
            "node": row.node,
            "machine": report.machine,
            "permanent": report.stops == Suppression.Reason.BOUNCED,
            "url": report.url,
            "detail": report.detail,
        }
    ).model_dump(mode="json")
    return Event(
        site_id=row.site_id,
        name=kind.name,
        source="provider",
        dedupe_key=f"report:{report.pk}",
        contact_id=row.contact_id,
        resolved=True,
        who={},
        key=key,
        refs=kind.refs(key, payload),
        payload=payload,
        # The provider's clock may be behind ours: nothing is reported of what was not planned yet.
        occurred_at=max(report.at, row.planned_at),
        recorded_at=moment,
        depth=row.depth + 1,
    )
