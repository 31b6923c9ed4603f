"""Load what steps and goals look at, for a whole batch, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from ..contacts.facts import zone_of
from ..contacts.models import Contact
from ..core.any_of import AnyOf
from ..core.reading import tuples
from ..events.models import Event
from ..events.rows import EventRow
from ..journeys.steps.base import EventView
from ..messages.models import TriggersSettings


def view(event: Event | EventRow) -> EventView:
    """An event as steps and conditions see it."""
    return EventView(event.pk, event.name, event.payload, event.occurred_at, frozenset(event.refs))


#: What `EventView` is made of.
_VIEW: Final = ("pk", "name", "payload", "occurred_at", "refs")


def _viewed(row: Sequence[Any]) -> EventView:
    pk, name, payload, occurred_at, refs = row
    return EventView(pk, name, payload, occurred_at, frozenset(refs))


def views(event_ids: Iterable[int]) -> dict[int, EventView]:
    """Events by id; one query. An event that retention has removed is left out."""
    rows = Event.objects.filter(AnyOf("pk", set(event_ids))).values_list(*_VIEW)
    return {row[0]: _viewed(row) for row in tuples(rows)}


def views_by_contact(rows: QuerySet[Event]) -> Iterator[tuple[int, EventView]]:
    """Events of known contacts, each with its contact, in the order of the queryset; one query."""
    for contact_id, *row in tuples(rows.values_list("contact_id", *_VIEW)):
        yield contact_id, _viewed(row)


def facts_of(contact_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """What conditions may know of these people; one query, or none."""
    if not contact_ids:
        return {}
    return {pk: facts(contact) for pk, contact in Contact.objects.in_bulk(contact_ids).items()}


def history(
    contact_ids: Iterable[int], names: Iterable[str], since: datetime
) -> dict[int, tuple[EventView, ...]]:
    """These contacts' events of these names since `since`, oldest first; one query, or none.

    Events that no router has seen yet are among them: they have happened all the same.
    """
    wanted = set(names)
    if not wanted:
        return {}
    found: dict[int, list[EventView]] = defaultdict(list)
    rows = Event.objects.filter(
        AnyOf("contact_id", set(contact_ids)), name__in=wanted, occurred_at__gte=since
    ).order_by("occurred_at", "pk")
    for contact_id, event in views_by_contact(rows):
        found[contact_id].append(event)
    return {contact: tuple(events) for contact, events in found.items()}


def site_zones(site_ids: Iterable[int]) -> dict[int, str]:
    """The default time zone of each site that has one; one query."""
    rows = TriggersSettings.objects.filter(site_id__in=set(site_ids))
    return dict(rows.values_list("site_id", "time_zone"))


def zone(contact: Contact, zones: dict[int, str]) -> ZoneInfo:
    """The time zone in which this person lives."""
    return zone_of(contact.time_zone, zones.get(contact.site_id, ""))


def facts(contact: Contact) -> dict[str, Any]:
    """What conditions may know of this person."""
    return contact.as_facts()
