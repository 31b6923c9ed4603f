"""Forget a person: nothing happens to them any more, then nothing tells who they were.

An erasure is a row, so that no wish is lost with a worker. It is carried out in two parts:

- *Stopping*, one transaction under the locks of the person's contacts: runs end, what was planned
  is cancelled, addresses are suppressed by their keyed hash, the contact is emptied and its
  identities are deleted. From its commit on nothing is claimed for that person. A letter that was
  being handed over at that moment may still leave.
- *Emptying* every table that tells of the person, a chunk of rows in a transaction. It begins when
  nobody holds anything of theirs any more, may be interrupted at any moment, and goes on where it
  was.

Rows that statistics count stay, and point to an empty contact. What there is to empty is registered
by the rooms (`erasing.py`).
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet

from ..conf import TASK_LIFECYCLE
from ..core import clock
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from .erasing import CERTAIN, Subject, Trace, erasers, traces
from .identities import Who
from .locking import lock_people
from .models import Contact, Erasure, Identity

logger = logging.getLogger("wagtail_triggers.erasing")

#: Rows of one transaction.
CHUNK: Final = 1_000
#: Rows of one table that are counted for an outlook.
LOOKED_AT: Final = 10_000
#: How long to wait for whoever holds something of the person, and after a fault.
LOOK_AGAIN: Final = timedelta(seconds=5)
AFTER_A_FAULT: Final = timedelta(minutes=1)
#: Which field of a description, or of a contact, holds the address for a channel.
_REACHED_BY: Final = {"email": "email", "sms": "phone"}


def request(who: Who, site_id: int) -> Erasure:
    """Record that a person is to be erased; a worker does it after the transaction commits.

    Args:
        who: A checked description; `find` says whom it means.
        site_id: On which site.
    """
    now = clock.now()
    row = Erasure.objects.create(site_id=site_id, who=who.as_json(), requested_at=now, due_at=now)
    nudge(TASK_LIFECYCLE)
    return row


def request_contact(contact: Contact) -> Erasure:
    """Record that the person behind a contact is to be erased."""
    now = clock.now()
    row = Erasure.objects.create(
        site_id=contact.site_id, contacts=[contact.pk], requested_at=now, due_at=now
    )
    nudge(TASK_LIFECYCLE)
    return row


def is_open() -> bool:
    """Whether an erasure is due."""
    return Erasure.objects.filter(due_at__lte=clock.now()).exists()


def carry_on(*, seconds: float = 20.0) -> int:
    """Go on with the erasures that are due.

    Returns:
        How many were looked at; 0 means that none is due.
    """
    ends = time.monotonic() + seconds
    due = Erasure.objects.filter(due_at__lte=clock.now()).order_by("due_at", "pk")
    looked = 0
    for pk in list(due.values_list("pk", flat=True)[:100]):
        if time.monotonic() >= ends:
            break
        carry_out(pk, seconds=ends - time.monotonic())
        looked += 1
    return looked


def carry_out(pk: int, *, seconds: float = 20.0) -> Erasure:
    """Carry out one erasure as far as the time allows; what is left waits for `carry_on`.

    A fault does not end it: it is tried again a minute later, and its kind is kept in `problem`.

    Args:
        pk: The erasure's.
        seconds: When to leave the rest to a worker.

    Returns:
        The erasure as it is afterwards; `done_at` says whether all was done.
    """
    try:
        return _carry_out(pk, time.monotonic() + seconds)
    except Exception as error:  # whoever wants to be forgotten must not depend on one fault
        logger.exception("Erasure %d fails", pk)
        Erasure.objects.filter(pk=pk, done_at=None).update(
            # Only what sort of fault it was: its words may hold what is to be forgotten.
            problem=type(error).__name__,
            due_at=clock.now() + AFTER_A_FAULT,
        )
        return Erasure.objects.get(pk=pk)


def _carry_out(pk: int, ends: float) -> Erasure:
    row = Erasure.objects.get(pk=pk)
    if row.done_at is not None:
        return row
    subject = _stop(pk)
    if any(one.busy(subject) for one in erasers.all().values()):
        return _leave(pk, LOOK_AGAIN)
    for trace in traces():
        while not _empty_chunk(pk, trace, subject):
            if time.monotonic() >= ends:
                return _leave(pk, timedelta(0))
    return _finish(pk)


def _leave(pk: int, wait: timedelta) -> Erasure:
    Erasure.objects.filter(pk=pk).update(due_at=clock.now() + wait)
    return Erasure.objects.get(pk=pk)


@retrying
def _stop(pk: int) -> Subject:
    """Let nothing happen to the person any more; repeated, it stops what has turned up since."""
    with engine_transaction():
        row = locked(Erasure.objects.filter(pk=pk)).get()
        subject = _locked_subject(row)
        addresses = _addresses(subject, row)
        changed: Counter[str] = Counter(row.removed)
        for _room, eraser in sorted(erasers.all().items()):
            changed.update(eraser.stop(subject, addresses))
        changed.update(_forget_contacts(subject))
        row.contacts, row.removed = list(subject.contacts), +changed
        row.who = {}
        row.stopped_at = row.stopped_at or subject.moment
        row.save(update_fields=["contacts", "removed", "who", "stopped_at"])
    return subject


def _locked_subject(row: Erasure) -> Subject:
    """Whom the erasure is about, with all of their contacts locked."""
    found = set(row.contacts) or set(find(row.who, row.site_id))
    while True:
        rows = lock_people(Contact.objects.filter(pk__in=_all_of(found)))
        # Somebody may have been found to be one of them while we waited for the locks.
        if _all_of(rows) <= rows.keys():
            break
        found = set(rows)
    named = Identity.objects.filter(contact_id__in=rows).values_list("kind", "value")
    said = {(kind, str(row.who[kind])) for kind in _kinds(row.who)} if not row.contacts else set()
    return Subject(row.site_id, tuple(sorted(rows)), frozenset({*named, *said}), clock.now())


def _kinds(who: Mapping[str, Any]) -> list[str]:
    return [kind for kind in Identity.Kind.values if who.get(kind)]


def _all_of(ids: Iterable[int]) -> set[int]:
    """These contacts, those that they were merged into, and all that were merged into those."""
    found = Contact.objects.filter(pk__in=set(ids))
    heads = {into or pk for pk, into in found.values_list("pk", "merged_into_id")}
    return set(
        Contact.objects.filter(Q(pk__in=heads) | Q(merged_into_id__in=heads)).values_list(
            "pk", flat=True
        )
    )


def _addresses(subject: Subject, row: Erasure) -> set[tuple[str, str]]:
    said = ((channel, str(row.who.get(name) or "")) for channel, name in _REACHED_BY.items())
    found = {(channel, address) for channel, address in said if address}
    for eraser in erasers.all().values():
        found.update(
            (channel, address) for channel, address in eraser.addresses(subject) if address
        )
    return found


def find(who: Mapping[str, Any], site_id: int) -> list[int]:
    """Ids of the contacts that a description means.

    - A user's id or an external id means its owner; the guests of the same address too, where the
      shop has verified it, and the guest of the same browser, where the person was signed in. An
      equal address alone proves nothing: anybody can type somebody else's.
    - Without one, everybody who is known by what is given, customers with that address included:
      whoever asks has made sure that it is theirs.

    Args:
        who: As `Who.as_json` gives it.
        site_id: On which site.
    """
    certain = {kind: str(who[kind]) for kind in CERTAIN if who.get(kind)}
    owned = Identity.objects.filter(site_id=site_id)
    if not certain:
        found = {pk for kind in _kinds(who) for pk in _owners(owned, kind, who[kind])}
        for name in ("email", "phone"):
            if who.get(name):
                same = Contact.objects.filter(site_id=site_id, **{name: str(who[name])})
                found |= set(same.values_list("pk", flat=True))
        return sorted(found)
    found = {pk for kind, value in certain.items() for pk in _owners(owned, kind, value)}
    for kind, proof in (("email", "email_verified"), ("cookie_id", "signed_in")):
        if who.get(kind) and who.get(proof):
            guests = set(_owners(owned, kind, who[kind]))
            customers = Identity.objects.filter(contact_id__in=guests, kind__in=CERTAIN)
            found |= guests - set(customers.values_list("contact_id", flat=True))
    return sorted(found)


def _owners(owned: QuerySet[Identity], kind: str, value: Any) -> Iterable[int]:
    return owned.filter(kind=kind, value=str(value)).values_list("contact_id", flat=True)


#: What is left of a contact: that there was one, since when, and for which site.
def _empty_contact(moment: datetime) -> dict[str, Any]:
    return {
        "first_name": "", "last_name": "", "email": "", "phone": "", "language": "",
        "time_zone": "", "birthday": None, "last_seen_at": None, "last_order_at": None,
        "orders_count": 0, "spent": 0, "currency": "", "tags": [], "score": 0, "facts": {},
        "facts_at": {}, "erased_at": moment,
    }  # fmt: skip


def _forget_contacts(subject: Subject) -> dict[str, int]:
    """Empty the contacts and delete what names them; others know them by a new public id."""
    fresh = Contact.objects.filter(pk__in=subject.contacts, erased_at=None)
    ids = list(fresh.values_list("pk", flat=True))
    for pk in ids:
        Contact.objects.filter(pk=pk).update(
            public_id=uuid.uuid4(), **_empty_contact(subject.moment)
        )
    gone, _by_model = Identity.objects.filter(contact_id__in=subject.contacts).delete()
    return {"contact": len(ids), "identity": gone}


@retrying
def _empty_chunk(pk: int, trace: Trace, subject: Subject) -> bool:
    """Empty the next rows of a table, and note how far it has come; says whether it is through."""
    with engine_transaction():
        row = locked(Erasure.objects.filter(pk=pk)).get()
        position = row.reached.get(trace.name, 0)
        if position is None:
            return True
        rows = trace.rows(subject).filter(pk__gt=position).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[:CHUNK])
        found = trace.model._default_manager.filter(pk__in=ids)
        if ids and trace.blank is None:
            found.delete()
        elif ids:
            found.update(**(trace.blank or {}))
        through = len(ids) < CHUNK
        row.reached = {**row.reached, trace.name: None if through else ids[-1]}
        row.removed = +(Counter(row.removed) + Counter({trace.name: len(ids)}))
        row.save(update_fields=["reached", "removed"])
        return through


def _finish(pk: int) -> Erasure:
    now = clock.now()
    Erasure.objects.filter(pk=pk).update(done_at=now, due_at=None, reached={}, problem="")
    row = Erasure.objects.get(pk=pk)
    logger.info("Erasure %s is done: %s", row.public_id, row.removed)
    return row


@dataclass(slots=True)
class Outlook:
    """What an erasure would do.

    Attributes:
        contacts: Whom it is about.
        rows: How many rows of each table would be emptied or deleted, at most `LOOKED_AT` each.
    """

    contacts: list[int]
    rows: dict[str, int] = field(default_factory=dict)


def outlook(contact_ids: Collection[int], site_id: int) -> Outlook:
    """What the erasure of these contacts would do; two queries, and one for each table."""
    ids = tuple(sorted(_all_of(contact_ids)))
    named = Identity.objects.filter(contact_id__in=ids).values_list("kind", "value")
    subject = Subject(site_id, ids, frozenset(named), clock.now())
    rows = {"contact": len(ids), "identity": len(subject.identities)}
    for trace in traces():
        count = trace.rows(subject).order_by()[:LOOKED_AT].count()
        rows[trace.name] = rows.get(trace.name, 0) + count
    return Outlook(list(ids), {name: count for name, count in rows.items() if count})


def erased(contact_ids: Collection[int]) -> set[int]:
    """Those of these contacts that were erased."""
    rows = Contact.objects.filter(pk__in=contact_ids, erased_at__isnull=False)
    return set(rows.values_list("pk", flat=True))
