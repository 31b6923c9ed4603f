"""Route what happened: facts, exits and goals, enrolments. Per contact, in order, in sets.

First, in a transaction of its own, events get their contact. Then contacts that have unrouted
events are claimed; under each one's lock all of its events are routed. A contact that is locked
elsewhere is left with its events unrouted: the next round finds them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import Max, Min

from ..conf import settings
from ..contacts.identify import Description, merge_guests, resolve
from ..contacts.locking import lock_people
from ..contacts.models import Contact
from ..core import clock
from ..core.any_of import AnyOf
from ..core.bulk import update_rows
from ..core.collecting import uncollected
from ..core.locking import engine_transaction, locked, retrying
from ..core.reading import tuples
from ..events.erasing import pass_on
from ..events.models import Event
from ..events.rows import EventRow, event_rows
from . import attempts
from .contact_batch import ContactBatch
from .models import BatchAttempt

logger = logging.getLogger("wagtail_triggers.router")

#: Events of one contact in one batch; a person with more waits for the next round.
EVENTS_PER_CONTACT: Final = 200
#: Transactions commit out of the order of their ids. So far behind the newest id seen is looked
#: for on every round; what commits later still is found by the reaper, which looks everywhere.
LATE_COMMITS: Final = 10_000
#: So many events get their person at once, for each contact that a batch may route: whoever has
#: done several things since is routed once.
EVENTS_EACH: Final = 5
#: Two routers may meet at the same people. Whoever comes second looks behind them, once, instead of
#: taking the queue for empty.
LOOKS: Final = 2

#: The lowest id that can still be unrouted, as far as this process knows. Without it every batch
#: walks over the dead index entries of rows that were routed since an old snapshot began.
_low_water = 0


@uncollected
def route_batch(limit: int | None = None, *, everywhere: bool = False) -> int:
    """Route the events of a batch of contacts.

    Args:
        limit: Contacts (and events without one) at most; `WAGTAIL_TRIGGERS_BATCH_SIZE` if None.
        everywhere: Look at the whole queue, not only near its end.

    Returns:
        How many events were routed; 0 means that there is nothing to do.
    """
    global _low_water
    limit = limit or settings.BATCH_SIZE
    floor = 0 if everywhere else _low_water
    found = _resolve_batch(EVENTS_EACH * limit, floor)
    routed = 0
    for _look in range(LOOKS):
        contact_ids, newest = _waiting_contacts(limit, floor)
        if newest:
            _low_water = max(0, newest - LATE_COMMITS)
        if not contact_ids:
            break
        routed = _route_announced(contact_ids)
        if routed:
            break
    return found + routed


def _route_announced(contact_ids: Sequence[int]) -> int:
    """Route these contacts' events, together or, where that fails, one contact after the other."""
    moment = clock.now()
    attempt = attempts.announce(BatchAttempt.Kind.CONTACTS, contact_ids, moment)
    try:
        return _route(contact_ids, moment, attempt)
    except Exception as error:  # whatever it is, one contact must not hold up all others
        attempts.done(attempt)
        logger.warning("A batch of %d contacts failed", len(contact_ids), exc_info=error)
        return route_singly(contact_ids, f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:  # SystemExit is the death of a worker: the reaper takes over
        attempts.done(attempt)
        raise


def route_singly(contact_ids: Sequence[int], error: str) -> int:
    """Route contacts of a dead batch one by one; each one's oldest event pays beforehand.

    Those that have paid least come first: whoever kills its worker holds up nobody for long.

    Returns:
        How many events were routed.
    """
    routed = 0
    waiting = Event.objects.filter(contact_id__in=contact_ids, routed_at=None)
    paid = dict(waiting.values_list("contact_id").annotate(Max("tries")).order_by())
    for pk in sorted(contact_ids, key=lambda pk: (paid.get(pk, 0), pk)):
        if not _charge(pk, error):
            continue
        try:
            routed += _route([pk], clock.now(), None)
        except Exception as fault:
            # Charged already; once its tries are used up, the event is set aside.
            logger.warning("Routing contact %d fails", pk, exc_info=fault)
    return routed


@retrying
def _charge(contact_id: int, error: str) -> bool:
    with engine_transaction():
        contact = locked(Contact.objects.filter(pk=contact_id), skip_locked=True).first()
        event = Event.objects.filter(contact_id=contact_id, routed_at=None).order_by("pk").first()
        if contact is None or event is None:
            return False
        event.tries += 1
        if event.tries > settings.MAX_TRIES:
            event.routed_at, event.problem = clock.now(), error[:2_000]
        event.save(update_fields=["tries", "routed_at", "problem"])
        return True


@retrying
def _resolve_batch(limit: int, floor: int) -> int:
    """Give events their contact; returns how many events were found to be about nobody."""
    waiting = Event.objects.filter(routed_at=None, resolved=False, pk__gte=floor).order_by("pk")
    first_look = list(waiting.values_list("pk", "site_id", "who")[:limit])
    if not first_look:
        return 0
    moment = clock.now()
    merge_guests([Description(*row) for row in first_look], moment)
    with engine_transaction():
        # Only what was looked at: what another router left over instead was not merged for.
        seen = waiting.filter(AnyOf("pk", [pk for pk, _site, _who in first_look]))
        rows = tuples(locked(seen, skip_locked=True).values_list("pk", "site_id", "who"))
        found = resolve([Description(*row) for row in rows], moment)
        resolved = [_Resolved(row[0], found.get(row[0]), moment) for row in rows]
        update_rows(Event, resolved, ["resolved", "contact", "routed_at"])
    return sum(row.contact_id is None for row in resolved)


class _Resolved:
    """An event whose person has been looked up; about nobody, it is done with."""

    __slots__ = ("contact_id", "pk", "resolved", "routed_at")

    def __init__(self, pk: int, contact_id: int | None, moment: datetime) -> None:
        self.pk = pk
        self.resolved = True
        self.contact_id = contact_id
        self.routed_at = moment if contact_id is None else None


def _waiting_contacts(limit: int, floor: int) -> tuple[list[int], int]:
    """Contacts with unrouted events, those that wait longest first; and the newest such id."""
    rows = (
        Event.objects.filter(routed_at=None, resolved=True, contact_id__isnull=False, pk__gte=floor)
        .exclude(AnyOf("contact_id", attempts.busy_ids(BatchAttempt.Kind.CONTACTS)))
        .values("contact_id")
        .annotate(first=Min("pk"), last=Max("pk"))
        .order_by("first")[:limit]
    )
    found = list(rows)
    return sorted(row["contact_id"] for row in found), max(
        (row["last"] for row in found), default=0
    )


@retrying
def _route(contact_ids: Sequence[int], moment: datetime, attempt: BatchAttempt | None) -> int:
    with engine_transaction():
        people = Contact.objects.filter(AnyOf("pk", contact_ids))
        contacts = _still_themselves(lock_people(people, skip_locked=True))
        # A second statement under the lock: what the first saw may have been routed meanwhile.
        batch = ContactBatch(contacts, _unrouted(contacts), moment)
        batch.route()
        batch.save()
        if attempt is not None:
            attempts.done(attempt)
        return len(batch.events)


def _still_themselves(contacts: dict[int, Contact]) -> dict[int, Contact]:
    """Leave out contacts that were merged or erased since their events were resolved.

    Events of a merged one follow it, and wait for the next round: that person's lock is not ours.
    """
    gone = [contact for contact in contacts.values() if contact.erased_at is not None]
    pass_on(gone)
    for contact in contacts.values():
        if contact.merged_into_id is not None and contact.erased_at is None:
            Event.objects.filter(contact_id=contact.pk, routed_at=None).update(
                contact_id=contact.merged_into_id
            )
    return {
        pk: row
        for pk, row in contacts.items()
        if row.merged_into_id is None and row.erased_at is None
    }


def _unrouted(contacts: dict[int, Contact]) -> list[EventRow]:
    rows = Event.objects.filter(
        AnyOf("contact_id", contacts), routed_at=None, resolved=True
    ).order_by("pk")
    taken: Counter[int | None] = Counter()
    kept = []
    for row in event_rows(rows):
        taken[row.contact_id] += 1
        if taken[row.contact_id] <= EVENTS_PER_CONTACT:
            kept.append(row)
    return kept
